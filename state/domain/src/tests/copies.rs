//! What is copied to peers, and what comes back.

use liqo_events::{BodyDigest, Effect, Event, Facts, PeeringType, Replication, ResourceRequestFacts, Switch};
use liqo_model::Kind;

use super::arbitrary::peer_lists;
use super::parties::{
    binding, deleted, identity, milan, our_request, our_request_key, peer, settled, there, vanished,
};
use super::scenario::{Scenario, applied, deleting, uid};

fn digest(of: u8) -> BodyDigest {
    BodyDigest([of; 16])
}

fn origin(spec: u8, status: u8, finalizer: bool) -> Facts {
    let replication =
        Replication { finalizer, spec: digest(spec), status: digest(status), ..our_request().replication };
    let offer_state = "Created".to_owned();
    Facts::ResourceRequest(ResourceRequestFacts { replication, offer_state, ..our_request() })
}

fn copy(spec: u8, status: u8) -> Facts {
    let replication = Replication {
        replicated: true,
        origin_id: "rome-id".into(),
        spec: digest(spec),
        status: digest(status),
        ..Replication::default()
    };
    Facts::ResourceRequest(ResourceRequestFacts { replication, ..our_request() })
}

fn seen_there(facts: Facts) -> Event {
    applied(there(Kind::ResourceRequest, "rome"), "60", facts)
}

fn lists_of_peer() -> Vec<Event> {
    let mut lists = peer_lists();
    for list in &mut lists {
        if let Event::RelistCompleted(list) = list {
            list.watch.selector = format!("namespace={}", super::parties::THERE);
        }
    }
    lists
}

fn linked() -> Scenario {
    settled().given([identity(), peer(milan(Switch::Yes)), binding("outgoing")])
}

fn sent(scenario: &mut Scenario, facts: Facts) -> Vec<Effect> {
    let effects = scenario.when(applied(our_request_key(), "50", facts));
    let of_copies = |effect: &Effect| match effect {
        Effect::Replicate { .. } | Effect::ReplicateStatus { .. } | Effect::Delete { .. } => true,
        Effect::SetFinalizer { finalizer, .. } => finalizer == "crdReplicator.liqo.io",
        _ => false,
    };
    effects.into_iter().filter(of_copies).collect()
}

fn held(present: bool) -> Effect {
    let (uid, finalizer) = (uid(&our_request_key()), "crdReplicator.liqo.io".to_owned());
    Effect::SetFinalizer { uid, finalizer, present }
}

fn replicate(spec: u8) -> Effect {
    Effect::Replicate {
        from: our_request_key(),
        uid: uid(&our_request_key()),
        spec: digest(spec),
        home: "rome-id".into(),
    }
}

#[test]
fn an_origin_is_held_before_it_is_copied() {
    let mut scenario = linked().given(lists_of_peer()).acted();
    assert_eq!(sent(&mut scenario, origin(1, 0, false)), [held(true)]);
    assert_eq!(sent(&mut scenario, origin(1, 0, true)), [replicate(1)]);
}

#[test]
fn nothing_is_copied_blindly() {
    // The peer's side was not listed.
    assert_eq!(sent(&mut linked().acted(), origin(1, 0, true)), []);
    // Somebody else's object has the name.
    let foreign = Facts::ResourceRequest(ResourceRequestFacts::default());
    let mut scenario = linked().given(lists_of_peer()).given([seen_there(foreign)]).acted();
    assert_eq!(sent(&mut scenario, origin(1, 0, true)), []);
}

#[test]
fn a_spec_goes_and_a_status_comes_back() {
    let mut scenario = linked().given(lists_of_peer()).given([seen_there(copy(1, 1))]).acted();
    let status = Effect::ReplicateStatus {
        from: there(Kind::ResourceRequest, "rome"),
        uid: uid(&our_request_key()),
        status: digest(1),
    };
    assert_eq!(sent(&mut scenario, origin(1, 1, true)), []);
    assert_eq!(sent(&mut scenario, origin(2, 0, true)), [replicate(2), status]);
}

#[test]
fn an_origin_goes_after_its_copy() {
    let mut scenario = linked().given(lists_of_peer()).given([seen_there(copy(1, 1))]).acted();
    let effects = scenario.when(deleting(our_request_key(), "51", origin(1, 1, true)));
    assert_eq!(deleted(&effects), [uid(&there(Kind::ResourceRequest, "rome")).to_string()]);
    assert!(!effects.contains(&held(false)));
    scenario.succeed("61");
    let effects = scenario.when(vanished(&there(Kind::ResourceRequest, "rome"), "62"));
    assert!(effects.contains(&held(false)), "{effects:?}");
}

#[test]
fn what_was_not_looked_for_is_not_gone() {
    let mut scenario = linked().acted();
    let effects = scenario.when(deleting(our_request_key(), "51", origin(1, 1, true)));
    assert!(!effects.contains(&held(false)), "{effects:?}");
    let effects: Vec<Effect> = lists_of_peer().into_iter().flat_map(|list| scenario.when(list)).collect();
    assert!(effects.contains(&held(false)), "{effects:?}");
}

#[test]
fn a_copy_that_is_being_made_is_waited_for() {
    let mut scenario = linked().given(lists_of_peer()).acted();
    assert_eq!(sent(&mut scenario, origin(1, 0, true)), [replicate(1)]);
    let effects = scenario.when(deleting(our_request_key(), "51", origin(1, 0, true)));
    assert!(!effects.contains(&held(false)), "{effects:?}");
    scenario.succeed("61");
    let effects = scenario.when(seen_there(copy(1, 0)));
    assert!(deleted(&effects).contains(&uid(&there(Kind::ResourceRequest, "rome")).to_string()));
}

#[test]
fn network_parameters_of_a_peering_in_band_are_exchanged_by_others() {
    for (peering_type, copied) in [(PeeringType::OutOfBand, true), (PeeringType::InBand, false)] {
        let mut facts = milan(Switch::Yes);
        facts.peering_type = peering_type;
        let mut scenario = linked().given([peer(facts)]).given(lists_of_peer()).acted();
        let config =
            liqo_events::NetworkConfigFacts { replication: our_request().replication, ..Default::default() };
        let key = liqo_model::ObjectKey::local(Kind::NetworkConfig, super::parties::TENANT, "milan-ac89c5");
        let effects = scenario.when(applied(key, "52", Facts::NetworkConfig(config)));
        let replicated = effects.iter().any(|effect| matches!(effect, Effect::Replicate { .. }));
        assert_eq!(replicated, copied);
    }
}
