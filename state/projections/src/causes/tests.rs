//! Explanations over small logs.

use liqo_events::{
    Applied, BodyDigest, Command, CommandFailed, CommandIssued, CommandSucceeded, Deadline, DeadlinePassed,
    Disposition, Effect, Event, Facts, LeaseGained, Slot, UnixMillis,
};
use liqo_model::{Kind, ObjectKey};
use proptest::prelude::*;

use super::*;

fn object(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name)
}

fn id(number: u8) -> CommandId {
    CommandId([number; 16])
}

fn slot(name: &str) -> Slot {
    Slot { object: object(name), part: "status".into() }
}

fn applied(name: &str, version: &str) -> Event {
    Event::Applied(Applied {
        object: object(name),
        uid: "u".into(),
        resource_version: version.into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts: Facts::Presence,
        coalesced: 0,
    })
}

fn issued(number: u8, name: &str) -> Event {
    let effect = Effect::SetScheduling { uid: "u".into(), enabled: true };
    CommandIssued { command: Command { id: id(number), slot: slot(name), effect } }.into()
}

fn succeeded(number: u8, name: &str, version: &str) -> Event {
    let (id, slot) = (id(number), slot(name));
    CommandSucceeded { id, slot, effect: 0, resource_version: version.into(), destructive: false }.into()
}

fn failed(number: u8) -> Event {
    let disposition = Disposition::Retry { after_millis: 100 };
    CommandFailed { id: id(number), attempt: 1, disposition, error: "x".into() }.into()
}

fn retry(number: u8) -> Event {
    DeadlinePassed { deadline: Deadline::Retry(id(number)) }.into()
}

/// A trace that looked at these events, numbered from 1, each with its cause.
fn looked(subject: Subject, events: impl IntoIterator<Item = (u64, Event)>) -> Trace {
    let mut trace = Trace::new(subject);
    for (seq, (cause, event)) in (1..).zip(events) {
        let caused_by = Some(cause).filter(|cause| *cause != 0).map(Seq);
        trace.look_at(&Recorded { seq: Seq(seq), recorded_at: UnixMillis(0), caused_by, event });
    }
    trace
}

fn about(name: &str) -> Subject {
    Subject::Object(object(name).to_string().parse().unwrap())
}

fn step(seq: u64, depth: u32, relation: Relation) -> Step {
    Step { seq: Seq(seq), depth, relation, asked: false }
}

fn asked(step: Step) -> Step {
    Step { asked: true, ..step }
}

/// A wish, a command that failed once, its success, and the object as a watch shows it then.
fn story() -> Vec<(u64, Event)> {
    vec![
        (0, applied("milan", "10")),
        (1, issued(1, "milan")),
        (0, applied("rome", "11")),
        (2, failed(1)),
        (0, retry(1)),
        (0, succeeded(1, "milan", "12")),
        (0, applied("milan", "12")),
    ]
}

#[test]
fn an_echo_leads_to_the_wish_behind_it() {
    let explanation = looked(about("milan"), story()).explain(16).unwrap();
    let steps = vec![
        step(1, 0, Relation::Origin),
        step(2, 1, Relation::Caused),
        step(4, 2, Relation::Outcome),
        step(5, 2, Relation::Outcome),
        step(6, 2, Relation::Outcome),
        asked(step(7, 3, Relation::Echo)),
    ];
    assert_eq!(explanation, Explanation { steps, omitted: 0, searched_from: Seq(1) });
}

#[test]
fn a_command_and_an_event_can_be_asked_for() {
    let by_command = looked(Subject::Command(id(1)), story()).explain(16).unwrap();
    assert_eq!(by_command.steps.iter().find(|step| step.asked).unwrap().seq, Seq(6));
    let by_event = looked(Subject::Event(Seq(3)), story()).explain(16).unwrap();
    assert_eq!(by_event.steps, [asked(step(3, 0, Relation::Origin))]);
}

#[test]
fn nothing_about_it_is_nothing() {
    assert_eq!(looked(about("paris"), story()).explain(16), None);
    assert_eq!(looked(about("milan"), []).explain(16), None);
}

