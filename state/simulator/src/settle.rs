//! The end of a run: nothing goes wrong any more, and the world comes to rest.

use std::rc::Rc;

use liqo_domain::{Input, LiqoMachine, Machine, Output, Waiting};
use liqo_events::{CommandIssued, Event, Facts, OrphanReleased};
use liqo_model::Kind;

use crate::api::Stored;
use crate::invariants::{Broken, Checked, ensure};
use crate::process::{Actor, Message, ProcessId, Running, Stage, Watched};
use crate::queue::Step;
use crate::world::World;

/// The world must have come to rest after this long. The slowest way is an orphan: noticed in a list, looked at again
/// after a minute, then taken away; a command that failed often waits for ten minutes at most.
const PATIENCE: u64 = 30 * 60_000;
/// And after so many steps: what goes round in a circle at one moment never gets to the end of the time. A run of the
/// largest world takes a tenth of it.
const STEPS: u64 = 100_000;
/// It has come to rest when nothing happened for this long.
const REST: u64 = 4_000;

impl World {
    /// Faults and users stop, what is broken is mended, and everything that is still to be done is done.
    pub(crate) fn settle(&mut self) -> Checked {
        self.calm_down();
        self.run_until("every process runs", |world| world.ids().iter().all(|id| world.is_up(*id)))?;
        for id in self.ids() {
            let actor = self.process(id).actor();
            self.relist_where(actor, |_| true);
        }
        self.rest()?;
        if self.release_orphans() {
            self.rest()?;
        }
        self.check_nothing_new()
    }

    /// Deletes every volume and starts every process anew.
    pub(crate) fn lose_all_volumes(&mut self) -> Checked {
        for id in self.ids() {
            self.kill(id, (100, 3_000))?;
            self.process(id).disk.wipe();
        }
        self.run_until("every process runs", |world| world.ids().iter().all(|id| world.is_up(*id)))?;
        self.rest()
    }

    pub(crate) fn calm_down(&mut self) {
        self.note(|| "faults and users stop".to_owned());
        self.calm = true;
        self.queue
            .retain(|_, step| !matches!(step, Step::Opening(..) | Step::User | Step::Fault | Step::Kill(_)));
        for cluster in &mut self.clusters {
            cluster.api.bad = (0, 0);
            cluster.api.down_until = 0;
            for process in &mut cluster.processes {
                process.paused_until = 0;
                process.disk_fails_until = 0;
                process.disk_slow_until = 0;
            }
        }
        for cluster in 0..self.clusters.len() {
            self.mend(cluster);
        }
    }

    /// Users mend what cannot be followed: what such objects lead to depends on what was there before.
    fn mend(&mut self, cluster: usize) {
        let broken: Vec<Rc<Stored>> =
            self.clusters[cluster].api.list(Kind::NamespaceOffloading).cloned().collect();
        for object in broken {
            let nonsense = match &object.facts {
                Facts::Offloading(facts) => crate::user::is_nonsense(&facts.selector),
                _ => false,
            };
            if object.malformed.is_none() && !nonsense {
                continue;
            }
            let _ = self.api(cluster).change(&object.key, |object| {
                object.malformed = None;
                if let (Facts::Offloading(facts), true) = (&mut object.facts, nonsense) {
                    facts.selector.clear();
                }
            });
            self.namespace_decided(cluster, &object.key.namespace);
        }
    }

    pub(crate) fn is_up(&self, id: ProcessId) -> bool {
        self.clusters[id.cluster].processes[id.replica].running.is_some()
    }

    pub(crate) fn run_until(&mut self, what: &str, mut reached: impl FnMut(&Self) -> bool) -> Checked {
        let (end, most) = (self.now + PATIENCE, self.steps + STEPS);
        while !reached(self) {
            ensure(self.now <= end && self.steps <= most, "the_world_comes_to_rest", || {
                format!(
                    "after {PATIENCE} ms or {STEPS} steps without faults it is not so that {what}: {}",
                    self.unrest().join("; ")
                )
            })?;
            if !self.advance()? {
                return Err(Broken::new("the_world_comes_to_rest", "nothing is left to happen"));
            }
        }
        Ok(())
    }

    /// Runs until nothing happened for some time.
    pub(crate) fn rest(&mut self) -> Checked {
        let (mut since, mut writes, mut looked) = (self.now, self.writes(), self.now);
        self.run_until("nothing is left to be done", |world| {
            // Whether everything is done is worth finding out a few times a second, not after each step.
            if world.now < looked + 300 {
                return false;
            }
            looked = world.now;
            if writes != world.writes() || !world.unrest().is_empty() {
                (since, writes) = (world.now, world.writes());
            }
            world.now >= since + REST
        })
    }

