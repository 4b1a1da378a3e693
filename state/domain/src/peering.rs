//! Peerings: which ForeignClusters can be worked with, the identity at the peer, what is asked for and offered, the virtual
//! kubelet and its node, the peer's rights, and the way back.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4. Each step is judged by what is seen now and never by what was done
//! before, so a peering goes on wherever it was left.

mod authentication;
mod bindings;
mod conditions;
mod enrolment;
mod home;
mod kubelet;
mod node;
mod offer;
mod request;
mod share;
mod tenant;
mod verdict;
mod view;
mod withdrawal;

use liqo_events::{Command, Content, Effect, Replication};
use liqo_model::{ClusterId, Kind};

use crate::about::Whose;
use crate::machine::Output;
use crate::outbox::Wish;
use crate::state::State;
use crate::wishes::slot;

pub(crate) use conditions::{says_the_same, with_condition};
pub(crate) use share::is_news;
pub use share::{Monitored, Promise, Sharing, monitored, sharing};
pub(crate) use view::{Peer, Seen, peers, seen};
use view::{View, peers_about};

/// What every peering needs now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let Some(view) = View::of(state) else { return Vec::new() };
    let mut outputs = plan_for(&view, Whose::Everybody);
    outputs.extend(
        state.withdraw_all(|command| made_for(command).is_some_and(|peer| !view.peers.contains_key(peer))),
    );
    outputs
}

/// What the peering with one peer needs now.
pub(crate) fn plan_with(state: &State, peer: &ClusterId) -> Vec<Output> {
    let Some(view) = View::about(state, Whose::Of(peer)) else { return Vec::new() };
    let mut outputs = plan_for(&view, Whose::Of(peer));
    if !view.peers.contains_key(peer) {
        outputs.extend(state.withdraw_all(|command| made_for(command) == Some(peer)));
    }
    outputs
}

fn plan_for(view: &View<'_>, whose: Whose<'_>) -> Vec<Output> {
    let peers = peers_about(view.state, whose);
    let mut outputs: Vec<Output> = peers.flat_map(|peer| plan_one(view, &peer)).collect();
    outputs.extend(node::plan_ends(view));
    outputs.extend(enrolment::plan(view, whose));
    outputs.extend(offer::plan(view));
    outputs
}

/// How much consumers are offered now.
pub(crate) fn plan_offers(state: &State) -> Vec<Output> {
    let outdated = if offer::is_outdated(state) { View::of(state) } else { None };
    outdated.map(|view| offer::plan(&view)).unwrap_or_default()
}

/// The peer that a command makes something for, which nobody needs when that is gone.
fn made_for(command: &Command) -> Option<&ClusterId> {
    match &command.effect {
        Effect::EnsureTenantNamespace { id } | Effect::Authenticate { id, .. } => Some(id),
        Effect::Put {
            content:
                Content::ResourceRequest { remote, .. }
                | Content::KubeletAccount { remote }
                | Content::KubeletBinding { remote, .. }
                | Content::VirtualKubelet { remote, .. },
        } => Some(remote),
        _ => None,
    }
}

fn plan_one(view: &View<'_>, peer: &Peer<'_>) -> Vec<Output> {
    // Without an ID the remote cluster has to be asked for it first. The verdict needs everybody else's ID.
    if peer.facts.cluster_id.is_empty() || !view.knows(&[Kind::ForeignCluster]) {
        return Vec::new();
    }
    if peer.object.deleting { plan_end(view, peer) } else { plan_life(view, peer) }
}

fn plan_life(view: &View<'_>, peer: &Peer<'_>) -> Vec<Output> {
    let verdict = verdict::verdict(view, peer);
    let mut outputs: Vec<Output> = tenant::label(view.state, peer).into_iter().collect();
    let tenant =
        if verdict::is_processable(&verdict) { tenant::plan(view, peer, &mut outputs) } else { None };
    if let Some(tenant) = &tenant {
        outputs.extend(authentication::plan(view, peer, tenant));
        outputs.extend(withdrawal::hold(view, peer));
        outputs.extend(withdrawal::clear(view, peer));
        outputs.extend(bindings::plan(view, peer, tenant));
        outputs.extend(request::plan(view, peer, tenant));
        outputs.extend(kubelet::plan(view, peer, tenant));
        outputs.extend(node::plan(view, peer, tenant));
        outputs.extend(withdrawal::forget(view, peer));
    }
    outputs.extend(conditions::plan(view, peer, verdict, tenant.as_ref()));
    outputs
}

/// The same way back as when nothing is wanted any more, and then the object goes.
fn plan_end(view: &View<'_>, peer: &Peer<'_>) -> Vec<Output> {
    if !withdrawal::is_held(peer) {
        return Vec::new();
    }
    let verdict = verdict::verdict(view, peer);
    // What another ForeignCluster is about, or nothing, is not taken down with this one.
    let tenant = if verdict::is_spare(view, peer) { None } else { view.tenant(&peer.facts.cluster_id) };
    let Some(tenant) = tenant.filter(|_| view.knows(&[Kind::Namespace])) else {
        let known = view.knows(&[Kind::Namespace]);
        return if known { withdrawal::drop_finalizers(view.state, peer) } else { Vec::new() };
    };
    let mut outputs: Vec<Output> = authentication::plan(view, peer, &tenant).into_iter().collect();
    outputs.extend(bindings::plan(view, peer, &tenant));
    outputs.extend(request::plan(view, peer, &tenant));
    outputs.extend(kubelet::plan(view, peer, &tenant));
    outputs.extend(node::plan(view, peer, &tenant));
    outputs.extend(withdrawal::clear(view, peer));
    outputs.extend(conditions::plan(view, peer, verdict, Some(&tenant)));
    outputs.extend(withdrawal::release(view, peer, &tenant));
    outputs
}

/// The ForeignCluster is the owner of what its peer has sent.
fn belong<F>(state: &State, sent: Seen<'_, F>, replication: &Replication, peer: &Peer<'_>) -> Option<Output> {
    if sent.object.deleting || peer.object.deleting {
        return None;
    }
    let effect = Effect::SetOwner { uid: sent.object.uid.clone(), owner: request::owner(peer) };
    let because = sent.object.seen.max(peer.object.seen);
    let owned = replication.owners.contains(&peer.key.name);
    state.ensure(Wish { slot: slot(sent.key, "owner"), effect, because }, owned)
}
