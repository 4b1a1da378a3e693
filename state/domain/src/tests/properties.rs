//! What holds for every log.

use liqo_events::{
    CommandIssued, Configured, ControlPlaneSettings, Deadline, DeadlinePassed, Event, Recorded, Settings,
};
use liqo_model::Kind;
use proptest::prelude::*;

use super::arbitrary::{events, peer_lists};
use super::scenario::{Scenario, list_of};
use crate::{LiqoMachine, Machine, Output, State, effect_hash};

fn fold(events: &[Recorded]) -> State {
    let mut state = State::default();
    for event in events {
        LiqoMachine::evolve(&mut state, event);
    }
    state
}

fn derived_equals(one: &State, other: &State) {
    assert_eq!(one.derived.slots, other.derived.slots);
    assert_eq!(one.derived.deadlines, other.derived.deadlines);
    assert_eq!(one.derived.awaited, other.derived.awaited);
    assert_eq!(one.derived.account, other.derived.account);
    assert_eq!(one.derived.about, other.derived.about);
    assert_eq!(one.derived.mapped, other.derived.mapped);
}

/// An outcome of a command that was really given.
fn aimed(mut event: Event, state: &State) -> Event {
    let Some((id, pending)) = state.outbox.iter().next() else { return event };
    match &mut event {
        Event::CommandSucceeded(done) => {
            (done.id, done.slot) = (*id, pending.command.slot.clone());
            done.effect = effect_hash(&pending.command.effect);
        }
        Event::CommandSuperseded(done) => done.id = *id,
        Event::CommandFailed(failed) => failed.id = *id,
        Event::DeadlinePassed(DeadlinePassed { deadline: Deadline::Retry(of) }) => *of = *id,
        _ => {}
    }
    event
}

/// Records what the machine wants until it wants nothing more.
fn quiesce(scenario: &mut Scenario) -> usize {
    for round in 0..50 {
        let outputs = LiqoMachine::resume(&scenario.state);
        if outputs.is_empty() {
            return round;
        }
        for output in outputs {
            let event = match output {
                Output::Record(event) => event,
                Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
            };
            let cause = scenario.log.last().map(|last| last.seq);
            scenario.record(event, cause);
        }
    }
    panic!("the machine wants more for ever: {:?}", LiqoMachine::resume(&scenario.state));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replaying_a_log_from_any_snapshot_gives_equal_state(events in events(), cut in any::<prop::sample::Index>()) {
        let scenario = Scenario::default().given(events);
        let cut = cut.index(scenario.log.len() + 1);
        let snapshot = LiqoMachine::compact(&fold(&scenario.log[..cut]));
        let mut state = fold(&snapshot);
        prop_assert_eq!(LiqoMachine::digest(&state), LiqoMachine::digest(&fold(&scenario.log[..cut])));
        for event in &scenario.log[cut..] {
            LiqoMachine::evolve(&mut state, event);
        }
        prop_assert_eq!(&state, &scenario.state);
        prop_assert_eq!(state.digest(), scenario.state.digest());
        derived_equals(&state, &scenario.state);
    }

    #[test]
    fn evolve_and_decide_take_every_log(events in events()) {
        let mut scenario = Scenario::default();
        for event in events {
            scenario.record(event, None);
            let last = scenario.log.last().unwrap().clone();
            LiqoMachine::decide(&scenario.state, &last);
            LiqoMachine::next_deadline(&scenario.state);
            LiqoMachine::ready(&scenario.state);
        }
    }

    #[test]
    fn planning_comes_to_rest(events in events()) {
        let mut scenario = Scenario::default().given(events);
        prop_assert!(quiesce(&mut scenario) < 10);
    }

    #[test]
    fn the_edge_plans_no_less_than_the_level(events in events()) {
        // After every event is decided on, planning everything finds nothing that was missed.
        let settings = ControlPlaneSettings { sharing_percentage: 50, incoming: true, ..Default::default() };
        let configured = Configured { settings: Settings::ControlPlane(settings) };
        let mut scenario = Scenario::settled()
            .given(Kind::ALL.iter().map(|kind| list_of(*kind, 1)))
            .given(peer_lists())
            .given([Event::Configured(configured)]);
        quiesce(&mut scenario);
        for event in events {
            let event = aimed(event, &scenario.state);
            // What the machine alone records does not come from outside.
            let own = matches!(event, Event::CommandIssued(_) | Event::OrphanNoticed(_));
            if own || !LiqoMachine::is_news(&scenario.state, &event) {
                continue;
            }
            let gained = matches!(event, Event::LeaseGained(_));
            scenario.when(event);
            if gained {
                // Everything is planned anew when that has been seen.
                quiesce(&mut scenario);
            }
            let missed = LiqoMachine::resume(&scenario.state);
            prop_assert!(missed.is_empty(), "{:?}\nafter {:?}", missed, scenario.log.last());
        }
    }

    #[test]
    fn an_observation_seen_twice_is_no_news(events in events()) {
        let mut scenario = Scenario::default();
        for event in events {
            let observed = matches!(event, Event::Applied(_));
            let news = LiqoMachine::is_news(&scenario.state, &event);
            if observed && news {
                scenario.record(event.clone(), None);
                let awaited = scenario.state.derived.awaited.values().flatten().next().is_some();
                prop_assert!(awaited || !LiqoMachine::is_news(&scenario.state, &event));
            } else {
                scenario.record(event, None);
            }
        }
    }
}
