//! Requests for serving certificates of virtual kubelets.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §3.8. Upstream looks at the name of who asks only; here the node has to be
//! the one that the virtual kubelet of that tenant stands for.

use liqo_events::{Effect, Facts, SigningRequestFacts};
use liqo_model::{Kind, tenant_namespace_name, virtual_node_name};

use crate::machine::Output;
use crate::outbox::Wish;
use crate::peering::{peers, seen};
use crate::state::State;
use crate::wishes::slot;

const SIGNER: &str = "kubernetes.io/kubelet-serving";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// What is to be done now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let known = [Kind::CertificateSigningRequest, Kind::ForeignCluster];
    if !known.iter().all(|kind| state.local_list(*kind).is_some()) {
        return Vec::new();
    }
    let requests = seen(state, Kind::CertificateSigningRequest, |facts| match facts {
        Facts::SigningRequest(facts) if facts.signer == SIGNER => Some(facts),
        _ => None,
    });
    requests
        .filter_map(|request| {
            let slot = slot(request.key, "approval");
            if !request.facts.decided && !is_of_a_kubelet(state, request.facts) {
                return state.withdraw(&slot);
            }
            let effect = Effect::ApproveSigning { uid: request.object.uid.clone() };
            state.ensure(Wish { slot, effect, because: request.object.seen }, request.facts.decided)
        })
        .collect()
}

/// Whether who asks is the virtual kubelet of a peer, and asks for its own node.
fn is_of_a_kubelet(state: &State, request: &SigningRequestFacts) -> bool {
    let account = request.requester.strip_prefix(SERVICE_ACCOUNT);
    let Some((namespace, _)) = account.and_then(|account| account.split_once(':')) else { return false };
    peers(state).any(|peer| {
        let (name, id) = (&peer.facts.cluster_name, &peer.facts.cluster_id);
        let tenant = tenant_namespace_name(name, id);
        (tenant.as_str() == namespace || peer.facts.tenant_local.as_str() == namespace)
            && request.node == virtual_node_name(name)
    })
}
