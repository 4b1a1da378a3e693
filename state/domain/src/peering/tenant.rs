//! Where the objects of a peer live in this cluster.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §3.9 and §4.1 step 4.

use liqo_events::{Effect, Event, Rejected, Seq};
use liqo_model::{Kind, NamespaceName, ObjectKey, check_dns_label, tenant_namespace_name};

use super::view::{Peer, View};
use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::State;
use crate::wishes::slot;

/// The label by which everything else finds the ForeignCluster.
pub(super) fn label(state: &State, peer: &Peer<'_>) -> Option<Output> {
    let effect =
        Effect::LabelForeignCluster { uid: peer.object.uid.clone(), id: peer.facts.cluster_id.clone() };
    let wish = Wish { slot: slot(peer.key, "label"), effect, because: peer.object.seen };
    state.ensure(wish, peer.facts.labelled_id == peer.facts.cluster_id)
}

/// The tenant namespace when it exists; asks for it when it does not.
pub(super) fn plan(view: &View<'_>, peer: &Peer<'_>, outputs: &mut Vec<Output>) -> Option<NamespaceName> {
    if let Some(tenant) = view.tenant(&peer.facts.cluster_id) {
        return Some(tenant);
    }
    let list = view.state.local_list(Kind::Namespace)?;
    let name = tenant_namespace_name(&peer.facts.cluster_name, &peer.facts.cluster_id);
    if let Err(invalid) = check_dns_label("the name of its tenant namespace", name.as_str()) {
        let reason = format!("{invalid}; spec.clusterIdentity.clusterName may have 44 characters");
        outputs.extend(reject(view.state, peer, reason));
        return None;
    }
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, name.as_str());
    let known = view.state.objects.get(&key).map_or(Seq(0), |object| object.seen);
    let effect = Effect::EnsureTenantNamespace { id: peer.facts.cluster_id.clone() };
    let because = peer.object.seen.max(list.seq).max(known);
    outputs.extend(view.state.request(Wish { slot: slot(&key, "tenant"), effect, because }));
    None
}

fn reject(state: &State, peer: &Peer<'_>, reason: String) -> Option<Output> {
    let known = state.rejected.get(peer.key);
    if known.is_some_and(|known| known.body.reason == reason && known.body.uid == peer.object.uid) {
        return None;
    }
    let object = peer.key.clone();
    Some(Output::Record(Event::Rejected(Rejected { object, uid: peer.object.uid.clone(), reason })))
}
