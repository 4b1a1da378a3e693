//! The identity of the local cluster.

use liqo_events::{ClusterIdentityFacts, Effect, Event, Facts};
use liqo_model::Kind;

use super::scenario::{Scenario, applied, generation, identity_facts, identity_key, list_of, started};
use crate::{LiqoMachine, Machine};

fn written(effects: &[Effect]) -> Vec<(String, String)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::WriteIdentity { id, name } => Some((id.to_string(), name.to_string())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_cluster_without_identity_gets_one_after_a_complete_list() {
    let mut scenario = Scenario::default().given([generation(1)]);
    assert_eq!(scenario.when(started()), Vec::new());
    let effects = scenario.when(list_of(Kind::ConfigMap, 1));
    // Version 4 and variant 1 of RFC 9562 in sevens.
    let id = "07070707-0707-4707-8707-070707070707".to_owned();
    assert_eq!(written(&effects), vec![(id, "rome".to_owned())]);
}

#[test]
fn an_identity_that_exists_is_taken_over() {
    let mut scenario = Scenario::default().given([generation(1), started()]);
    let effects = scenario.when(applied(identity_key(), "1", Facts::ClusterIdentity(identity_facts())));
    assert_eq!(effects, Vec::new());
    let known = scenario.state.identity.clone().unwrap();
    assert_eq!((known.body.id.as_str(), known.body.name.as_str()), ("rome-id", "rome"));
}

#[test]
fn the_same_identity_comes_back_when_its_object_is_deleted() {
    let mut scenario = Scenario::settled();
    let vanished = Event::Vanished(liqo_events::Vanished {
        object: identity_key(),
        uid: super::scenario::uid(&identity_key()),
        resource_version: "9".into(),
        proof: liqo_events::Proof::Deleted,
    });
    let effects = scenario.when(vanished);
    assert_eq!(written(&effects), vec![("rome-id".to_owned(), "rome".to_owned())]);
}

#[test]
fn an_object_without_an_id_is_no_identity() {
    let facts = ClusterIdentityFacts { id: "".into(), name: "rome".into() };
    let mut scenario = Scenario::default().given([
        generation(1),
        started(),
        applied(identity_key(), "1", Facts::ClusterIdentity(facts)),
    ]);
    assert_eq!(written(&scenario.when(list_of(Kind::ConfigMap, 1))).len(), 1);
}

#[test]
fn nothing_is_chosen_twice() {
    let mut scenario = Scenario::default().given([generation(1), started()]);
    scenario.when(list_of(Kind::ConfigMap, 1));
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
}
