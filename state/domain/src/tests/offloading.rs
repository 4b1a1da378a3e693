//! The life of an offloaded namespace.

use liqo_events::{
    Applied, Effect, Event, Facts, MappingStrategy, NamespaceFacts, OffloadingFacts, PodStrategy, Proof,
    Requirement, SelectorTerm, Vanished,
};
use liqo_model::Kind;

use super::scenario::{
    Scenario, applied, applied_body, deleting, finalizer, list_of, map, map_key, namespace, namespace_key,
    node, offloading, offloading_facts, offloading_key, short, uid,
};

use crate::{LiqoMachine, Machine, Output};

const REMOTE: &str = "shop-rome-f4b52b";

fn in_region(region: &str) -> Vec<SelectorTerm> {
    let requirement =
        Requirement { key: "region".to_owned(), operator: "In".to_owned(), values: vec![region.to_owned()] };
    vec![SelectorTerm { expressions: vec![requirement], fields: Vec::new() }]
}

fn mapped(peer: &str, remote: Option<&str>, scenario: &Scenario, cause: u64) -> Effect {
    let _ = scenario;
    Effect::MapNamespace {
        uid: uid(&map_key(peer)),
        namespace: "shop".into(),
        remote: remote.map(Into::into),
        cause: liqo_events::Seq(cause),
    }
}

fn relists(effects: &[Effect]) -> Vec<Kind> {
    let watches = effects.iter().filter_map(|effect| match effect {
        Effect::Relist { watch } => Some(watch.kind),
        _ => None,
    });
    watches.collect()
}

fn phase(effects: &[Effect]) -> (String, Vec<String>) {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::WriteOffloadingStatus { phase, conditions, .. } => {
                Some((phase.clone(), short(conditions)))
            }
            _ => None,
        })
        .unwrap_or_default()
}

fn two_peers() -> Scenario {
    Scenario::settled().given([
        namespace("shop", false),
        node("milan", &[("region", "eu")]),
        node("boston", &[("region", "us")]),
        map("milan", "50", None, None),
        map("boston", "51", None, None),
    ])
}

#[test]
fn the_finalizer_comes_before_everything_else() {
    let bare = OffloadingFacts { finalizer: false, ..offloading_facts() };
    assert_eq!(two_peers().when(offloading(bare)), vec![finalizer(true)]);
}

#[test]
fn a_namespace_goes_to_every_peer_when_no_selector_says_otherwise() {
    let mut scenario = two_peers();
    let effects = scenario.when(offloading(offloading_facts()));
    let cause = scenario.state.objects.get(&offloading_key("shop")).unwrap().seen.0;
    assert_eq!(effects[0], mapped("boston", Some(REMOTE), &scenario, cause));
    assert_eq!(effects[1], mapped("milan", Some(REMOTE), &scenario, cause));
    assert_eq!(effects[2], Effect::SetScheduling { uid: uid(&namespace_key("shop")), enabled: true });
    assert_eq!(
        phase(&effects),
        (
            "InProgress".to_owned(),
            vec![
                "boston OffloadingRequired True ClusterSelected".to_owned(),
                "boston Ready False Creating".to_owned(),
                "milan OffloadingRequired True ClusterSelected".to_owned(),
                "milan Ready False Creating".to_owned(),
            ]
        )
    );
}

#[test]
fn a_selector_chooses_peers_by_the_labels_of_their_nodes() {
    let mut scenario = two_peers();
    let facts = OffloadingFacts { selector: in_region("eu"), pods: PodStrategy::Local, ..offloading_facts() };
    let effects = scenario.when(offloading(facts));
    let cause = scenario.state.objects.get(&offloading_key("shop")).unwrap().seen.0;
    assert_eq!(effects[0], mapped("milan", Some(REMOTE), &scenario, cause));
    assert_eq!(effects.len(), 2, "no label for strategy Local, no mapping for boston");
}

#[test]
fn a_node_whose_labels_changed_is_judged_again() {
    let mut scenario = two_peers();
    scenario.when(offloading(OffloadingFacts { selector: in_region("eu"), ..offloading_facts() }));
    scenario.when(map("milan", "60", Some(REMOTE), Some("Accepted")));
    let effects = scenario.when(node("milan", &[("region", "asia")]));
    assert!(!effects.iter().any(Effect::is_destructive), "{effects:?}");
    assert_eq!(relists(&effects), [Kind::NamespaceOffloading, Kind::Node]);
    let effects = scenario.when(list_of(Kind::NamespaceOffloading, 1));
    assert!(!effects.iter().any(Effect::is_destructive), "{effects:?}");
    let effects = scenario.when(list_of(Kind::Node, 1));
    assert!(effects.iter().any(Effect::is_destructive), "{effects:?}");
}

