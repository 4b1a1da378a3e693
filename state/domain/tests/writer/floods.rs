//! Objects that change all the time.

use liqo_domain::{SUBJECTS, UPDATES_A_WINDOW, WINDOW_MILLIS};
use liqo_events::{Applied, Event};

use crate::desk::{Desk, is_about, listed, vanished};
use crate::namespaces::namespace;

/// Updates of a namespace until some are held back.
fn flood(desk: &mut Desk, name: &str, updates: u32) -> Vec<Event> {
    (0..updates)
        .map(|_| {
            let update = desk.update(name);
            desk.observe([update.clone()]);
            update
        })
        .collect()
}

fn updates(desk: &Desk) -> Vec<Applied> {
    let events = desk.recorded().into_iter().map(|recorded| recorded.event);
    events
        .filter_map(|event| if let Event::Applied(applied) = event { Some(applied) } else { None })
        .collect()
}

#[test]
fn a_flood_of_100_000_updates_is_a_few_events_and_the_last_value() {
    let mut desk = Desk::live();
    let mut sent = 0_u32;
    let mut last = None;
    for _ in 0..10 {
        last = flood(&mut desk, "busy", 10_000).pop();
        sent += 10_000;
        desk.pass(6_000);
    }
    desk.pass(WINDOW_MILLIS);
    desk.tick();
    desk.settle();
    let recorded = updates(&desk);
    assert_eq!(recorded.len(), usize::try_from(UPDATES_A_WINDOW).unwrap() + 1);
    let counted: u32 = recorded.iter().map(|applied| applied.coalesced + 1).sum();
    assert_eq!(counted, sent, "no update is uncounted");
    let (Some(Event::Applied(last)), Some(kept)) = (last, recorded.last()) else { panic!("no update") };
    assert_eq!(kept.facts, last.facts);
    let tally = desk.writer.take_tally();
    assert_eq!((tally.news, tally.coalesced), (60 + 1, u64::from(sent) - 60), "the lease is news as well");
}

#[test]
fn a_window_ends_by_itself_and_the_next_one_begins_with_what_was_held() {
    let mut desk = Desk::live();
    flood(&mut desk, "busy", UPDATES_A_WINDOW + 5);
    assert_eq!(desk.writer.next_tick(desk.now), Some(desk.now.monotonic + WINDOW_MILLIS));
    desk.pass(WINDOW_MILLIS);
    desk.tick();
    assert_eq!(desk.writer.next_tick(desk.now), None);
    flood(&mut desk, "busy", UPDATES_A_WINDOW + 5);
    desk.settle();
    // 60 and the last of the first window, which is the first of 60 in the second.
    assert_eq!(updates(&desk).len(), 60 + 1 + 59);
}

#[test]
fn updates_that_say_nothing_new_are_dropped_and_not_counted() {
    let mut desk = Desk::live();
    for _ in 0..1_000 {
        let applied = desk.applied("quiet", true);
        desk.observe([applied]);
    }
    desk.settle();
    let tally = desk.writer.take_tally();
    assert_eq!((updates(&desk).len(), tally.unchanged, tally.coalesced), (1, 999, 0));
}

#[test]
fn a_flood_that_ends_where_it_began_ends_there() {
    let mut desk = Desk::live();
    let calm = desk.applied("busy", true);
    flood(&mut desk, "busy", UPDATES_A_WINDOW - 1);
    desk.observe([calm]);
    flood(&mut desk, "busy", 5);
    // The state says this already, but what is held does not.
    let calm = desk.applied("busy", true);
    desk.observe([calm.clone()]);
    desk.pass(WINDOW_MILLIS);
    desk.tick();
    desk.settle();
    let (Event::Applied(calm), Some((_, _, known))) =
        (calm, desk.writer.state().objects.get(&namespace("busy")))
    else {
        panic!("it is known")
    };
    assert_eq!(known.facts, calm.facts);
}

