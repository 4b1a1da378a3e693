//! Namespaces that extend those of consumers.

use liqo_events::{
    Content, CurrentMapping, Effect, Event, Facts, MappingFacts, NamespaceFacts, NamespaceMapFacts, Status,
};
use liqo_model::{Kind, ObjectKey};

use super::parties::{TENANT, deleted, put_of, received, settled, vanished};
use super::scenario::{Scenario, applied, deleting, namespace_key, uid};

fn map_key() -> ObjectKey {
    ObjectKey::local(Kind::NamespaceMap, TENANT, "rome-f4b52b")
}

fn map_facts(desired: &[&str], current: &[(&str, &str)]) -> NamespaceMapFacts {
    NamespaceMapFacts {
        replication: received(),
        finalizer: true,
        desired: desired.iter().map(|local| ((*local).into(), format!("{local}-milan").into())).collect(),
        current: current
            .iter()
            .map(|(local, phase)| {
                let mapping =
                    MappingFacts { remote: format!("{local}-milan").into(), phase: (*phase).to_owned() };
                ((*local).to_owned(), mapping)
            })
            .collect(),
        ..NamespaceMapFacts::default()
    }
}

fn map(desired: &[&str], current: &[(&str, &str)]) -> Event {
    applied(map_key(), "50", Facts::NamespaceMap(map_facts(desired, current)))
}

fn namespace(managed_by: &str) -> Facts {
    Facts::Namespace(NamespaceFacts { managed_by: managed_by.to_owned(), ..NamespaceFacts::default() })
}

fn ours() -> String {
    format!("{TENANT}/rome-f4b52b")
}

fn extended() -> Event {
    applied(namespace_key("shop-milan"), "51", namespace(&ours()))
}

fn bound() -> Event {
    applied(ObjectKey::local(Kind::RoleBinding, "shop-milan", TENANT), "52", Facts::Presence)
}

fn phases(effects: &[Effect]) -> Option<Vec<String>> {
    effects.iter().find_map(|effect| match effect {
        Effect::PutStatus { status: Status::NamespaceMap(current), .. } => {
            let say = |(local, mapping): (_, &CurrentMapping)| format!("{local} {}", mapping.phase);
            Some(current.iter().map(say).collect())
        }
        _ => None,
    })
}

fn accepted() -> Scenario {
    settled().given([extended(), bound(), map(&["shop"], &[("shop", "Accepted")])]).acted()
}

#[test]
fn a_namespace_is_made_bound_and_accepted() {
    let mut scenario = settled();
    let effects = scenario.when(map(&["shop"], &[]));
    let expected =
        Content::RemoteNamespace { origin: "milan-id".into(), map: ours(), original: "shop".into() };
    assert_eq!(put_of(&effects), [&expected]);
    assert_eq!(phases(&effects), None);
    let effects = scenario.when(extended());
    let expected = Content::PeerBinding {
        user: "milan-id".into(),
        role: "liqo-virtual-kubelet-remote".to_owned(),
        managed_by: ours(),
    };
    assert_eq!(put_of(&effects), [&expected]);
    assert_eq!(phases(&scenario.when(bound())), Some(vec!["shop Accepted".to_owned()]));
}

#[test]
fn a_map_is_held_first() {
    let facts = NamespaceMapFacts { finalizer: false, ..map_facts(&["shop"], &[]) };
    let effects = settled().when(applied(map_key(), "50", Facts::NamespaceMap(facts)));
    assert!(
        matches!(effects.as_slice(), [Effect::SetFinalizer { finalizer, present: true, .. }]
            if finalizer == "namespacemap-controller.liqo.io/finalizer"),
        "{effects:?}"
    );
}

#[test]
fn what_is_not_ours_is_never_taken_over_nor_deleted() {
    for managed_by in ["", "liqo-tenant-boston/rome-f4b52b"] {
        let taken = applied(namespace_key("shop-milan"), "51", namespace(managed_by));
        let mut scenario = settled().given([taken]).acted();
        let effects = scenario.when(map(&["shop"], &[]));
        assert_eq!(put_of(&effects), Vec::<&Content>::new());
        assert_eq!(phases(&effects), Some(vec!["shop CreationLoopBackOff".to_owned()]));
        let effects = scenario.when(map(&[], &[("shop", "CreationLoopBackOff")]));
        assert_eq!(deleted(&effects), Vec::<String>::new());
        assert_eq!(phases(&effects), Some(Vec::new()));
    }
}

#[test]
fn a_map_in_the_namespace_of_another_consumer_means_nothing() {
    let elsewhere = ObjectKey::local(Kind::NamespaceMap, "liqo-tenant-boston", "rome-f4b52b");
    let facts = Facts::NamespaceMap(map_facts(&["shop"], &[]));
    assert_eq!(put_of(&settled().when(applied(elsewhere, "50", facts))), Vec::<&Content>::new());
}

#[test]
fn a_namespace_that_is_not_wanted_any_more_goes() {
    let mut scenario = accepted();
    let effects = scenario.when(map(&[], &[("shop", "Accepted")]));
    assert_eq!(deleted(&effects), [uid(&namespace_key("shop-milan")).to_string()]);
    assert_eq!(phases(&effects), Some(vec!["shop Terminating".to_owned()]));
    scenario.succeed("60");
    scenario.when(map(&[], &[("shop", "Terminating")]));
    scenario.when(deleting(namespace_key("shop-milan"), "61", namespace(&ours())));
    let effects = scenario.when(vanished(&namespace_key("shop-milan"), "62"));
    assert_eq!(phases(&effects), Some(Vec::new()));
}

#[test]
fn a_map_that_is_deleted_takes_its_namespaces_along() {
    let mut scenario = accepted();
    let going = deleting(map_key(), "53", Facts::NamespaceMap(map_facts(&["shop"], &[("shop", "Accepted")])));
    let effects = scenario.when(going);
    assert_eq!(deleted(&effects), [uid(&namespace_key("shop-milan")).to_string()]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::SetFinalizer { .. })));
    scenario.succeed("60");
    let effects = scenario.when(vanished(&namespace_key("shop-milan"), "62"));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::SetFinalizer { present: false, .. })));
}

#[test]
fn a_right_that_was_taken_away_is_given_back_while_pods_run_on() {
    let mut scenario = accepted();
    let effects = scenario.when(vanished(&ObjectKey::local(Kind::RoleBinding, "shop-milan", TENANT), "54"));
    assert!(matches!(put_of(&effects).as_slice(), [Content::PeerBinding { .. }]));
    assert_eq!(phases(&effects), None);
}
