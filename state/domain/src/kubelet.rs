//! The machine of a virtual kubelet: the same state and the same way to fold events in, with planners of its own.

mod copies;
mod node;

use liqo_events::{Event, Recorded, StateDigest};

use crate::aggregate::Aggregate;
use crate::liqo::LiqoMachine;
use crate::machine::{ArmedDeadline, Listed, Machine, Output, Ready};
use crate::state::State;

/// The machine of a virtual kubelet.
#[derive(Clone, Copy, Debug)]
pub struct KubeletMachine;

impl Machine for KubeletMachine {
    type State = State;

    fn evolve(state: &mut State, event: &Recorded) {
        LiqoMachine::evolve(state, event);
    }

    fn fold(state: &mut State, event: Recorded) {
        LiqoMachine::fold(state, event);
    }

    fn decide(state: &State, _: &Recorded) -> Vec<Output> {
        let touched = &state.derived.touched;
        let all = touched.contains(&Aggregate::Copies);
        let planned = touched.iter().filter(|aggregate| !(all && matches!(aggregate, Aggregate::Copy(_))));
        planned.flat_map(|aggregate| plan(state, aggregate)).collect()
    }

    fn resume(state: &State) -> Vec<Output> {
        [Aggregate::Node, Aggregate::Copies].iter().flat_map(|aggregate| plan(state, aggregate)).collect()
    }

    fn next_deadline(state: &State) -> Option<ArmedDeadline> {
        LiqoMachine::next_deadline(state)
    }

    fn is_news(state: &State, event: &Event) -> bool {
        LiqoMachine::is_news(state, event)
    }

    fn compare(state: &State, list: &Listed) -> Vec<Event> {
        LiqoMachine::compare(state, list)
    }

    fn ready(state: &State) -> Vec<Ready> {
        LiqoMachine::ready(state)
    }

    fn write_down(state: &State, each: &mut dyn FnMut(Recorded)) {
        LiqoMachine::write_down(state, each);
    }

    fn digest(state: &State) -> StateDigest {
        LiqoMachine::digest(state)
    }
}

fn plan(state: &State, aggregate: &Aggregate) -> Vec<Output> {
    match aggregate {
        Aggregate::Node => node::plan(state),
        Aggregate::Copy(key) => copies::plan(state, key),
        Aggregate::Copies => copies::plan_all(state),
        // Of the controller manager.
        Aggregate::Identity
        | Aggregate::Peers
        | Aggregate::Peer(_)
        | Aggregate::Offloading(_)
        | Aggregate::Offloadings
        | Aggregate::Orphans
        | Aggregate::Replication
        | Aggregate::ReplicationTo(_)
        | Aggregate::Network
        | Aggregate::NetworkWith(_)
        | Aggregate::Namespaces
        | Aggregate::Quota
        | Aggregate::Signing => Vec::new(),
    }
}
