//! Whatever happened, a replay gives the state that was, and the next process goes on from there.

use liqo_domain::{Checkpoint, Comparison, Disposition, Input, Outcome, Writer};
use liqo_events::{Envelope, Seq, StateDigest};
use proptest::prelude::*;

use crate::desk::{Desk, last_of, listed, succeeded, vanished};
use crate::namespaces::Namespaces;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Apply(usize, bool),
    Update(usize),
    Flood(usize),
    Vanish(usize),
    List(Vec<usize>),
    Cursor,
    Gain(u64),
    Lose(u64),
    GoLive(u64),
    /// Carries out what may leave, each with one of the ends.
    Act(u8),
    Pass(u32),
    WallJumps(i32),
    /// Cuts a batch and keeps it; with a checkpoint of the state.
    Keep(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..NAMES.len();
    let step = prop_oneof![
        4 => (name.clone(), any::<bool>()).prop_map(|(name, enabled)| Step::Apply(name, enabled)),
        2 => name.clone().prop_map(Step::Update),
        1 => name.clone().prop_map(Step::Flood),
        1 => name.clone().prop_map(Step::Vanish),
        1 => proptest::collection::vec(name, 0..4).prop_map(Step::List),
        1 => Just(Step::Cursor),
        2 => (1_u64..4).prop_map(Step::Gain),
        1 => (1_u64..4).prop_map(Step::Lose),
        3 => (1_u64..4).prop_map(Step::GoLive),
        3 => any::<u8>().prop_map(Step::Act),
        2 => (0_u32..70_000).prop_map(Step::Pass),
        1 => (-100_000..100_000).prop_map(Step::WallJumps),
        4 => any::<bool>().prop_map(Step::Keep),
    ];
    proptest::collection::vec(step, 0..60)
}

fn take(desk: &mut Desk, step: Step) {
    match step {
        Step::Apply(name, enabled) => {
            let event = desk.applied(NAMES[name], enabled);
            desk.observe([event]);
        }
        Step::Update(name) => {
            let event = desk.update(NAMES[name]);
            desk.observe([event]);
        }
        Step::Flood(name) => (0..70).for_each(|_| take(desk, Step::Update(name))),
        Step::Vanish(name) => desk.observe([vanished(NAMES[name])]),
        Step::List(names) => desk.accept(listed(&names.iter().map(|name| NAMES[*name]).collect::<Vec<_>>())),
        Step::Cursor => {
            let event = desk.cursor();
            desk.observe([event]);
        }
        Step::Gain(epoch) => desk.gain(epoch),
        Step::Lose(epoch) => desk.lose(epoch),
        Step::GoLive(epoch) => desk.accept(Input::GoLive { epoch }),
        Step::Act(end) => {
            for dispatch in desk.writer.dispatch() {
                desk.finish(&dispatch, ending(end));
            }
        }
        Step::Pass(millis) => {
            desk.pass(millis.into());
            desk.tick();
        }
        Step::WallJumps(millis) => desk.now.wall.0 += i64::from(millis),
        Step::Keep(checkpoint) => {
            desk.settle();
            if checkpoint {
                let checkpoint = desk.writer.checkpoint(desk.now).unwrap();
                desk.checkpoints.push(checkpoint);
            }
        }
    }
}

fn ending(end: u8) -> Outcome {
    let error = "refused".to_owned();
    match end % 4 {
        0 => succeeded(),
        1 => Outcome::Superseded { reason: "changed".to_owned() },
        2 => Outcome::Failed { disposition: Disposition::Park, error },
        _ => Outcome::Failed { disposition: Disposition::Retry { after: None }, error },
    }
}

