//! What this cluster makes of an offer: a virtual kubelet, while the offer stands.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.6 and §6.1. The offer gets its finalizer before the Deployment is made,
//! and loses it when that is seen to be gone.

use liqo_events::{Content, Facts, ResourceOfferFacts, Seq, Settings, Status};
use liqo_model::{Kind, NamespaceName, ObjectKey, unique_name};

use super::request::is_given_up;
use super::view::{Peer, Seen, View};
use crate::machine::Output;
use crate::state::State;

/// Keeps an offer until its virtual kubelet is gone.
const FINALIZER: &str = "liqo.io/virtualkubelet";
/// Keeps an offer until its node is empty and gone; it is the virtual kubelet's.
const NODE_FINALIZER: &str = "liqo.io/node";
/// Name of the Deployment and of its service account.
const NAME: &str = "virtual-kubelet";
const ACCEPTED: &str = "Accepted";

type Offer<'a> = Seen<'a, ResourceOfferFacts>;

/// The kinds that a virtual kubelet is decided on and made of.
const DECIDED_ON: [Kind; 6] = [
    Kind::ResourceOffer,
    Kind::ResourceRequest,
    Kind::Deployment,
    Kind::ServiceAccount,
    Kind::ClusterRoleBinding,
    Kind::Node,
];

