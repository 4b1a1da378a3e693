//! What a watch shows once more, what is of another generation, and what may be gone on from.

use liqo_events::{
    Applied, CursorMoved, Effect, Event, Facts, LeaseGained, LeaseLost, Proof, RelistCompleted, Vanished,
    WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use super::scenario::{
    Scenario, applied, applied_body, generation, list_of, lists, namespace_key, offloading, offloading_facts,
    offloading_key, peer_facts, peer_key, uid,
};
use crate::{LiqoMachine, Machine, State};

const KINDS: [Kind; 6] = [
    Kind::ConfigMap,
    Kind::Namespace,
    Kind::Node,
    Kind::ForeignCluster,
    Kind::NamespaceOffloading,
    Kind::NamespaceMap,
];

fn gone(object: ObjectKey, version: &str) -> Event {
    let uid = uid(&object);
    Event::Vanished(Vanished { object, uid, resource_version: version.into(), proof: Proof::Deleted })
}

fn offloading_at(version: &str) -> Event {
    applied(offloading_key("shop"), version, Facts::Offloading(offloading_facts()))
}

fn cursor(version: &str) -> Event {
    let watch =
        WatchKey { cluster: ClusterRef::Local, kind: Kind::NamespaceOffloading, selector: String::new() };
    Event::CursorMoved(CursorMoved { watch, resource_version: version.into() })
}

fn is_news(scenario: &Scenario, event: &Event) -> bool {
    LiqoMachine::is_news(&scenario.state, event)
}

fn again(state: &State) -> State {
    let mut folded = State::default();
    LiqoMachine::compact(state).iter().for_each(|recorded| LiqoMachine::evolve(&mut folded, recorded));
    folded
}

#[test]
fn what_went_does_not_come_back_when_a_restarted_watch_shows_its_life_once_more() {
    let scenario = Scenario::settled().given([offloading_at("30"), gone(offloading_key("shop"), "34")]);
    assert!(!is_news(&scenario, &offloading_at("31")));
    assert!(is_news(&scenario, &offloading_at("35")), "made again");
    assert_eq!(again(&scenario.state), scenario.state);
}

#[test]
fn what_went_is_forgotten_when_no_watch_can_show_it_any_more() {
    let scenario = Scenario::settled().given([offloading_at("30"), gone(offloading_key("shop"), "34")]);
    assert_eq!(scenario.state.graves.len(), 1);
    assert_eq!(scenario.clone().given([cursor("33")]).state.graves.len(), 1);
    for end in [cursor("34"), generation(2), offloading_at("35")] {
        let state = scenario.clone().given([end.clone()]).state;
        assert!(state.graves.is_empty(), "{end:?}");
        assert_eq!(again(&state), state);
    }
}

#[test]
fn an_earlier_life_does_not_come_back_either() {
    let mut later = applied_body(offloading_key("shop"), "40", Facts::Offloading(offloading_facts()));
    later.uid = "another-life".into();
    let scenario = Scenario::settled().given([Event::Applied(later.clone())]);
    assert!(!is_news(&scenario, &offloading_at("31")));
    let next = Applied { uid: "a-third-life".into(), resource_version: "41".into(), ..later };
    assert!(is_news(&scenario, &Event::Applied(next)));
}

#[test]
fn a_list_of_an_earlier_generation_says_nothing() {
    let mut scenario = Scenario::settled().given([offloading(offloading_facts()), generation(2)]);
    let before = scenario.state.clone();
    scenario.when(list_of(Kind::NamespaceOffloading, 1));
    assert_eq!((&scenario.state.lists, &scenario.state.cursors), (&before.lists, &before.cursors));
    scenario.when(list_of(Kind::NamespaceOffloading, 2));
    assert_eq!((scenario.state.lists.len(), scenario.state.cursors.len()), (1, 1));
}

#[test]
fn the_newest_version_is_of_whatever_was_seen_of_a_kind_or_written_to_it() {
    let facts = Facts::ForeignCluster(peer_facts("rome-id"));
    let scenario = Scenario::settled().given([applied(peer_key("milan"), "30", facts)]);
    let newest = |scenario: &Scenario, kind| {
        scenario.state.newest_version(&ClusterRef::Local, kind).map(|version| version.as_str().to_owned())
    };
    assert_eq!(newest(&scenario, Kind::ForeignCluster).unwrap(), "30");
    assert_eq!(newest(&scenario, Kind::Node).unwrap(), "5", "of the list");
    assert_eq!(newest(&scenario, Kind::Pod), None);
    let scenario = scenario.given([gone(peer_key("milan"), "44")]);
    assert_eq!(newest(&scenario, Kind::ForeignCluster).unwrap(), "44");
    let mut written = scenario.given([applied(
        peer_key("turin"),
        "50",
        Facts::ForeignCluster(liqo_events::ForeignClusterFacts {
            labelled_id: "".into(),
            ..peer_facts("turin-id")
        }),
    )]);
    written = written.acted();
    written.succeed("61");
    assert_eq!(newest(&written, Kind::ForeignCluster).unwrap(), "61");
    // In another generation nothing of before has an order with what comes.
    assert_eq!(newest(&written.given([generation(2)]), Kind::ForeignCluster), None);
}

fn term(epoch: u64, continued: bool) -> Event {
    Event::LeaseGained(LeaseGained { epoch, continued })
}

#[test]
fn only_an_epoch_whose_holder_saw_everything_can_be_gone_on_from() {
    let resumable = |scenario: &Scenario| scenario.state.resumable_epoch(&KINDS);
    let gained = Scenario::settled().given([term(7, false)]);
    assert_eq!(resumable(&gained), None, "nothing was listed since");
    let looked = gained.clone().given(lists(1));
    assert_eq!(resumable(&looked), Some(7));
    assert_eq!(resumable(&gained.given(lists(1).into_iter().take(5))), None, "maps were not listed");
    assert_eq!(resumable(&looked.clone().given([term(8, true)])), Some(8));
    assert_eq!(resumable(&looked.clone().given([Event::LeaseLost(LeaseLost { epoch: 7 })])), None);
    assert_eq!(resumable(&looked.given([generation(2)])), None);
}

#[test]
fn what_was_to_be_done_is_decided_anew_when_somebody_else_may_have_acted() {
    let facts = Facts::Namespace(liqo_events::NamespaceFacts::default());
    let planned = || {
        let mut scenario = Scenario::settled().given([applied(namespace_key("shop"), "20", facts.clone())]);
        scenario.when(offloading(offloading_facts()));
        assert!(!scenario.state.outbox.is_empty());
        scenario
    };
    assert_eq!(planned().given([term(7, true)]).state.outbox, planned().state.outbox);
    let mut scenario = planned().given([term(7, false)]);
    assert!(scenario.state.outbox.is_empty());
    // The offloading went while another process led, and a list shows that.
    let object = offloading_key("shop");
    let absent = Vanished {
        uid: uid(&object),
        object,
        resource_version: "90".into(),
        proof: Proof::AbsentFromList { generation: 1 },
    };
    let listed = lists(1).into_iter().map(|list| match list {
        Event::RelistCompleted(list) => {
            Event::RelistCompleted(RelistCompleted { resource_version: "90".into(), ..list })
        }
        other => other,
    });
    scenario = scenario.given([Event::Vanished(absent)]).given(listed).acted();
    let pending = scenario.state.outbox.iter().map(|(_, pending)| &pending.command.effect);
    let stale: Vec<&Effect> =
        pending.filter(|effect| matches!(effect, Effect::SetScheduling { .. })).collect();
    assert_eq!(stale, Vec::<&Effect>::new());
}
