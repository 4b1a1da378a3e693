//! What is too much: decisions without end, objects without bounds, events that are nobody's to send.

use liqo_domain::{
    BATCH_EVENTS, CHECKPOINT_EVENTS, CHECKPOINT_MILLIS, OUTPUTS_AT_ONCE, REPLAN_MILLIS, Remark,
};
use liqo_events::{Applied, Event, Facts, IdentityChosen, NodeFacts, Seq};
use liqo_model::ResourceVersion;

use crate::desk::{Desk, last_of, targets, watch};
use crate::namespaces::namespace;

#[test]
fn a_machine_that_goes_in_circles_is_stopped_and_asked_again_later() {
    let mut desk = Desk::live();
    let applied = desk.applied("runaway", false);
    desk.observe([applied]);
    assert_eq!(desk.writer.pending(), OUTPUTS_AT_ONCE + 1);
    let tally = desk.writer.take_tally();
    assert_eq!(tally.decisions_cut, 1);
    let blamed = Seq(desk.writer.last().0);
    assert_eq!(tally.remarks, [Remark::DecisionsCut { seq: blamed }]);
    assert_eq!(desk.writer.next_tick(desk.now), Some(desk.now.monotonic + REPLAN_MILLIS));
    desk.settle();
    assert_eq!(desk.writer.dispatch(), []);
    // Everything is planned again, so what was cut is not stranded.
    desk.pass(REPLAN_MILLIS);
    desk.tick();
    assert_eq!(desk.writer.next_tick(desk.now), None);
    desk.settle();
    let last = desk.recorded().pop().unwrap();
    assert_eq!((last.event.name(), last.caused_by), ("CommandIssued", Some(blamed)));
    assert_eq!(targets(&desk.writer.dispatch()), ["runaway"]);
}

#[test]
fn the_plan_of_everything_may_be_as_large_as_the_state() {
    // Given more namespaces than may be planned at once, seen by a follower
    let mut desk = Desk::new();
    let namespaces = 3 * OUTPUTS_AT_ONCE;
    for number in 0..namespaces {
        let applied = desk.applied(&format!("shop-{number}"), false);
        desk.observe([applied]);
    }
    // When it goes live
    desk.gain(1);
    desk.accept(liqo_domain::Input::GoLive { epoch: 1 });
    desk.settle();
    // Then every one of them gets its choice and its command
    let state = desk.writer.state();
    assert_eq!((state.chosen.len(), state.outbox.len()), (namespaces, namespaces));
}

#[test]
fn an_object_that_is_too_large_is_recorded_as_such_once() {
    let mut desk = Desk::live();
    let large = |text: &str| -> Event {
        let labels = [("label".to_owned(), text.repeat(40_000))].into();
        let facts = Facts::Node(NodeFacts { labels, ..NodeFacts::default() });
        let Event::Applied(applied) = Desk::new().applied("large", true) else { panic!("it is applied") };
        Applied { facts, ..applied }.into()
    };
    desk.observe([large("a"), large("b")]);
    desk.settle();
    let (_, _, known) = desk.writer.state().objects.get(&namespace("large")).unwrap();
    let Facts::Oversized(bytes) = known.facts else { panic!("{:?}", known.facts) };
    assert!(bytes > 40_000);
    let tally = desk.writer.take_tally();
    assert_eq!(tally.oversized, 1);
    assert_eq!(tally.remarks, [Remark::Oversized { object: namespace("large"), bytes }]);
    // It is an object like others: a small one follows it.
    let small = desk.applied("large", true);
    desk.observe([small]);
    assert_eq!(desk.writer.pending(), 1);
}

#[test]
fn an_event_that_cannot_be_written_is_refused_and_leaves_no_gap() {
    let mut desk = Desk::live();
    let before = desk.writer.state().clone();
    let mut huge = watch();
    huge.selector = "x".repeat(40_000);
    let cursor = liqo_events::CursorMoved { watch: huge, resource_version: ResourceVersion::new("1") };
    desk.observe([cursor.into()]);
    assert_eq!((desk.writer.pending(), desk.writer.state()), (0, &before));
    let tally = desk.writer.take_tally();
    assert_eq!(tally.refused, 1);
    assert!(matches!(&tally.remarks[..], [Remark::Unrecordable { event, .. }] if event == "CursorMoved"));
    let applied = desk.applied("shop", true);
    desk.observe([applied]);
    desk.settle();
    assert_eq!(last_of(&desk.log), desk.writer.last());
}

#[test]
fn nobody_decides_from_outside() {
    let mut desk = Desk::live();
    desk.observe([IdentityChosen { id: "a".into(), name: "b".into() }.into()]);
    assert_eq!(desk.writer.pending(), 0);
    assert_eq!(desk.writer.take_tally().remarks, [Remark::NotObserved { event: "IdentityChosen" }]);
}

#[test]
fn checkpoints_come_by_number_and_by_time() {
    let mut desk = Desk::new();
    assert_eq!(desk.writer.next_checkpoint(), None, "nothing happened");
    let mut batches = 0;
    while desk.checkpoints.is_empty() {
        for _ in 0..BATCH_EVENTS {
            let update = desk.update(&format!("pod-{}", desk.writer.last()));
            desk.observe([update]);
        }
        desk.settle();
        batches += 1;
    }
    assert_eq!(batches, CHECKPOINT_EVENTS.div_ceil(u64::try_from(BATCH_EVENTS).unwrap()));
    let update = desk.update("late");
    desk.observe([update]);
    desk.settle();
    assert_eq!(desk.checkpoints.len(), 1);
    assert_eq!(desk.writer.next_checkpoint(), Some(desk.now.monotonic + CHECKPOINT_MILLIS));
    desk.pass(CHECKPOINT_MILLIS);
    desk.settle();
    assert_eq!(desk.checkpoints.len(), 2);
    assert_eq!(desk.writer.next_checkpoint(), None);
}
