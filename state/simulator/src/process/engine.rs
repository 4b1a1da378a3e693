//! The engine's loop, stage by stage.

use liqo_events::{CommandId, Seq};

use super::{Actor, Message};
use crate::invariants::{Broken, Checked, ensure};
use crate::queue::Step;
use crate::settings::Planted;
use crate::world::World;

/// How often a degraded process tries to begin a new log.
const NEW_LOG_MILLIS: u64 = 60_000;

impl World {
    /// Puts something into the inbox.
    pub(crate) fn post(&mut self, actor: Actor, message: Message) {
        let Some(running) = self.running(actor) else { return };
        running.inbox.push_back(message);
        if !running.work_planned {
            running.work_planned = true;
            self.plan(0, 5, Step::Work(actor));
        }
    }

    /// Takes some inputs in: accept, evolve, decide.
    pub(crate) fn work(&mut self, actor: Actor) {
        let (now, wall) = (self.now, self.clock(actor.process));
        let most = self.chance.between(1, 12);
        let Some(running) = self.running(actor) else { return };
        let moment = running.moment(now, wall);
        running.work_planned = false;
        if running.tick_planned.is_some_and(|at| at <= now) {
            running.tick_planned = None;
        }
        for _ in 0..most {
            match running.inbox.pop_front() {
                Some(Message::Input(input)) => running.writer.accept(input, moment),
                Some(Message::Outcome(id, outcome)) => running.writer.finish(id, outcome, moment),
                None => break,
            }
        }
        running.writer.tick(moment);
        running.work_planned = !running.inbox.is_empty();
        if running.work_planned {
            self.plan(0, 2, Step::Work(actor));
        }
        self.plan(0, 5, Step::Cut(actor));
        self.plan_tick(actor);
    }

    /// Plans a turn for the next deadline.
    fn plan_tick(&mut self, actor: Actor) {
        let (now, wall) = (self.now, self.clock(actor.process));
        let Some(running) = self.running(actor) else { return };
        let moment = running.moment(now, wall);
        let Some(tick) = running.writer.next_tick(moment) else { return };
        let at = running.started_at + tick;
        // What is due at once is handled with the next batch; a turn now would only turn in a circle.
        let at = at.max(now + 1);
        if running.tick_planned.is_none_or(|planned| at < planned) {
            running.tick_planned = Some(at);
            self.plan_at(at, Step::Work(actor));
        }
    }

    /// Hands what was collected to the log, unless that is still writing.
    pub(crate) fn cut(&mut self, actor: Actor) -> Checked {
        let (now, wall) = (self.now, self.clock(actor.process));
        let checkpoint = self.chance.one_in(40);
        let early = self.is(Planted::DispatchBeforeCommit);
        let process = self.process(actor.process);
        let (fails, slow) = (process.disk_fails_until > now, process.disk_slow_until > now);
        let Some(running) = process.running.as_mut().filter(|running| running.flushing.is_none()) else {
            return Ok(());
        };
        let moment = running.moment(now, wall);
        if running.degraded.is_some_and(|since| since + NEW_LOG_MILLIS <= now) && !fails {
            return self.begin_new_log(actor);
        }
        let Some(mut batch) = running.writer.cut(moment) else {
            self.plan(0, 1, Step::Dispatch(actor));
            return Ok(());
        };
        if checkpoint && batch.checkpoint.is_none() {
            batch.checkpoint = running.writer.checkpoint(moment);
        }
        if early {
            running.writer.durable(batch.last);
        }
        let last = batch.last;
        running.flushing = Some(batch);
        self.note(|| format!("{} hands events up to {last} to its log", actor.process));
        self.pass(actor, || format!("events up to {last} are being written"));
        if early {
            self.plan(0, 1, Step::Dispatch(actor));
        }
        let longest = if slow { 2500 } else { 20 };
        self.plan(1, longest, Step::Flushed(actor));
        Ok(())
    }

