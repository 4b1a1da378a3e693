//! `causal_fence`: nothing in a peer is destroyed without a recorded cause.

use liqo_events::{Deadline, DeadlinePassed, Effect, Event, OrphanReleased, Proof, Seq, Vanished};
use liqo_model::Kind;

use super::scenario::{
    MINUTE, Scenario, generation, list_of, lists, map, map_key, namespace, node, offloading,
    offloading_facts, offloading_key, uid,
};
use crate::{LiqoMachine, Machine};

fn destructive(effects: &[Effect]) -> Vec<Seq> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::MapNamespace { remote: None, cause, .. } => Some(*cause),
            _ => None,
        })
        .collect()
}

fn gone(proof: Proof) -> Event {
    let object = offloading_key("shop");
    Event::Vanished(Vanished { uid: uid(&object), object, resource_version: "90".into(), proof })
}

fn second_look() -> Event {
    let deadline = Deadline::Orphan { map: map_key("milan"), namespace: "shop".into() };
    Event::DeadlinePassed(DeadlinePassed { deadline })
}

fn mapped() -> Scenario {
    Scenario::settled().given([
        namespace("shop", true),
        node("milan", &[]),
        map("milan", "50", Some("shop-rome"), Some("Accepted")),
    ])
}

#[test]
fn an_observed_deletion_is_a_cause() {
    let mut scenario = mapped().given([offloading(offloading_facts())]).acted();
    let effects = scenario.when(gone(Proof::Deleted));
    assert_eq!(destructive(&effects), vec![Seq(scenario.log.len() as u64 - 1)]);
}

#[test]
fn absence_from_a_complete_list_of_the_same_life_is_a_cause() {
    let mut scenario = mapped().given([offloading(offloading_facts())]).acted();
    assert_eq!(destructive(&scenario.when(gone(Proof::AbsentFromList { generation: 1 }))).len(), 1);
}

#[test]
fn absence_after_a_change_of_generation_is_no_cause() {
    let mut scenario = mapped().given([offloading(offloading_facts())]).acted().given([generation(2)]);
    assert_eq!(destructive(&scenario.when(gone(Proof::AbsentFromList { generation: 2 }))), Vec::new());
    let mut effects = Vec::new();
    for event in [map("milan", "3", Some("shop-rome"), Some("Accepted"))].into_iter().chain(lists(2)) {
        effects.extend(scenario.when(event));
    }
    let mut scenario = scenario.later(2 * MINUTE);
    effects.extend(scenario.when(list_of(Kind::NamespaceOffloading, 2)));
    assert_eq!(destructive(&effects), Vec::new());
    assert!(scenario.state.orphans.iter().all(|(_, orphan)| orphan.held));
    assert_eq!(scenario.state.orphans.len(), 1);
    let released = OrphanReleased { map: map_key("milan"), namespace: "shop".into() };
    assert_eq!(destructive(&scenario.when(Event::OrphanReleased(released))).len(), 1);
}

#[test]
fn not_seen_yet_is_never_deleted() {
    let mut scenario = Scenario::default().given([super::scenario::started(), generation(1)]);
    let effects = scenario.when(map("milan", "50", Some("shop-rome"), Some("Accepted")));
    assert_eq!(effects, Vec::new());
    assert_eq!(scenario.when(list_of(Kind::NamespaceMap, 1)), Vec::new());
    assert!(scenario.state.orphans.is_empty());
}

#[test]
fn what_nobody_saw_go_takes_a_second_list_a_minute_later() {
    let mut scenario = mapped();
    assert_eq!(scenario.when(list_of(Kind::NamespaceOffloading, 1)), Vec::new());
    assert_eq!(scenario.state.orphans.len(), 1);
    let armed = LiqoMachine::next_deadline(&scenario.state).unwrap();
    assert_eq!((armed.after_millis, matches!(armed.deadline, Deadline::Orphan { .. })), (60_000, true));

    // Another list before the minute is over proves nothing.
    let mut scenario = scenario.later(MINUTE / 2);
    assert_eq!(destructive(&scenario.when(list_of(Kind::NamespaceOffloading, 1))), Vec::new());

    // A deadline alone never destroys: it asks for a list.
    let mut scenario = scenario.later(MINUTE);
    let effects = scenario.when(second_look());
    assert!(
        matches!(effects.as_slice(), [Effect::Relist { watch }] if watch.kind == Kind::NamespaceOffloading)
    );
    let effects = scenario.when(list_of(Kind::NamespaceOffloading, 1));
    assert_eq!(destructive(&effects), vec![Seq(scenario.log.len() as u64 - 1)]);
}

#[test]
fn the_minute_is_measured_by_the_deadline_and_not_by_the_times_of_events() {
    let mut scenario = mapped();
    scenario.when(list_of(Kind::NamespaceOffloading, 1));
    // The wall clock was set ahead: a list that seems to be an hour later proves nothing yet.
    let mut scenario = scenario.later(60 * MINUTE);
    assert_eq!(destructive(&scenario.when(list_of(Kind::NamespaceOffloading, 1))), Vec::new());
    // It was set back, and the times of events stand still: the minute is over nevertheless.
    scenario.now -= 60 * MINUTE;
    scenario.when(second_look());
    assert_eq!(destructive(&scenario.when(list_of(Kind::NamespaceOffloading, 1))).len(), 1);
}

#[test]
fn an_offloading_that_turns_up_ends_the_suspicion() {
    let mut scenario = mapped();
    scenario.when(list_of(Kind::NamespaceOffloading, 1));
    scenario.when(offloading(offloading_facts()));
    assert!(scenario.state.orphans.is_empty());
    assert_eq!(LiqoMachine::next_deadline(&scenario.state), None);
}