    /// Writes to each cluster, but those of leases.
    pub(crate) fn writes(&self) -> Vec<u64> {
        self.clusters.iter().map(|cluster| cluster.api.writes).collect()
    }

    /// What is still to be done, in words.
    fn unrest(&self) -> Vec<String> {
        let mut unrest = Vec::new();
        for cluster in &self.clusters {
            let live = cluster.processes.iter().filter(|process| {
                process.running.as_ref().is_some_and(|running| running.writer.leadership().is_live())
            });
            if live.count() != 1 {
                unrest.push(format!("{} has not one live process", cluster.name));
            }
            if cluster.agents_planned {
                unrest.push(format!("controllers of {} have something to do", cluster.name));
            }
            for process in &cluster.processes {
                let Some(running) = &process.running else { continue };
                let busy = busy(running, |watched| self.clusters[watched.server].api.newest(watched.kind));
                unrest.extend(busy.map(|what| format!("{} {what}", process.id)));
            }
        }
        if self.queue.iter().any(|step| matches!(step, Step::Arrive(..) | Step::Answer(..))) {
            unrest.push("requests are under way".to_owned());
        }
        unrest
    }

    /// An administrator lets go of everything that is held; whether there was something.
    fn release_orphans(&mut self) -> bool {
        let mut released: Vec<(Actor, Event)> = Vec::new();
        for process in self.clusters.iter().flat_map(|cluster| &cluster.processes) {
            let Some(running) =
                process.running.as_ref().filter(|running| running.writer.leadership().is_live())
            else {
                continue;
            };
            let held = running.writer.state().orphans.iter().filter(|(_, orphan)| orphan.held);
            released.extend(held.map(|((map, namespace), _)| {
                let event = OrphanReleased { map: map.clone(), namespace: namespace.clone() };
                (process.actor(), Event::OrphanReleased(event))
            }));
        }
        for (actor, event) in &released {
            if let Event::OrphanReleased(event) = event {
                self.released(actor.process.cluster, event);
            }
            self.note(|| format!("{}: an administrator lets go: {event:?}", actor.process));
            self.post(*actor, Message::Input(Input::Observe(vec![event.clone()])));
        }
        let copies = self.release_copies();
        copies || !released.is_empty()
    }

    /// Planning everything once more gives nothing that is not known.
    pub(crate) fn check_nothing_new(&self) -> Checked {
        for process in self.clusters.iter().flat_map(|cluster| &cluster.processes) {
            let Some(running) =
                process.running.as_ref().filter(|running| running.writer.leadership().is_live())
            else {
                continue;
            };
            let state = running.writer.state();
            let wanted = LiqoMachine::resume(state).into_iter().map(|output| match output {
                Output::Record(event) => event,
                Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
            });
            let new: Vec<Event> = wanted.filter(|event| LiqoMachine::is_news(state, event)).collect();
            ensure(new.is_empty(), "planning_again_at_rest_gives_nothing", || {
                format!("{}: {new:?}", process.id)
            })?;
        }
        Ok(())
    }
}

/// What a process still has to do.
fn busy(running: &Running, newest: impl Fn(&Watched) -> u64) -> Option<String> {
    let (writer, state) = (&running.writer, running.writer.state());
    let behind = running.watchers.iter().find(|(watched, watcher)| match watcher.stage {
        Stage::Follow(position) => newest(watched) > position || watcher.wants_list(),
        Stage::Identify | Stage::Open => true,
    });
    let waiting = state.outbox.iter().find(|(_, pending)| pending.waiting != Waiting::Parked);
    // What comes too often is held back for up to a minute, and a write that has not been seen may be under it.
    let written = state.written.iter().next();
    let orphan = state.orphans.iter().find(|(_, orphan)| !orphan.held);
    let live = writer.leadership().is_live();
    if let Some((slot, written)) = written.filter(|_| live) {
        return Some(format!("waits to see {slot}: {written:?}"));
    }
    match (behind, waiting.filter(|_| live), orphan.filter(|_| live)) {
        (Some((watched, watcher)), _, _) => Some(format!("watches {watched}: {watcher:?}")),
        (_, Some((_, pending)), _) => Some(format!("has a command: {pending:?}")),
        (_, _, Some((place, orphan))) => Some(format!("has an orphan: {place:?} {orphan:?}")),
        _ if running.degraded.is_some() => Some("has no log".to_owned()),
        _ => {
            let idle = running.inbox.is_empty() && running.flushing.is_none() && writer.pending() == 0;
            (!idle || writer.in_flight() > 0).then(|| "works".to_owned())
        }
    }
}
