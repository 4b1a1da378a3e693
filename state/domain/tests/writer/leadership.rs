//! Who may decide.

use liqo_domain::{Input, Leadership};
use liqo_events::Seq;

use crate::desk::{Desk, succeeded, targets};

#[test]
fn followers_never_decide() {
    let mut desk = Desk::new();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.pass(600_000);
    desk.tick();
    desk.settle();
    assert_eq!(desk.names(), ["Applied"]);
    assert_eq!(desk.writer.dispatch(), []);
}

#[test]
fn a_leader_decides_when_it_has_seen_everything_and_not_before() {
    let mut desk = Desk::new();
    let applied = desk.applied("shop", false);
    desk.gain(7);
    desk.observe([applied]);
    desk.settle();
    assert_eq!(desk.names(), ["LeaseGained", "Applied"]);
    desk.accept(Input::GoLive { epoch: 6 });
    assert_eq!(
        desk.writer.leadership(),
        Leadership::Leader { epoch: 7, since: Seq(1) },
        "that epoch is over"
    );
    desk.accept(Input::GoLive { epoch: 7 });
    desk.settle();
    assert_eq!(desk.names(), ["LeaseGained", "Applied", "RemoteNamespaceChosen", "CommandIssued"]);
    // What is planned then has the lease as its cause.
    assert_eq!(desk.recorded()[2].caused_by, Some(Seq(1)));
    assert_eq!(targets(&desk.writer.dispatch()), ["shop"]);
}

#[test]
fn plans_that_overlap_give_each_choice_and_each_command_once() {
    let mut desk = Desk::new();
    for name in ["a", "b", "c"] {
        let applied = desk.applied(name, false);
        desk.observe([applied]);
    }
    desk.gain(1);
    desk.accept(Input::GoLive { epoch: 1 });
    desk.settle();
    let names = desk.names();
    let count = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
    assert_eq!((count("RemoteNamespaceChosen"), count("CommandIssued")), (3, 3), "{names:?}");
}

#[test]
fn a_command_from_before_leaves_when_live_although_nothing_is_recorded() {
    // Given a leader that issued a command and lost its lease before it left
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.lose(1);
    desk.settle();
    assert_eq!(desk.writer.dispatch(), []);
    // When it leads again and has nothing new to decide
    desk.gain(3);
    desk.settle();
    let before = desk.writer.last();
    desk.accept(Input::GoLive { epoch: 3 });
    // Then the command leaves
    assert_eq!(desk.writer.last(), before);
    assert_eq!(targets(&desk.writer.dispatch()), ["shop"]);
}

#[test]
fn an_outcome_that_comes_after_the_lease_is_not_recorded() {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.settle();
    let dispatch = desk.writer.dispatch().remove(0);
    desk.lose(1);
    desk.finish(&dispatch, succeeded());
    desk.settle();
    assert!(!desk.names().contains(&"CommandSucceeded"));
    assert_eq!(desk.writer.take_tally().outcomes_late, 1);
    assert_eq!(desk.writer.state().outbox.len(), 1, "it is tried again by whoever leads");
}

#[test]
fn late_word_of_an_older_epoch_takes_no_lease_away() {
    let mut desk = Desk::new();
    desk.gain(4);
    desk.lose(3);
    assert_eq!(desk.writer.leadership().epoch(), Some(4));
    desk.lose(4);
    assert_eq!(desk.writer.leadership(), Leadership::Follower);
}

#[test]
fn a_replay_gives_no_lease() {
    let desk = Desk::live();
    assert_eq!(desk.replayed(None).leadership(), Leadership::Follower);
}