proptest! {
    #[test]
    fn replay_from_any_snapshot_gives_equal_state(steps in steps()) {
        let mut desk = Desk::new();
        steps.into_iter().for_each(|step| take(&mut desk, step));
        desk.settle();
        // Given a log without gaps, whose time never goes back and whose causes come first
        let expected: Vec<Seq> = (1..=desk.writer.last().0).map(Seq).collect();
        prop_assert_eq!(desk.log.iter().map(|envelope| envelope.seq).collect::<Vec<_>>(), expected);
        prop_assert!(desk.log.iter().map(|envelope| envelope.recorded_at).is_sorted());
        let causes_come_before = |envelope: &Envelope| envelope.caused_by.is_none_or(|cause| cause < envelope.seq);
        prop_assert!(desk.log.iter().all(causes_come_before));
        // Then every way to replay it gives the same state
        for from in desk.checkpoints.iter().map(Some).chain([None]) {
            let replayed = desk.replayed(from);
            prop_assert_eq!(replayed.state(), desk.writer.state());
            prop_assert_eq!(replayed.comparison(), Comparison::Equal);
            prop_assert_eq!((replayed.last(), replayed.durable_seq()), (desk.writer.last(), desk.writer.last()));
        }
    }

    #[test]
    fn any_prefix_of_the_log_is_a_state_that_can_go_on(steps in steps(), cut in any::<proptest::sample::Index>()) {
        // Given a crash that leaves a prefix of the log
        let mut desk = Desk::new();
        steps.into_iter().for_each(|step| take(&mut desk, step));
        desk.settle();
        let left = cut.index(desk.log.len() + 1);
        desk.log.truncate(left);
        // When the next process sees the present world and leads
        let mut next = Desk::on(desk.replayed(None));
        next.now = desk.now;
        let events: Vec<_> = NAMES.iter().map(|name| next.applied(name, false)).collect();
        next.observe(events);
        next.accept(listed(&NAMES));
        next.gain(9);
        next.accept(Input::GoLive { epoch: 9 });
        // Then it converges: each namespace has its name and its command, and the log goes on without a gap
        next.settle();
        let state = next.writer.state();
        prop_assert_eq!((state.objects.len(), state.chosen.len(), state.outbox.len()), (4, 4, 4));
        let expected: Vec<Seq> = (1..=next.writer.last().0).map(Seq).collect();
        let found: Vec<Seq> = desk.log.iter().chain(&next.log).map(|envelope| envelope.seq).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_replay_that_differs_is_noticed_where_it_begins_and_written_down_anew() {
    let mut desk = Desk::live();
    for name in NAMES {
        let applied = desk.applied(name, false);
        desk.observe([applied]);
    }
    desk.settle();
    desk.log[4].state = StateDigest(1);
    desk.log[6].state = StateDigest(2);
    let mut next = Desk::on(desk.replayed(None));
    assert_eq!(next.writer.comparison(), Comparison::Differs(desk.log[4].seq));
    assert_eq!(next.writer.state(), desk.writer.state());
    let applied = next.applied("late", true);
    next.observe([applied]);
    next.settle();
    assert_eq!(next.checkpoints.len(), 1, "the next restart finds no difference");
}

#[test]
fn a_checkpoint_that_differs_is_noticed() {
    let desk = Desk::live();
    let mut writer = desk.replayed(None);
    let checkpoint = writer.checkpoint(desk.now).unwrap();
    let wrong = Checkpoint { digest: StateDigest(1), ..checkpoint };
    assert_eq!(
        Writer::<Namespaces>::from_checkpoint(wrong).unwrap().comparison(),
        Comparison::Differs(last_of(&desk.log))
    );
}

#[test]
fn a_missing_event_is_not_folded_over() {
    let mut desk = Desk::live();
    let applied = desk.applied("a", true);
    desk.observe([applied]);
    desk.settle();
    let mut writer = Writer::<Namespaces>::default();
    let second = desk.log[1].open().unwrap();
    assert_eq!(writer.replay(second, desk.log[1].state), Err(Seq::FIRST));
    assert_eq!(writer.last(), Seq::default());
}

#[test]
fn a_choice_is_never_made_again() {
    let mut desk = Desk::live();
    let applied = desk.applied("a", false);
    desk.observe([applied]);
    desk.settle();
    let chosen = desk.writer.state().chosen.clone();
    let mut next = Desk::on(desk.replayed(None));
    next.gain(2);
    next.accept(Input::GoLive { epoch: 2 });
    let update = next.update("a");
    next.observe([update]);
    next.settle();
    assert_eq!(next.writer.state().chosen, chosen);
}
