//! When the identity of a peer counts as in use.

use liqo_events::{Effect, Event, Facts, IssuedFacts, NamespaceMapFacts, NetworkConfigFacts};
use liqo_model::{Kind, ObjectKey};

use super::parties::{
    TENANT, received, settled, tenant, their_offer, their_offer_key, their_request, their_request_key,
    vanished,
};
use super::scenario::{Scenario, applied, deleting, list_of, uid};

fn key() -> ObjectKey {
    ObjectKey::local(Kind::Secret, TENANT, "liqo-remote-certificate")
}

fn facts(enrolled: bool) -> Facts {
    Facts::Issued(IssuedFacts { peer: "milan-id".into(), enrolled })
}

fn issued(version: &str, enrolled: bool) -> Event {
    applied(key(), version, facts(enrolled))
}

fn request() -> Event {
    applied(their_request_key(), "20", Facts::ResourceRequest(their_request()))
}

/// What is said of the Secret.
fn marks(effects: &[Effect]) -> Vec<bool> {
    let marks = effects.iter().filter_map(|effect| match effect {
        Effect::SetEnrolled { uid: of, peer, enrolled } => {
            assert_eq!((of, peer.as_str()), (&uid(&key()), "milan-id"));
            Some(*enrolled)
        }
        _ => None,
    });
    marks.collect()
}

#[test]
fn what_was_issued_is_not_in_use_before_the_peer_writes() {
    assert_eq!(marks(&settled().when(issued("10", false))), [true; 0]);
}

#[test]
fn whatever_the_peer_writes_shows_that_it_is_in_use() {
    let map = NamespaceMapFacts { replication: received(), ..NamespaceMapFacts::default() };
    let network = NetworkConfigFacts { replication: received(), ..NetworkConfigFacts::default() };
    let named = |kind| ObjectKey::local(kind, TENANT, "milan-ac89c5");
    let written = [
        request(),
        applied(their_offer_key(), "20", Facts::ResourceOffer(their_offer())),
        applied(named(Kind::NetworkConfig), "20", Facts::NetworkConfig(network)),
        applied(named(Kind::NamespaceMap), "20", Facts::NamespaceMap(map)),
    ];
    for event in written {
        let mut scenario = settled().given([issued("10", false)]).acted();
        assert_eq!(marks(&scenario.when(event)), [true]);
        // It is said once, and seen.
        scenario.succeed("30");
        assert_eq!(marks(&scenario.when(issued("30", true))), [true; 0]);
    }
}

#[test]
fn what_is_issued_where_the_peer_has_written_before_is_in_use() {
    assert_eq!(marks(&settled().given([request()]).acted().when(issued("21", false))), [true]);
}

#[test]
fn enrolment_ends_with_the_last_of_what_the_peer_wrote() {
    let offer = applied(their_offer_key(), "20", Facts::ResourceOffer(their_offer()));
    let mut scenario = settled().given([request(), offer, issued("21", true)]).acted();
    assert_eq!(marks(&scenario.when(vanished(&their_request_key(), "22"))), [true; 0]);
    assert_eq!(marks(&scenario.when(vanished(&their_offer_key(), "23"))), [false]);
    scenario.succeed("30");
    assert_eq!(marks(&scenario.when(issued("30", false))), [true; 0]);
    // The ID is as new, and begins anew.
    assert_eq!(marks(&scenario.when(request())), [true]);
}

#[test]
fn an_empty_log_takes_nothing_back_before_everything_was_listed() {
    let mut scenario = Scenario::settled().given([tenant(), issued("21", true)]);
    for kind in [Kind::Secret, Kind::ResourceRequest, Kind::ResourceOffer] {
        assert_eq!(marks(&scenario.when(list_of(kind, 1))), [true; 0], "{kind}");
    }
    // Now it is known that nothing is there.
    assert_eq!(marks(&scenario.when(list_of(Kind::NetworkConfig, 1))), [false]);
}

#[test]
fn a_secret_elsewhere_or_of_another_name_says_nothing() {
    let elsewhere = [
        applied(ObjectKey::local(Kind::Secret, "shop", "liqo-remote-certificate"), "21", facts(false)),
        applied(ObjectKey::local(Kind::Secret, TENANT, "other"), "21", facts(false)),
        deleting(key(), "21", facts(false)),
    ];
    for event in elsewhere {
        assert_eq!(marks(&settled().given([request()]).acted().when(event)), [true; 0]);
    }
}