#[test]
fn who_sees_the_node_before_the_selector_takes_nothing_away() {
    let mut scenario = two_peers();
    scenario.when(offloading(OffloadingFacts { selector: in_region("eu"), ..offloading_facts() }));
    scenario.when(map("milan", "60", Some(REMOTE), Some("Accepted")));
    // A user let the selector allow everything and then moved the node; the watch of nodes was faster.
    let mut effects = scenario.when(node("milan", &[("region", "asia")]));
    effects.extend(scenario.when(applied(
        offloading_key("shop"),
        "70",
        Facts::Offloading(offloading_facts()),
    )));
    effects.extend(scenario.when(list_of(Kind::NamespaceOffloading, 1)));
    effects.extend(scenario.when(list_of(Kind::Node, 1)));
    assert!(!effects.iter().any(Effect::is_destructive), "{effects:?}");
}

#[test]
fn what_was_to_be_set_up_for_an_offloading_that_went_is_taken_back() {
    let mut scenario = two_peers();
    scenario.when(offloading(offloading_facts()));
    let wanted = |scenario: &Scenario| {
        let pending = scenario.state.outbox.iter().map(|(_, pending)| &pending.command.effect);
        pending
            .filter(|effect| match effect {
                Effect::SetScheduling { enabled, .. } => *enabled,
                Effect::MapNamespace { remote, .. } => remote.is_some(),
                _ => false,
            })
            .count()
    };
    assert_eq!(wanted(&scenario), 3);
    let object = offloading_key("shop");
    let gone = Vanished { uid: uid(&object), object, resource_version: "90".into(), proof: Proof::Deleted };
    scenario.when(Event::Vanished(gone));
    assert_eq!(wanted(&scenario), 0);
}

#[test]
fn an_invalid_selector_takes_no_mapping_away() {
    let mut scenario = two_peers();
    scenario.when(offloading(offloading_facts()));
    scenario.when(map("milan", "60", Some(REMOTE), Some("Accepted")));
    let mut selector = in_region("eu");
    selector[0].expressions[0].operator = "Like".to_owned();
    let effects = scenario.when(offloading(OffloadingFacts { selector, ..offloading_facts() }));
    assert_eq!(effects, Vec::new());
    assert!(scenario.state.rejected.get(&offloading_key("shop")).unwrap().body.reason.contains("Like"));
}

#[test]
fn a_peer_without_a_node_keeps_what_it_has() {
    let mut scenario = Scenario::settled()
        .given([namespace("shop", true), map("milan", "50", Some(REMOTE), Some("Accepted"))]);
    let effects =
        scenario.when(offloading(OffloadingFacts { remote_name: REMOTE.into(), ..offloading_facts() }));
    assert!(!effects.iter().any(Effect::is_destructive), "{effects:?}");
}

#[test]
fn phases_follow_from_what_the_maps_say() {
    for (milan, boston, expected) in [
        ("Accepted", "Accepted", "Ready"),
        ("Accepted", "CreationLoopBackOff", "SomeFailed"),
        ("CreationLoopBackOff", "CreationLoopBackOff", "AllFailed"),
        ("Accepted", "Terminating", "InProgress"),
    ] {
        let mut scenario = two_peers();
        scenario.when(offloading(offloading_facts()));
        scenario.when(map("milan", "60", Some(REMOTE), Some(milan)));
        let effects = scenario.when(map("boston", "61", Some(REMOTE), Some(boston)));
        assert_eq!(phase(&effects).0, expected, "{milan} {boston}");
    }
}

#[test]
fn the_remote_name_of_an_earlier_life_of_the_log_is_kept() {
    let mut scenario = two_peers();
    let facts = OffloadingFacts { remote_name: "shop-old".into(), ..offloading_facts() };
    let effects = scenario.when(offloading(facts));
    assert!(matches!(
        &effects[0],
        Effect::MapNamespace { remote: Some(remote), .. } if remote.as_str() == "shop-old"
    ));
}

#[test]
fn the_same_name_is_used_when_that_is_asked_for() {
    let facts = OffloadingFacts { mapping: MappingStrategy::EnforceSameName, ..offloading_facts() };
    let effects = two_peers().when(offloading(facts));
    assert!(
        matches!(&effects[0], Effect::MapNamespace { remote: Some(remote), .. } if remote.as_str() == "shop")
    );
}

