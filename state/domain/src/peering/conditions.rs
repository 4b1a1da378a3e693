//! What a ForeignCluster says of its peering.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §1.1 and §4.1. Nothing is said before it is known, and what cannot be
//! judged now stays as it was said.

use liqo_events::{Condition, Effect, ResourceOfferFacts, ResourceRequestFacts, UnixMillis};
use liqo_model::{ClusterRef, Kind, NamespaceName};

use super::view::{Peer, Seen, View};
use super::{authentication, request, share};
use crate::machine::Output;
use crate::outbox::{Waiting, Wish};
use crate::wishes::slot;

const PROCESSABLE: &str = "ProcessForeignClusterStatus";
const NETWORK: &str = "NetworkStatus";
const AUTHENTICATION: &str = "AuthenticationStatus";
const OUTGOING: &str = "OutgoingPeering";
const INCOMING: &str = "IncomingPeering";
const API_SERVER: &str = "APIServerStatus";
/// The order in which conditions appear.
const ORDER: [&str; 6] = [PROCESSABLE, NETWORK, AUTHENTICATION, OUTGOING, INCOMING, API_SERVER];
const ESTABLISHED: &str = "Established";

/// What a condition says.
pub(super) struct Said {
    pub(super) status: &'static str,
    reason: &'static str,
    message: String,
}

impl Said {
    pub(super) fn new(status: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into() }
    }
}

/// Writes the status of a ForeignCluster.
pub(super) fn plan(
    view: &View<'_>,
    peer: &Peer<'_>,
    verdict: Said,
    tenant: Option<&NamespaceName>,
) -> Option<Output> {
    let mut said = vec![(PROCESSABLE, verdict)];
    if let Some(tenant) = tenant {
        said.extend(network(view, peer).map(|said| (NETWORK, said)));
        said.extend(authentication(view, peer).map(|said| (AUTHENTICATION, said)));
        said.extend(outgoing(view, peer, tenant).map(|said| (OUTGOING, said)));
        said.extend(incoming(view, peer).map(|said| (INCOMING, said)));
        said.extend(api_server(view, peer).map(|said| (API_SERVER, said)));
    }
    let since = since(view, peer);
    let conditions = said.into_iter().fold(peer.facts.conditions.clone(), |conditions, (kind, said)| {
        let (status, reason) = (said.status.to_owned(), said.reason.to_owned());
        let condition = Condition { kind: kind.to_owned(), status, reason, message: said.message, since };
        let known = conditions.iter().any(|one| one.kind == condition.kind);
        let conditions = with_condition(&conditions, condition);
        if known { conditions } else { in_order(conditions) }
    });
    // What is not there yet does not take an earlier word back.
    let tenant_local = tenant.unwrap_or(&peer.facts.tenant_local).clone();
    let link = view.links.get(&peer.facts.cluster_id).map(|link| &link.remote_namespace);
    let tenant_remote = link.unwrap_or(&peer.facts.tenant_remote).clone();
    let fulfilled = conditions == peer.facts.conditions
        && tenant_local == peer.facts.tenant_local
        && tenant_remote == peer.facts.tenant_remote;
    let uid = peer.object.uid.clone();
    let effect = Effect::WriteForeignClusterStatus { uid, tenant_local, tenant_remote, conditions };
    view.state.ensure(Wish { slot: slot(peer.key, "status"), effect, because: peer.object.seen }, fulfilled)
}

/// A condition that was put at the end goes before those that readers are used to find after it; the others stay where
/// they are.
fn in_order(mut conditions: Vec<Condition>) -> Vec<Condition> {
    let rank = |condition: &Condition| ORDER.iter().position(|kind| *kind == condition.kind);
    let Some(last) = conditions.pop() else { return conditions };
    let at = conditions.iter().position(|other| rank(&last).is_some() && rank(other) > rank(&last));
    conditions.insert(at.unwrap_or(conditions.len()), last);
    conditions
}

/// When the newest of what the conditions are about was seen.
fn since(view: &View<'_>, peer: &Peer<'_>) -> UnixMillis {
    let id = &peer.facts.cluster_id;
    let at = |object: &crate::state::Object| object.seen_at;
    let tenant = view.tenants.get(id).map(|(_, object)| at(object));
    let requests =
        view.requests.sent(id).iter().chain(view.requests.received(id)).map(|seen| at(seen.object));
    let offers = view.offers.sent(id).iter().chain(view.offers.received(id)).map(|seen| at(seen.object));
    let tunnels = view.tunnels.get(id).into_iter().flatten().map(|seen| at(seen.object));
    let probe = view.state.probes.get(&ClusterRef::Remote(id.clone())).map(|probe| probe.at);
    let failure = authentication::attempt(view, peer).and_then(|pending| pending.failure.as_ref());
    let secret = view.links.get(id).and_then(|link| view.state.objects.get(&link.secret)).map(at);
    let known = tenant.into_iter().chain(requests).chain(offers).chain(tunnels).chain(probe).chain(secret);
    known.chain(failure.map(|(_, at, _)| *at)).fold(peer.object.seen_at, UnixMillis::max)
}

