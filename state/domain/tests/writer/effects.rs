//! When commands leave: never before what justifies them is durable.

use std::time::Duration;

use liqo_domain::{Disposition, IN_FLIGHT, Outcome};
use liqo_events::Seq;

use crate::desk::{Desk, succeeded, targets, vanished};
use crate::namespaces::namespace;

fn failed() -> Outcome {
    Outcome::Failed { disposition: Disposition::Retry { after: None }, error: "conflict".to_owned() }
}

#[test]
fn an_observation_its_choice_and_its_command_are_one_batch() {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    let batch = desk.cut();
    let recorded: Vec<_> = batch.envelopes.iter().map(|envelope| envelope.open().unwrap()).collect();
    let lines: Vec<_> =
        recorded.iter().map(|recorded| (recorded.seq.0, recorded.event.name(), recorded.caused_by)).collect();
    let expected = [
        (2, "Applied", None),
        (3, "RemoteNamespaceChosen", Some(Seq(2))),
        (4, "CommandIssued", Some(Seq(3))),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn no_effect_leaves_before_its_events_are_durable() {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    assert_eq!(desk.writer.dispatch(), []);
    let batch = desk.cut();
    assert_eq!(desk.writer.dispatch(), [], "it is only on its way to the disk");
    desk.keep(batch);
    assert_eq!(targets(&desk.writer.dispatch()), ["shop"]);
    assert_eq!(desk.writer.dispatch(), [], "it left already");
}

#[test]
fn what_a_later_batch_brings_waits_while_an_earlier_one_is_durable() {
    let mut desk = Desk::live();
    let (first, second) = (desk.applied("first", false), desk.applied("second", false));
    desk.observe([first]);
    let batch = desk.cut();
    desk.observe([second]);
    desk.keep(batch);
    assert_eq!(targets(&desk.writer.dispatch()), ["first"]);
    desk.settle();
    assert_eq!(targets(&desk.writer.dispatch()), ["second"]);
}

#[test]
fn a_command_that_is_not_wanted_any_more_does_not_leave() {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    let batch = desk.cut();
    desk.observe([vanished("shop")]);
    desk.keep(batch);
    assert_eq!(desk.writer.dispatch(), [], "it was ready in the batch that is durable, and is not now");
}

#[test]
fn the_next_try_waits_for_its_own_reasons_to_be_durable() {
    // Given a command that failed while the log is slow
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.settle();
    let dispatch = desk.writer.dispatch().remove(0);
    assert_eq!(dispatch.attempt, 1);
    // When the failure and the end of the back-off are in memory and not on the disk
    desk.finish(&dispatch, failed());
    desk.pass(1_000);
    desk.tick();
    // Then it does not leave
    assert_eq!(desk.writer.dispatch(), []);
    let batch = desk.cut();
    assert_eq!(desk.writer.dispatch(), []);
    desk.keep(batch);
    let again = desk.writer.dispatch();
    assert_eq!(again.iter().map(|dispatch| dispatch.attempt).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_command_that_is_given_again_waits_for_its_new_reasons_to_be_durable() {
    // Given a command whose reasons are durable, and that did not leave
    let mut desk = Desk::live();
    let (first, second) = (desk.applied("again", false), desk.applied("again", false));
    desk.observe([first]);
    desk.settle();
    let before = desk.writer.dispatch();
    desk.writer.give_back(before[0].command.id);
    // When what it was for goes and comes back, and the same command is given once more
    desk.observe([vanished("again"), second]);
    assert_eq!(desk.writer.dispatch(), []);
    let batch = desk.cut();
    assert_eq!(desk.writer.dispatch(), [], "the reasons of before are not those of now");
    desk.keep(batch);
    assert_eq!(desk.writer.dispatch(), before);
}

#[test]
fn commands_under_way_are_bounded_and_one_a_target() {
    let mut desk = Desk::live();
    for number in 0..IN_FLIGHT + 10 {
        let applied = desk.applied(&format!("shop-{number:03}"), false);
        desk.observe([applied]);
    }
    desk.settle();
    let first = desk.writer.dispatch();
    assert_eq!(first.len(), IN_FLIGHT);
    assert_eq!(desk.writer.dispatch(), []);
    desk.finish(&first[0], succeeded());
    desk.settle();
    assert_eq!(targets(&desk.writer.dispatch()), [format!("shop-{IN_FLIGHT:03}")]);
}

#[test]
fn two_writes_to_one_object_never_overlap() {
    // Given a write to an object that goes and comes back meanwhile
    let mut desk = Desk::live();
    let (before, after) = (desk.applied("shop", false), desk.applied("shop", false));
    desk.observe([before]);
    desk.settle();
    let first = desk.writer.dispatch().remove(0);
    desk.observe([vanished("shop"), after]);
    desk.settle();
    // Then the next write to it waits for the end of the first
    assert_eq!(desk.writer.dispatch(), []);
    desk.finish(&first, succeeded());
    let second = desk.writer.dispatch().remove(0);
    assert_eq!(second.command.slot, first.command.slot);
    assert_ne!(second.command.id, first.command.id);
}

#[test]
fn what_did_not_leave_after_all_may_leave_again() {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.settle();
    let withheld = desk.writer.dispatch();
    desk.writer.give_back(withheld[0].command.id);
    assert_eq!(desk.writer.dispatch(), withheld);
}

#[test]
fn every_end_of_a_command_is_an_event() {
    let ends = [
        (succeeded(), "CommandSucceeded"),
        (Outcome::Superseded { reason: "another uid".to_owned() }, "CommandSuperseded"),
        (failed(), "CommandFailed"),
        (Outcome::Failed { disposition: Disposition::Park, error: "forbidden".to_owned() }, "CommandFailed"),
        (
            Outcome::Failed { disposition: Disposition::Fatal, error: "no identity".to_owned() },
            "CommandFailed",
        ),
    ];
    for (outcome, name) in ends {
        let mut desk = Desk::live();
        let applied = desk.applied("shop", false);
        desk.observe([applied]);
        desk.settle();
        let dispatch = desk.writer.dispatch().remove(0);
        desk.finish(&dispatch, outcome.clone());
        assert_eq!(desk.writer.in_flight(), 0);
        desk.settle();
        assert!(desk.names().contains(&name), "{outcome:?}");
        desk.finish(&dispatch, outcome);
        assert_eq!(desk.writer.pending(), 0, "it ended before");
    }
}

#[test]
fn the_wish_of_the_other_side_is_waited_for_within_bounds() {
    for (wish, least, most) in [(2_u64, 2_000, 2_000), (0, 250, 500), (86_400, 600_000, 600_000)] {
        let mut desk = Desk::live();
        let applied = desk.applied("shop", false);
        desk.observe([applied]);
        desk.settle();
        let dispatch = desk.writer.dispatch().remove(0);
        let after = Some(Duration::from_secs(wish));
        let outcome = Outcome::Failed {
            disposition: Disposition::Retry { after },
            error: "too many requests".to_owned(),
        };
        desk.finish(&dispatch, outcome);
        let next = desk.writer.next_tick(desk.now).unwrap() - desk.now.monotonic;
        assert!((least..=most).contains(&next), "{wish} s: {next} ms");
    }
}

#[test]
fn a_parked_command_waits_for_a_change_of_its_object() {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.settle();
    let dispatch = desk.writer.dispatch().remove(0);
    desk.finish(&dispatch, Outcome::Failed { disposition: Disposition::Park, error: "forbidden".to_owned() });
    desk.settle();
    desk.pass(3_600_000);
    desk.tick();
    desk.settle();
    assert_eq!(desk.writer.dispatch(), []);
    let update = desk.update("shop");
    desk.observe([update]);
    desk.settle();
    assert_eq!(targets(&desk.writer.dispatch()), [namespace("shop").name]);
}