    /// Everything up to the present state becomes the beginning of a new log.
    fn begin_new_log(&mut self, actor: Actor) -> Checked {
        let (now, wall) = (self.now, self.clock(actor.process));
        let process = self.process(actor.process);
        let Some(running) = process.running.as_mut() else { return Ok(()) };
        let moment = running.moment(now, wall);
        // What was not written yet is in the state that the new log begins with.
        let _ = running.writer.cut(moment);
        let checkpoint = running
            .writer
            .checkpoint(moment)
            .ok_or_else(|| Broken::new("a_snapshot_can_be_kept", "the state cannot be written down"))?;
        process.disk.begin_anew(&checkpoint)?;
        running.writer.durable(checkpoint.at);
        running.degraded = None;
        self.note(|| format!("{} has a log again, from {}", actor.process, checkpoint.at));
        self.plan(0, 1, Step::Dispatch(actor));
        Ok(())
    }

    /// The log answers: what it was given is durable, or it is given up.
    pub(crate) fn flushed(&mut self, actor: Actor) -> Checked {
        let now = self.now;
        let reopened = self.is(Planted::AbandonedLogReopened);
        let process = self.process(actor.process);
        let fails = process.disk_fails_until > now;
        let Some(running) = process.running.as_mut() else { return Ok(()) };
        let Some(batch) = running.flushing.take() else { return Ok(()) };
        if running.degraded.is_none() && fails {
            running.degraded = Some(now);
            if !reopened {
                process.disk.wipe();
            }
        }
        if running.degraded.is_none() {
            process.disk.append(&batch.envelopes)?;
            if let Some(checkpoint) = &batch.checkpoint
                && checkpoint.at == process.disk.last()
            {
                process.disk.keep(checkpoint)?;
            }
        }
        running.writer.durable(batch.last);
        let degraded = running.degraded.is_some();
        self.check_secrets(&batch.envelopes)?;
        self.note(|| {
            let medium = if degraded { "in memory" } else { "durable" };
            let names: Vec<String> = batch
                .envelopes
                .iter()
                .filter_map(|envelope| envelope.open().ok())
                .map(|recorded| format!("\n           {} {:?}", recorded.seq, recorded.event))
                .collect();
            format!("{}: {medium} up to {}{}", actor.process, batch.last, names.concat())
        });
        self.plan(0, 3, Step::Dispatch(actor));
        self.plan(0, 5, Step::Cut(actor));
        self.plan_links(actor);
        Ok(())
    }

    /// Lets commands go whose reasons are durable, while the lease is certainly held.
    pub(crate) fn dispatch(&mut self, actor: Actor) -> Checked {
        let guarded = self.may_act(actor);
        let process = self.process(actor.process);
        let durable = process.disk.last();
        let Some(running) = process.running.as_mut().filter(|_| guarded) else { return Ok(()) };
        let degraded = running.degraded.is_some();
        let leaving = running.writer.dispatch();
        let outbox = &running.writer.state().outbox;
        let issued = |id: &CommandId| outbox.get(id).map_or(Seq(0), |pending| pending.issued);
        let issued: Vec<Seq> = leaving.iter().map(|dispatch| issued(&dispatch.command.id)).collect();
        for (dispatch, issued) in leaving.into_iter().zip(issued) {
            if self.pass(actor, || {
                format!("before {} of {}", dispatch.command.effect.name(), dispatch.command.slot)
            }) {
                return Ok(());
            }
            self.check_circle(actor, &dispatch)?;
            ensure(degraded || issued <= durable, "no_effect_leaves_before_its_reasons_are_durable", || {
                format!("{} was issued at {issued} and {durable} is durable", dispatch.command.slot)
            })?;
            self.note(|| {
                format!("{} lets {} go: {:?}", actor.process, dispatch.command.slot, dispatch.command.effect)
            });
            let what = (dispatch.command.effect.name(), dispatch.command.slot.clone());
            self.set_out(actor, dispatch, issued);
            if self.pass(actor, || format!("{} of {} has left", what.0, what.1)) {
                return Ok(());
            }
        }
        self.plan_tick(actor);
        Ok(())
    }
}
