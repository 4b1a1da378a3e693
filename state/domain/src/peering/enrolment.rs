//! Whether what was issued to a peer is in use: then the peer is enrolled, and no token gets it anything else.
//!
//! Only with its certificate can a peer write into its tenant namespace, so what it wrote there proves the use. Enrolment
//! ends when the peer has taken back everything that it wrote, in both directions: then its ID is as new. The truth is the
//! mark on the Secret; this only keeps it.

use liqo_events::{Effect, Facts, IssuedFacts, Seq};
use liqo_model::{ClusterId, Kind};

use super::view::{Seen, View, seen_about};
use crate::about::Whose;
use crate::machine::Output;
use crate::outbox::Wish;
use crate::wishes::slot;

/// Name of the Secret with what was issued.
const ISSUED: &str = "liqo-remote-certificate";
/// The part of it that says whether it is in use.
const ENROLMENT: &str = "enrolment";
/// What a peer writes. Until all of it was listed nothing is known, and what was said stays.
const WRITTEN: [Kind; 4] =
    [Kind::ResourceRequest, Kind::ResourceOffer, Kind::NetworkConfig, Kind::NamespaceMap];

/// What the marks need now. A peer without a ForeignCluster has one too.
pub(super) fn plan(view: &View<'_>, whose: Whose<'_>) -> Vec<Output> {
    if !view.knows(&[Kind::Namespace]) || !view.knows(&WRITTEN) {
        return Vec::new();
    }
    issued(view, whose).filter_map(|secret| plan_one(view, secret)).collect()
}

fn plan_one(view: &View<'_>, secret: Seen<'_, IssuedFacts>) -> Option<Output> {
    let (used, written) = use_of(view, &secret.facts.peer);
    let (uid, peer) = (secret.object.uid.clone(), secret.facts.peer.clone());
    let effect = Effect::SetEnrolled { uid, peer, enrolled: used };
    let because = secret.object.seen.max(written);
    let wish = Wish { slot: slot(secret.key, ENROLMENT), effect, because };
    view.state.ensure(wish, secret.facts.enrolled == used)
}

/// The Secrets that count: in the namespace of the peer that they are about, where nobody but this cluster writes them.
fn issued<'a>(view: &View<'a>, whose: Whose<'_>) -> impl Iterator<Item = Seen<'a, IssuedFacts>> {
    let all = seen_about(view.state, whose, Kind::Secret, |facts| match facts {
        Facts::Issued(facts) => Some(facts),
        _ => None,
    });
    all.filter(move |secret| {
        let tenant = view.tenant(&secret.facts.peer);
        secret.key.name == ISSUED
            && !secret.object.deleting
            && tenant.is_some_and(|tenant| tenant.as_str() == secret.key.namespace)
    })
}

/// Whether anything is there that the peer wrote, and the newest that tells.
fn use_of(view: &View<'_>, peer: &ClusterId) -> (bool, Seq) {
    let requests = view.requests.received(peer).iter().map(|seen| seen.object.seen);
    let offers = view.offers.received(peer).iter().map(|seen| seen.object.seen);
    let networks = view.networks.received(peer).iter().map(|seen| seen.object.seen);
    let maps = view.maps.received(peer).iter().map(|seen| seen.object.seen);
    let written = requests.chain(offers).chain(networks).chain(maps).max();
    (written.is_some(), written.unwrap_or_else(|| view.listed(&WRITTEN)))
}