fn network(view: &View<'_>, peer: &Peer<'_>) -> Option<Said> {
    if view.state.control_plane()?.pod_cidr.is_empty() {
        return Some(Said::new(
            "External",
            "ExternalNetwork",
            "the network between the clusters is not Liqo's",
        ));
    }
    view.state.local_list(Kind::TunnelEndpoint)?;
    let Some(tunnel) = view.tunnels.get(&peer.facts.cluster_id).and_then(|tunnels| tunnels.first()) else {
        return Some(Said::new("None", "TunnelEndpointNotFound", "there is no TunnelEndpoint for the peer"));
    };
    let name = &tunnel.key.name;
    let report = view.state.tunnels.get(&peer.facts.cluster_id);
    let trouble = report.map_or("", |report| report.body.trouble.as_str());
    match tunnel.facts.connection.as_str() {
        "Connected" => {
            let message = format!("TunnelEndpoint {name} is connected");
            Some(Said::new(ESTABLISHED, "TunnelEndpointAvailable", message))
        }
        "Connecting" => {
            let message = format!("TunnelEndpoint {name} is not connected yet");
            Some(Said::new("Pending", "TunnelEndpointConnecting", message))
        }
        "Error" => {
            let message = format!("TunnelEndpoint {name} is in trouble: {trouble}");
            Some(Said::new("Error", "TunnelEndpointError", message))
        }
        _ => None,
    }
}

fn authentication(view: &View<'_>, peer: &Peer<'_>) -> Option<Said> {
    if view.links.contains_key(&peer.facts.cluster_id) {
        return Some(Said::new(
            ESTABLISHED,
            "IdentityAccepted",
            "the peer has given this cluster an identity",
        ));
    }
    let attempt = authentication::attempt(view, peer);
    if let Some((pending, (_, _, error))) =
        attempt.and_then(|pending| Some((pending, pending.failure.as_ref()?)))
    {
        // What is not tried again by itself was answered; everything else did not come that far.
        let refused = pending.waiting == Waiting::Parked;
        let reason = if refused { "IdentityError" } else { "AuthNotReachable" };
        return Some(Said::new("Error", reason, error.as_str()));
    }
    view.state.local_list(Kind::Secret)?;
    let known = peer.facts.conditions.iter().find(|condition| condition.kind == AUTHENTICATION)?;
    let lost = known.status == ESTABLISHED;
    lost.then(|| {
        Said::new("None", "IdentityMissing", "there is no identity at the peer in its tenant namespace")
    })
}

fn outgoing(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Option<Said> {
    view.knows(&[Kind::ResourceRequest, Kind::ResourceOffer]).then_some(())?;
    let id = &peer.facts.cluster_id;
    let sent = view.requests.sent(id).first();
    let obstacle = if sent.is_none() { request::obstacle(view, peer) } else { None };
    if let Some(obstacle) = obstacle {
        return Some(Said::new("None", "NoResourceRequest", obstacle));
    }
    // Ours to take back: it counts from the moment that we do.
    let ends = sent.is_some_and(|sent| sent.object.deleting || sent.facts.withdrawn);
    let said = direction(sent, view.offers.received(id).first());
    Some(if ends { disconnecting(tenant) } else { said })
}

fn incoming(view: &View<'_>, peer: &Peer<'_>) -> Option<Said> {
    view.knows(&[Kind::ResourceRequest, Kind::ResourceOffer]).then_some(())?;
    let id = &peer.facts.cluster_id;
    let mut said = direction(view.requests.received(id).first(), view.offers.sent(id).first());
    if said.status == ESTABLISHED {
        said.message.push_str(share::also(view, id));
    }
    Some(said)
}

/// Source: the table in §4.1, but that a withdrawal counts also when the offer is gone already.
fn direction(
    request: Option<&Seen<'_, ResourceRequestFacts>>,
    offer: Option<&Seen<'_, ResourceOfferFacts>>,
) -> Said {
    let Some(request) = request else {
        return Said::new("None", "NoResourceRequest", "no resources are asked for");
    };
    let tenant = NamespaceName::new(request.key.namespace.as_str());
    if request.facts.withdrawn || offer.is_some_and(|offer| offer.facts.withdrawn) {
        return disconnecting(&tenant);
    }
    let answered = request::is_answered(request.facts);
    match offer.map(|offer| offer.facts.virtual_kubelet.as_str()) {
        Some("Created") if answered => {
            let message = format!("the request in namespace {tenant} was accepted, and its offer is used");
            Said::new(ESTABLISHED, "ResourceRequestAccepted", message)
        }
        Some(_) if answered => {
            let message = "the consumer has no virtual kubelet for the offer yet";
            Said::new("Pending", "KubeletPending", message)
        }
        _ => {
            let message = format!("there is no offer in namespace {tenant} yet");
            Said::new("Pending", "ResourceRequestPending", message)
        }
    }
}

fn disconnecting(tenant: &NamespaceName) -> Said {
    let message = format!("the request in namespace {tenant} is being taken back");
    Said::new("Disconnecting", "ResourceRequestDeleting", message)
}

fn api_server(view: &View<'_>, peer: &Peer<'_>) -> Option<Said> {
    let cluster = ClusterRef::Remote(peer.facts.cluster_id.clone());
    let probe = &view.state.probes.get(&cluster)?.body;
    Some(if probe.reachable {
        Said::new(ESTABLISHED, "APIServerReady", "the peer's API server answers")
    } else {
        Said::new("Error", "APIServerNotReady", probe.trouble.as_str())
    })
}

/// The list with one condition put in its place. It keeps its time when it says what it said.
pub(crate) fn with_condition(conditions: &[Condition], wanted: Condition) -> Vec<Condition> {
    let mut conditions = conditions.to_vec();
    match conditions.iter_mut().find(|condition| condition.kind == wanted.kind) {
        Some(condition) if says_the_same(condition, &wanted) => {}
        Some(condition) => *condition = wanted,
        None => conditions.push(wanted),
    }
    conditions
}

/// Whether two conditions differ in nothing but their time.
pub(crate) fn says_the_same(one: &Condition, other: &Condition) -> bool {
    (&one.kind, &one.status, &one.reason, &one.message)
        == (&other.kind, &other.status, &other.reason, &other.message)
}
