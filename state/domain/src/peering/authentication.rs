//! The identity at a peer: asked for when there is something to do there.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §3.7 and §4.1 step 5. Upstream asks every peer that it knows, and with
//! that shows its own token to each; here one is asked when resources are wanted of it, or when it asks for some.

use liqo_events::{Effect, Slot};
use liqo_model::{Kind, NamespaceName, ObjectKey, tenant_namespace_name, unique_name};

use super::request;
use super::view::{Peer, View};
use crate::machine::Output;
use crate::outbox::{Pending, Wish};
use crate::wishes::slot;

/// The part of a Secret that stands for the identity.
const IDENTITY: &str = "identity";
/// What names of such Secrets begin with.
const IDENTITY_PREFIX: &str = "liqo-identity-";

/// What the identity at a peer needs now.
pub(super) fn plan(view: &View<'_>, peer: &Peer<'_>, tenant: &NamespaceName) -> Option<Output> {
    let state = view.state;
    let list = state.local_list(Kind::Secret)?;
    let id = &peer.facts.cluster_id;
    let linked = view.links.contains_key(id);
    if !linked && !is_needed(view, peer) {
        return state.withdraw(&identity(peer));
    }
    let effect = Effect::Authenticate {
        id: id.clone(),
        name: peer.facts.cluster_name.clone(),
        auth_url: peer.facts.auth_url.clone(),
        skip_tls_verify: peer.facts.skip_tls_verify,
        tenant: tenant.clone(),
        home: view.home.id.clone(),
        home_name: view.home.name.clone(),
    };
    // Another token may be the one that is accepted.
    let token = view.tokens.get(id).copied().unwrap_or_default();
    let because = peer.object.seen.max(list.seq).max(token);
    state.ensure(Wish { slot: identity(peer), effect, because }, linked)
}

/// Whether there is something to do at the peer: we want something of it, or it of us and left a token for that.
fn is_needed(view: &View<'_>, peer: &Peer<'_>) -> bool {
    let id = &peer.facts.cluster_id;
    let asks = view.requests.received(id).iter().any(|request| !request.facts.withdrawn);
    let asks = asks && !request::is_given_up(peer);
    request::is_wanted(peer) || (asks && view.tokens.contains_key(id) && !peer.object.deleting)
}

/// The attempt that is under way, when there is one.
pub(super) fn attempt<'a>(view: &View<'a>, peer: &Peer<'_>) -> Option<&'a Pending> {
    let command = view.state.derived.slots.get(&identity(peer))?;
    view.state.outbox.get(command)
}

/// The Secret that the identity comes in: the command is done when that is seen.
fn identity(peer: &Peer<'_>) -> Slot {
    let (name, id) = (&peer.facts.cluster_name, &peer.facts.cluster_id);
    let tenant = tenant_namespace_name(name, id);
    let secret = format!("{IDENTITY_PREFIX}{}", unique_name(name, id));
    slot(&ObjectKey::local(Kind::Secret, tenant.as_str(), secret), IDENTITY)
}