#[test]
fn the_end_takes_everything_back_and_then_lets_go() {
    let mut scenario = two_peers();
    scenario.when(offloading(offloading_facts()));
    scenario.when(map("milan", "60", Some(REMOTE), Some("Accepted")));
    scenario.when(map("boston", "61", None, None));
    scenario.when(namespace("shop", true));
    let effects =
        scenario.when(deleting(offloading_key("shop"), "70", Facts::Offloading(offloading_facts())));
    let cause = scenario.state.objects.get(&offloading_key("shop")).unwrap().seen.0;
    assert_eq!(effects[0], Effect::SetScheduling { uid: uid(&namespace_key("shop")), enabled: false });
    // What was asked of boston may have been carried out.
    assert_eq!(effects[1], mapped("boston", None, &scenario, cause));
    assert_eq!(effects[2], mapped("milan", None, &scenario, cause));
    assert_eq!(phase(&effects).0, "Terminating");
    scenario.when(map("milan", "71", None, Some("Terminating")));
    scenario.succeed("80");
    scenario.when(map("boston", "81", None, None));
    // Nothing is left in the peers, but the label's end was not seen.
    assert_eq!(scenario.when(map("milan", "82", None, None)), vec![]);
    let unlabelled = Facts::Namespace(NamespaceFacts::default());
    let effects = scenario.when(applied(namespace_key("shop"), "83", unlabelled));
    assert_eq!(effects, vec![finalizer(false)]);
}

#[test]
fn a_command_that_may_have_been_carried_out_is_undone_before_the_end() {
    let mut scenario = two_peers();
    scenario.when(offloading(offloading_facts()));
    // Neither the label nor a mapping was seen, but both are under way.
    let effects =
        scenario.when(deleting(offloading_key("shop"), "70", Facts::Offloading(offloading_facts())));
    assert!(effects.contains(&Effect::SetScheduling { uid: uid(&namespace_key("shop")), enabled: false }));
    assert_eq!(effects.iter().filter(|effect| effect.is_destructive()).count(), 2);
    assert!(!effects.contains(&finalizer(false)), "{effects:?}");
}

#[test]
fn the_end_looks_at_the_label_once_more() {
    // Somebody may have put the label on, and the watch of namespaces is late.
    let facts = OffloadingFacts { pods: PodStrategy::Local, ..offloading_facts() };
    let mut scenario = Scenario::settled().given([namespace("shop", false)]);
    scenario.when(offloading(facts.clone()));
    scenario.succeed("31");
    let effects = scenario.when(deleting(offloading_key("shop"), "70", Facts::Offloading(facts)));
    assert_eq!(effects, [Effect::SetScheduling { uid: uid(&namespace_key("shop")), enabled: false }]);
    // There was nothing to be taken off: the namespace is as it was.
    scenario.succeed("20");
    let effects: Vec<Effect> = LiqoMachine::resume(&scenario.state)
        .into_iter()
        .filter_map(|output| match output {
            Output::Do(command) => Some(command.effect),
            Output::Record(_) => None,
        })
        .collect();
    assert_eq!(effects, [finalizer(false)]);
}

#[test]
fn an_answer_from_before_our_own_write_is_asked_for_once_more() {
    // The status of the offloading is ours: seeing it after the answer must not wait for a change that never comes.
    let facts = OffloadingFacts { pods: PodStrategy::Local, ..offloading_facts() };
    let mut scenario = Scenario::settled().given([namespace("shop", false)]);
    scenario.when(offloading(facts.clone()));
    scenario.succeed("31");
    scenario.when(deleting(offloading_key("shop"), "70", Facts::Offloading(facts.clone())));
    scenario.succeed("20");
    let terminating = OffloadingFacts { phase: "Terminating".to_owned(), ..facts };
    let effects = scenario.when(deleting(offloading_key("shop"), "71", Facts::Offloading(terminating)));
    let label = Effect::SetScheduling { uid: uid(&namespace_key("shop")), enabled: false };
    assert_eq!(effects, [label]);
}

#[test]
fn another_name_than_offloading_means_nothing() {
    let mut odd = applied_body(offloading_key("shop"), "30", Facts::Offloading(offloading_facts()));
    odd.object.name = "other".to_owned();
    assert_eq!(two_peers().when(Event::Applied(Applied { ..odd })), Vec::new());
}
