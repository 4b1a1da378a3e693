//! Deadlines fire on the monotonic clock, once.

use liqo_domain::{Disposition, Input, Outcome};
use liqo_events::{Event, UnixMillis};

use crate::desk::Desk;

/// A live writer with a command that failed and waits for its next try.
fn waiting() -> Desk {
    let mut desk = Desk::live();
    let applied = desk.applied("shop", false);
    desk.observe([applied]);
    desk.settle();
    let dispatch = desk.writer.dispatch().remove(0);
    let disposition = Disposition::Retry { after: None };
    desk.finish(&dispatch, Outcome::Failed { disposition, error: "timeout".to_owned() });
    desk.settle();
    desk
}

fn fired(desk: &Desk) -> usize {
    desk.names().iter().filter(|name| **name == "DeadlinePassed").count()
}

#[test]
fn a_deadline_fires_when_it_is_due_and_once() {
    let mut desk = waiting();
    let due = desk.writer.next_tick(desk.now).unwrap();
    desk.pass(due - desk.now.monotonic - 1);
    desk.tick();
    desk.settle();
    assert_eq!(fired(&desk), 0);
    desk.pass(1);
    desk.tick();
    desk.tick();
    desk.settle();
    assert_eq!(fired(&desk), 1);
    desk.pass(3_600_000);
    desk.tick();
    desk.settle();
    assert_eq!(fired(&desk), 1);
}

#[test]
fn the_wall_clock_moves_no_deadline_and_time_never_goes_back() {
    for jump in [-3_600_000, 86_400_000] {
        let mut desk = waiting();
        let due = desk.writer.next_tick(desk.now).unwrap();
        desk.now.wall = UnixMillis(desk.now.wall.0 + jump);
        assert_eq!(desk.writer.next_tick(desk.now), Some(due), "{jump}");
        desk.now.monotonic = due;
        desk.tick();
        desk.settle();
        assert_eq!(fired(&desk), 1, "{jump}");
        let times: Vec<UnixMillis> = desk.log.iter().map(|envelope| envelope.recorded_at).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn a_follower_fires_nothing_and_the_next_leader_catches_up() {
    let mut desk = waiting();
    desk.lose(1);
    assert_eq!(desk.writer.next_tick(desk.now), None);
    desk.pass(3_600_000);
    desk.tick();
    desk.settle();
    assert_eq!(fired(&desk), 0);
    desk.gain(2);
    desk.accept(Input::GoLive { epoch: 2 });
    desk.tick();
    desk.settle();
    assert_eq!(fired(&desk), 1);
}

#[test]
fn retries_are_state_and_survive_a_restart() {
    // Given a command that failed twice, and a process that ends
    let mut desk = waiting();
    let due = desk.writer.next_tick(desk.now).unwrap();
    desk.pass(due - desk.now.monotonic);
    desk.tick();
    desk.settle();
    let dispatch = desk.writer.dispatch().remove(0);
    let disposition = Disposition::Retry { after: None };
    desk.finish(&dispatch, Outcome::Failed { disposition, error: "timeout".to_owned() });
    desk.settle();
    let left = desk.writer.next_tick(desk.now).unwrap() - desk.now.monotonic;
    // When the next process leads 100 ms later, with a monotonic clock of its own
    let mut next = Desk::on(desk.replayed(None));
    next.now = liqo_domain::Moment { wall: desk.now.wall.plus(100), monotonic: 1 };
    next.gain(2);
    next.accept(Input::GoLive { epoch: 2 });
    next.settle();
    assert_eq!(next.writer.dispatch(), [], "it waits for its next try");
    // Then it waits for what is left, and counts on
    assert_eq!(next.writer.next_tick(next.now), Some(1 + left - 100));
    next.pass(left - 100);
    next.tick();
    next.settle();
    assert_eq!(next.writer.dispatch().iter().map(|dispatch| dispatch.attempt).collect::<Vec<_>>(), [3]);
}

#[test]
fn back_offs_grow_from_try_to_try() {
    let mut desk = waiting();
    let mut waits = Vec::new();
    for _ in 0..9 {
        let due = desk.writer.next_tick(desk.now).unwrap();
        waits.push(due - desk.now.monotonic);
        desk.pass(due - desk.now.monotonic);
        desk.tick();
        desk.settle();
        let dispatch = desk.writer.dispatch().remove(0);
        let disposition = Disposition::Retry { after: None };
        desk.finish(&dispatch, Outcome::Failed { disposition, error: "timeout".to_owned() });
        desk.settle();
    }
    for (wait, whole) in waits.iter().zip([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
        assert!((whole / 2..=whole).contains(wait), "{waits:?}");
    }
    let attempts: Vec<u32> = desk
        .recorded()
        .into_iter()
        .filter_map(|recorded| match recorded.event {
            Event::CommandFailed(failed) => Some(failed.attempt),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, (1..=10).collect::<Vec<_>>());
}
