//! What follows from an event: decisions, commands, and what those make necessary in turn.

use std::collections::VecDeque;

use liqo_events::{CommandIssued, DeadlinePassed, Event, Recorded, Seq};

use super::{Moment, Remark, Writer};
use crate::{ArmedDeadline, Machine, Output};

/// Outputs that one event may lead to, directly and through each other. The largest legitimate plan touches each
/// namespace of a cluster once; a machine that wants more than this is going in circles, or can have the rest a minute
/// later.
pub const OUTPUTS_AT_ONCE: usize = 1024;

/// How long after a plan was cut short everything is planned again, so that what was cut is not stranded.
pub const REPLAN_MILLIS: u64 = 60_000;

/// Deadlines that fire at once; others that are due follow in the next batch.
const DEADLINES_AT_ONCE: usize = 256;

impl<M: Machine> Writer<M> {
    /// Fires what is due: deadlines, windows of floods, plans that were cut short.
    pub fn tick(&mut self, now: Moment) {
        self.release_expired(now);
        if let Some((at, cause)) = self.replan
            && at <= now.monotonic
        {
            self.replan = None;
            self.plan_everything(cause, now);
        }
        for _ in 0..DEADLINES_AT_ONCE {
            let Some((armed, _)) = self.next_deadline(now).filter(|(_, due)| *due <= now.monotonic) else {
                break;
            };
            self.timers.fired(&armed, now);
            self.tally.deadlines_fired += 1;
            self.record(Event::DeadlinePassed(DeadlinePassed { deadline: armed.deadline }), now);
        }
    }

    /// The deadline that fires next. A follower decides nothing, so its deadlines wait until it leads.
    pub(super) fn next_deadline(&mut self, now: Moment) -> Option<(ArmedDeadline, u64)> {
        if !self.leadership.is_live() {
            return None;
        }
        let armed = M::next_deadline(&self.state)?;
        let due = self.timers.due_at(&armed, now, self.recorded_at);
        Some((armed, due))
    }

    pub(super) fn go_live(&mut self, epoch: u64, now: Moment) {
        let Some(since) = self.leadership.go_live(epoch) else { return };
        let held = self.coalescer.release_all();
        self.record_held(held, now);
        self.plan_everything(since, now);
    }

    fn plan_everything(&mut self, cause: Seq, now: Moment) {
        if !self.leadership.is_live() {
            return;
        }
        let outputs = M::resume(&self.state);
        // The plan of everything is as large as the state. What follows from it is of the same size.
        let budget = OUTPUTS_AT_ONCE.saturating_add(outputs.len().saturating_mul(4));
        self.carry_on(because_of(outputs, cause).collect(), budget, now);
    }

    /// Plans what the event touched. The state has just been given it.
    pub(super) fn decide(&mut self, recorded: &Recorded, now: Moment) {
        let outputs = M::decide(&self.state, recorded);
        self.carry_on(because_of(outputs, recorded.seq).collect(), OUTPUTS_AT_ONCE, now);
    }

    fn carry_on(&mut self, mut waiting: VecDeque<(Output, Seq)>, budget: usize, now: Moment) {
        for _ in 0..budget {
            let Some((output, cause)) = waiting.pop_front() else { return };
            let event = match output {
                Output::Record(event) => event,
                Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
            };
            // A plan that was made while others waited does not know of them, and may want the same once more.
            if M::is_news(&self.state, &event)
                && let Some(recorded) = self.append(event, Some(cause), now)
            {
                waiting.extend(because_of(M::decide(&self.state, &recorded), recorded.seq));
            }
        }
        if let Some((_, cause)) = waiting.pop_front() {
            self.tally.decisions_cut += 1;
            self.tally.remark(Remark::DecisionsCut { seq: cause });
            self.replan.get_or_insert((now.monotonic.saturating_add(REPLAN_MILLIS), cause));
        }
    }
}

fn because_of(outputs: Vec<Output>, cause: Seq) -> impl Iterator<Item = (Output, Seq)> {
    outputs.into_iter().map(move |output| (output, cause))
}