#[test]
fn a_command_that_found_everything_done_is_no_author() {
    // given an object whose version stays, because the command changed nothing
    let log = [(0, applied("milan", "10")), (1, issued(1, "milan")), (2, succeeded(1, "milan", "10"))];
    // when the observation is explained, then it came from outside
    let explanation = looked(Subject::Event(Seq(1)), log).explain(16).unwrap();
    let steps =
        [asked(step(1, 0, Relation::Origin)), step(2, 1, Relation::Caused), step(3, 2, Relation::Outcome)];
    assert_eq!(explanation.steps, steps);
}

#[test]
fn the_depth_cuts_up_and_down() {
    let explanation = looked(Subject::Event(Seq(2)), story()).explain(1).unwrap();
    let depths: Vec<u64> = explanation.steps.iter().map(|step| step.seq.0).collect();
    assert_eq!(depths, [1, 2, 4, 5, 6]);
    let explanation = looked(Subject::Event(Seq(7)), story()).explain(1).unwrap();
    assert_eq!(explanation.steps, [step(6, 0, Relation::Cut), asked(step(7, 1, Relation::Echo))]);
}

#[test]
fn what_was_forgotten_is_said_to_be_cut() {
    let mut trace = Trace { most_links: 3, ..Trace::new(about("milan")) };
    for (seq, (cause, event)) in
        (1..).zip([(0, applied("milan", "1")), (1, issued(1, "milan")), (0, failed(9))])
    {
        let caused_by = Some(Seq(cause)).filter(|cause| cause.0 != 0);
        trace.look_at(&Recorded { seq: Seq(seq), recorded_at: UnixMillis(0), caused_by, event });
    }
    let event = LeaseGained { epoch: 1, continued: false }.into();
    trace.look_at(&Recorded { seq: Seq(4), recorded_at: UnixMillis(0), caused_by: None, event });
    let explanation = trace.explain(16).unwrap();
    assert_eq!(explanation.steps, [asked(step(2, 0, Relation::Cut))]);
    assert_eq!(explanation.searched_from, Seq(2));
}

#[test]
fn a_flood_of_consequences_is_counted_and_what_was_asked_for_is_kept() {
    let many = 2 * MOST_STEPS as u64;
    let lease: Event = LeaseGained { epoch: 1, continued: false }.into();
    let log = std::iter::once((0, lease)).chain((0..many).map(|_| (1, issued(7, "rome"))));
    let log = log.chain([(1, issued(1, "milan")), (0, succeeded(1, "milan", "9"))]);
    let explanation = looked(about("milan"), log).explain(16).unwrap();
    assert_eq!(explanation.steps.len(), MOST_STEPS);
    assert_eq!(explanation.omitted, many + 3 - MOST_STEPS as u64);
    let last: Vec<u64> = explanation.steps.iter().rev().take(2).map(|step| step.seq.0).collect();
    assert_eq!(last, [many + 3, many + 2]);
}

proptest! {
    /// Whatever a log says of its causes: an explanation has what was asked for once, each step below another, and ends.
    #[test]
    fn every_log_is_explained(
        log in proptest::collection::vec((0_u64..24, 0_u8..5, 0_u8..4, 0_u8..3), 1..24),
        wanted in 1_u64..24,
        depth in 0_u32..100,
    ) {
        let events = log.iter().map(|(cause, sort, number, version)| {
            let (name, version) = (format!("c{number}"), version.to_string());
            let event = match sort {
                0 => applied(&name, &version),
                1 => issued(*number, &name),
                2 => succeeded(*number, &name, &version),
                3 => failed(*number),
                _ => retry(*number),
            };
            (*cause, event)
        });
        let explanation = looked(Subject::Event(Seq(wanted)), events).explain(depth);
        prop_assert_eq!(explanation.is_some(), wanted <= log.len() as u64);
        if let Some(Explanation { steps, .. }) = explanation {
            prop_assert_eq!(steps.iter().filter(|step| step.asked).count(), 1);
            let distinct: std::collections::BTreeSet<Seq> = steps.iter().map(|step| step.seq).collect();
            prop_assert_eq!(distinct.len(), steps.len());
            let mut before = None;
            for step in &steps {
                prop_assert!(before.map_or(step.depth == 0, |depth| step.depth >= 1 && step.depth <= depth + 1));
                before = Some(step.depth);
            }
        }
    }
}