/// What the virtual kubelet for a provider needs now.
pub(super) fn plan(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Vec<Output> {
    if !view.knows(&DECIDED_ON) {
        return Vec::new();
    }
    let parts = Parts::of(peer, tenant);
    let offer = view.offers.received(&peer.facts.cluster_id).first().copied();
    match offer {
        Some(offer) if stands(view, peer, offer) => run(view, peer, offer, &parts),
        // What is only to be had with the peer is not waited for: pods on the node go with it.
        Some(offer) if offer.facts.node_finalizer && !is_given_up(peer) => {
            drain(view, offer).into_iter().collect()
        }
        _ => stop(view, peer, offer, &parts),
    }
}

/// Whether no virtual kubelet for the provider is left.
pub(super) fn is_gone(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> bool {
    let parts = Parts::of(peer, tenant);
    [&parts.deployment, &parts.binding, &parts.account].iter().all(|key| view.state.is_gone(key))
}

/// The objects that a virtual kubelet consists of.
struct Parts {
    deployment: ObjectKey,
    account: ObjectKey,
    binding: ObjectKey,
    tenant: NamespaceName,
}

impl Parts {
    fn of(peer: &Peer<'_>, tenant: &NamespaceName) -> Self {
        let unique = unique_name(&peer.facts.cluster_name, &peer.facts.cluster_id);
        Self {
            deployment: ObjectKey::local(Kind::Deployment, tenant.as_str(), NAME),
            account: ObjectKey::local(Kind::ServiceAccount, tenant.as_str(), NAME),
            binding: ObjectKey::local_cluster_scoped(
                Kind::ClusterRoleBinding,
                format!("liqo-virtual-kubelet-{unique}"),
            ),
            tenant: tenant.clone(),
        }
    }
}

/// Whether the offer is there to be used: made for a request of ours that still stands, or used already.
fn stands(view: &View<'_>, peer: &Peer<'_>, offer: Offer<'_>) -> bool {
    let accepted = matches!(offer.facts.phase.as_str(), "" | "Pending" | ACCEPTED);
    let asked = view.requests.sent(&peer.facts.cluster_id).iter().any(|request| !request.facts.withdrawn);
    let used = offer.facts.kubelet_finalizer;
    accepted && !offer.facts.withdrawn && !offer.object.deleting && (asked || used)
}

/// Makes what is missing of the virtual kubelet.
fn run(view: &View<'_>, peer: &Peer<'_>, offer: Offer<'_>, parts: &Parts) -> Vec<Output> {
    let state = view.state;
    let mut outputs: Vec<Output> =
        super::belong(state, offer, &offer.facts.replication, peer).into_iter().collect();
    let kept = offer.facts.kubelet_finalizer;
    outputs.extend(state.finalizer((offer.key, offer.object), FINALIZER, true, kept));
    if !kept {
        return outputs;
    }
    let remote = peer.facts.cluster_id.clone();
    let Some((configured, made_with)) = made_with(state) else { return outputs };
    let account = Content::KubeletAccount { remote: remote.clone() };
    let binding = Content::KubeletBinding { remote: remote.clone(), tenant: parts.tenant.clone() };
    let deployment = Content::VirtualKubelet {
        remote,
        remote_name: peer.facts.cluster_name.clone(),
        home: view.home.id.clone(),
        home_name: view.home.name.clone(),
        offer: offer.key.name.clone(),
        settings: made_with.clone(),
    };
    let made = [(&parts.account, account), (&parts.binding, binding)];
    outputs.extend(
        made.into_iter().filter_map(|(key, content)| state.put_missing(key, content, offer.object.seen)),
    );
    let because = offer.object.seen.max(configured);
    let is_made_so = |facts: &Facts| match facts {
        Facts::Deployment(facts) => facts.settings == *made_with,
        _ => true,
    };
    outputs.extend(state.put_made_so(&parts.deployment, deployment, because, is_made_so));
    if let Some(deployment) = state.objects.get(&parts.deployment).filter(|object| !object.deleting) {
        outputs.extend(status(view, offer, ACCEPTED, "Created", deployment.seen));
    }
    outputs
}

/// When this process was configured, and what tells apart how it makes virtual kubelets.
fn made_with(state: &State) -> Option<(Seq, &String)> {
    let configured = state.configured.as_ref()?;
    match &configured.body.settings {
        Settings::ControlPlane(settings) => Some((configured.seq, &settings.virtual_kubelet)),
        Settings::Kubelet(_) => None,
    }
}

/// The virtual kubelet moves the pods away, and says so by taking its finalizer off.
fn drain(view: &View<'_>, offer: Offer<'_>) -> Option<Output> {
    status(view, offer, phase(offer), "Deleting", offer.object.seen)
}

/// Whether a pod of the virtual kubelet is left that its node is going to end. One on a node that is away may never go.
fn is_ending(view: &View<'_>, parts: &Parts) -> bool {
    let state = view.state;
    let works = |name: &str| {
        let node = state.objects.get(&ObjectKey::local_cluster_scoped(Kind::Node, name));
        node.is_some_and(|node| matches!(&node.facts, Facts::Node(facts) if facts.ready))
    };
    state.local(Kind::Pod).filter(|(key, _)| key.namespace == parts.tenant.as_str()).any(|(_, pod)| {
        let Facts::Pod(facts) = &pod.facts else { return false };
        facts.labels.get("app.kubernetes.io/name").is_some_and(|name| name == NAME) && works(&facts.node)
    })
}

/// Takes the virtual kubelet away, and then lets the offer go.
fn stop(view: &View<'_>, peer: &Peer<'_>, offer: Option<Offer<'_>>, parts: &Parts) -> Vec<Output> {
    let state = view.state;
    let cause = offer.map_or(view.listed(&[Kind::ResourceOffer]), |offer| offer.object.seen);
    let node = view.node(&peer.facts.cluster_id);
    let moves = node.is_some_and(|node| !node.object.deleting) && has_kubelet(view, parts);
    if offer.is_none() && moves && !is_given_up(peer) {
        // Its offer went at once. It moves the pods away and deletes its node; nobody else would.
        return Vec::new();
    }
    let mut outputs: Vec<Output> = state.delete(&parts.deployment, cause).into_iter().collect();
    // With its last rights it gives its lease back; its successor would wait for that to expire.
    if !state.is_gone(&parts.deployment) || is_ending(view, parts) {
        return outputs;
    }
    outputs.extend([&parts.binding, &parts.account].into_iter().filter_map(|key| state.delete(key, cause)));
    if let Some(offer) = offer {
        let seen = (offer.key, offer.object);
        if is_given_up(peer) {
            outputs.extend(state.finalizer(seen, NODE_FINALIZER, false, offer.facts.node_finalizer));
        }
        outputs.extend(state.finalizer(seen, FINALIZER, false, offer.facts.kubelet_finalizer));
        outputs.extend(status(view, offer, phase(offer), "None", offer.object.seen));
    }
    outputs
}

/// Whether the virtual kubelet may still be running.
fn has_kubelet(view: &View<'_>, parts: &Parts) -> bool {
    view.state.objects.contains_key(&parts.deployment)
}

/// Whether nobody looks after the virtual node of a provider any more.
pub(super) fn is_abandoned(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> bool {
    view.knows(&DECIDED_ON)
        && view.offers.received(&peer.facts.cluster_id).is_empty()
        && view.state.is_gone(&Parts::of(peer, tenant).deployment)
}

fn phase<'a>(offer: Offer<'a>) -> &'a str {
    if offer.facts.phase.is_empty() { "Pending" } else { &offer.facts.phase }
}

fn status(view: &View<'_>, offer: Offer<'_>, phase: &str, kubelet: &str, because: Seq) -> Option<Output> {
    let status = Status::ResourceOffer { phase: phase.to_owned(), virtual_kubelet: kubelet.to_owned() };
    let fulfilled = offer.facts.phase == phase && offer.facts.virtual_kubelet == kubelet;
    view.state.put_status(offer.key, status, because, fulfilled)
}