#[test]
fn a_late_echo_is_not_the_last_word() {
    let mut desk = Desk::live();
    let echo = desk.update("busy");
    let last = flood(&mut desk, "busy", UPDATES_A_WINDOW + 3).pop().unwrap();
    desk.observe([echo]);
    desk.pass(WINDOW_MILLIS);
    desk.tick();
    desk.settle();
    let (Some(kept), Event::Applied(last)) = (updates(&desk).pop(), last) else { panic!("no update") };
    assert_eq!((kept.facts, kept.coalesced), (last.facts, 3));
}

#[test]
fn what_was_seen_last_is_recorded_before_the_end() {
    let mut desk = Desk::live();
    let last = flood(&mut desk, "busy", UPDATES_A_WINDOW + 3).pop().unwrap();
    desk.observe([vanished("busy")]);
    desk.settle();
    let end = desk.recorded().into_iter().rev().take(2).map(|recorded| recorded.event).collect::<Vec<_>>();
    assert_eq!(end[0], vanished("busy"));
    let (Event::Applied(kept), Event::Applied(last)) = (&end[1], last) else { panic!("{end:?}") };
    assert_eq!((&kept.facts, kept.coalesced), (&last.facts, 2));
}

#[test]
fn a_cursor_never_passes_an_update_that_is_held() {
    let mut desk = Desk::live();
    flood(&mut desk, "busy", UPDATES_A_WINDOW + 3);
    let (calm, cursor) = (desk.applied("calm", true), desk.cursor());
    desk.observe([calm, cursor.clone()]);
    desk.settle();
    assert!(!desk.names().contains(&"CursorMoved"), "a crash would lose the update that is held");
    desk.pass(WINDOW_MILLIS);
    desk.tick();
    desk.settle();
    let end: Vec<_> = desk.recorded().into_iter().rev().take(2).map(|recorded| recorded.event).collect();
    assert_eq!(end[0], cursor);
    assert!(is_about(&end[1], &namespace("busy")), "{end:?}");
}

#[test]
fn a_list_comes_after_everything_that_its_watch_has_said() {
    let mut desk = Desk::live();
    flood(&mut desk, "busy", UPDATES_A_WINDOW + 3);
    desk.accept(listed(&["busy"]));
    desk.settle();
    let end: Vec<_> = desk.recorded().into_iter().rev().take(2).map(|recorded| recorded.event).collect();
    assert_eq!(end[0].name(), "RelistCompleted");
    assert!(is_about(&end[1], &namespace("busy")));
    desk.pass(WINDOW_MILLIS);
    desk.tick();
    assert_eq!(desk.writer.pending(), 0, "nothing is held any more");
}

#[test]
fn what_is_not_in_a_list_has_vanished() {
    let mut desk = Desk::live();
    let (first, second) = (desk.applied("first", true), desk.applied("second", true));
    desk.observe([first, second]);
    desk.accept(listed(&["second"]));
    desk.settle();
    let names = desk.names();
    assert_eq!(names[names.len() - 2..], ["Vanished", "RelistCompleted"]);
    assert_eq!(
        desk.writer.state().objects.iter().map(|(key, _)| key).collect::<Vec<_>>(),
        [&namespace("second")]
    );
}

#[test]
fn floods_of_many_objects_are_let_through_and_not_remembered_for_ever() {
    let mut desk = Desk::live();
    for number in 0..SUBJECTS + 500 {
        let update = desk.update(&format!("pod-{number}"));
        desk.observe([update]);
    }
    desk.settle();
    assert_eq!(updates(&desk).len(), SUBJECTS + 500);
    assert_eq!(desk.writer.next_tick(desk.now), None);
}

#[test]
fn nothing_is_held_at_the_end() {
    let mut desk = Desk::live();
    let last = flood(&mut desk, "busy", UPDATES_A_WINDOW + 3).pop().unwrap();
    let batch = desk.writer.close(desk.now).unwrap();
    assert_eq!(batch.checkpoint.as_ref().map(|checkpoint| checkpoint.at), Some(batch.last));
    desk.keep(batch);
    let (Some(kept), Event::Applied(last)) = (updates(&desk).pop(), last) else { panic!("no update") };
    assert_eq!(kept.facts, last.facts);
    assert_eq!(desk.writer.close(desk.now), None);
}
