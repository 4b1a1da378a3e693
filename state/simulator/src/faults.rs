//! What goes wrong.

use std::collections::BTreeSet;

use liqo_model::Kind;

use crate::invariants::Checked;
use crate::process::{Actor, ProcessId, Stage};
use crate::queue::Step;
use crate::settings::Fault;
use crate::world::{World, install};

/// Backups that are kept; restoring an old one is as good as restoring the newest.
const BACKUPS: usize = 3;

impl World {
    /// Whether something may go wrong now.
    pub(crate) fn may(&self, fault: Fault) -> bool {
        !self.calm && self.settings.faults.contains(&fault)
    }

    fn some_process(&mut self) -> ProcessId {
        let ids = self.ids();
        ids[self.chance.index(ids.len())]
    }

    /// A process may die or stand still after any of its steps, before anything that the step plans.
    pub(crate) fn interrupt(&mut self, actor: Actor, step: &Step) {
        let id = actor.process;
        let degraded = self.running(actor).is_some_and(|running| running.degraded.is_some());
        // What only memory has makes a death most harmful, be it the log or a lease that was just taken; and a command
        // under way makes a pause so.
        let often = match step {
            Step::Lease(_) => 20,
            _ if degraded => 80,
            _ => 400,
        };
        if self.may(Fault::Crash) && self.chance.one_in(often) {
            self.plan_at(self.now, Step::Kill(id));
        } else if self.may(Fault::Pause) && matches!(step, Step::Answer(..)) && self.chance.one_in(60) {
            self.pause(id);
        }
    }

    /// Something goes wrong, and more will.
    pub(crate) fn fault(&mut self) -> Checked {
        if self.calm {
            return Ok(());
        }
        self.plan(300, 9_000, Step::Fault);
        let cluster = self.chance.index(self.clusters.len());
        let id = self.some_process();
        let among: Vec<Fault> = self.settings.faults.iter().copied().collect();
        match self.chance.pick(&among) {
            Some(Fault::Crash) => self.crash(id)?,
            Some(Fault::Pause) => self.pause(id),
            Some(Fault::Wipe) => self.lose_volume(id)?,
            Some(Fault::Disk) => self.spoil_disk(id),
            Some(Fault::Down) => self.take_down(cluster),
            Some(Fault::Errors) => {
                let until = self.now + self.chance.between(1_000, 20_000);
                let part = self.chance.between(10, 60);
                self.api(cluster).bad = (part, until);
                self.note(|| format!("the API server of cluster {cluster} fails {part} % of requests"));
            }
            Some(Fault::Watch) => self.cut_watches(cluster),
            Some(Fault::Restore) => self.back_up_or_restore(cluster),
            Some(Fault::Rebuild) => self.rebuild(cluster),
            Some(Fault::Clock) => {
                let jump = self.chance.pick(&[-3_600_000_i64, 86_400_000, 5_000, -5_000]).unwrap_or_default();
                if self.chance.one_in(2) {
                    self.clusters[cluster].wall_offset += jump;
                    self.note(|| format!("the wall clocks of cluster {cluster} jump by {jump} ms"));
                } else {
                    self.process(id).clock_offset += jump;
                    self.note(|| format!("the wall clock of {id} jumps by {jump} ms"));
                }
            }
            None => {}
        }
        Ok(())
    }

    /// A container is started again soon, or so late that another process leads.
    pub(crate) fn crash(&mut self, id: ProcessId) -> Checked {
        let away = if self.chance.one_in(4) { (15_000, 60_000) } else { (50, 20_000) };
        self.kill(id, away)
    }

    fn pause(&mut self, id: ProcessId) {
        let until = self.now + self.chance.between(500, 60_000);
        self.process(id).paused_until = until;
        self.note(|| format!("{id} stands still until {until} ms"));
    }

    /// The pod moves, or its volume is gone; both now and then.
    fn lose_volume(&mut self, id: ProcessId) -> Checked {
        self.kill(id, (500, 20_000))?;
        let moves = self.chance.one_in(2);
        let pod = format!("{}-moved-{}", self.clusters[id.cluster].name, self.steps);
        let process = self.process(id);
        if moves {
            process.pod = pod.into();
        }
        process.disk.wipe();
        self.note(|| format!("the volume of {id} is gone, moved: {moves}"));
        Ok(())
    }

    fn spoil_disk(&mut self, id: ProcessId) {
        let until = self.now + self.chance.between(500, 40_000);
        let fails = self.chance.one_in(2);
        let process = self.process(id);
        if fails {
            process.disk_fails_until = until;
        } else {
            process.disk_slow_until = until;
        }
        self.note(|| {
            format!("the volume of {id} {} until {until} ms", if fails { "refuses" } else { "is slow" })
        });
    }

    fn take_down(&mut self, cluster: usize) {
        let until = self.now + self.chance.between(500, 45_000);
        let api = self.api(cluster);
        api.down_until = until;
        api.boots += 1;
        self.note(|| format!("the API server of cluster {cluster} is away until {until} ms"));
        self.poke_watches(cluster);
    }

    /// Connections break; often history is forgotten too.
    fn cut_watches(&mut self, cluster: usize) {
        let compacts = self.chance.one_in(2);
        let behind = self.chance.below(6);
        let api = self.api(cluster);
        if compacts {
            api.compact(api.version().saturating_sub(behind));
        }
        for process in self.clusters.iter_mut().flat_map(|cluster| &mut cluster.processes) {
            let watchers = process.running.iter_mut().flat_map(|running| &mut running.watchers);
            let there = watchers.filter(|(watched, _)| watched.server == cluster);
            there.for_each(|(_, watcher)| watcher.broken = true);
        }
        self.note(|| format!("watches of cluster {cluster} break, compacted: {compacts}"));
        self.poke_watches(cluster);
    }

    /// Whoever follows finds out that its connection is gone.
    fn poke_watches(&mut self, cluster: usize) {
        let mut following = Vec::new();
        for process in self.clusters.iter().flat_map(|cluster| &cluster.processes) {
            let actor = process.actor();
            let watchers = process.running.iter().flat_map(|running| &running.watchers);
            let follow = watchers.filter(|(watched, watcher)| {
                watched.server == cluster && matches!(watcher.stage, Stage::Follow(_))
            });
            following.extend(follow.map(|(watched, _)| (actor, *watched)));
        }
        for (actor, watched) in following {
            self.turn(actor, watched, (1, 2_000));
        }
    }

    fn back_up_or_restore(&mut self, cluster: usize) {
        let backups = self.clusters[cluster].backups.clone();
        let restore = self.chance.one_in(2);
        match self.chance.pick(&backups).filter(|_| restore) {
            Some(backup) => {
                let new_life = self.chance.one_in(4);
                let now = self.now;
                let before = self.offloaded(cluster);
                self.api(cluster).restore(&backup, new_life, now);
                self.clusters[cluster].left = None;
                self.note(|| {
                    format!("cluster {cluster} is restored from a backup, with a new life: {new_life}")
                });
                self.store_decided(cluster);
                // A label that was put on before anybody noticed has no offloading to be taken off with.
                let lost: Vec<String> = before.difference(&self.offloaded(cluster)).cloned().collect();
                self.truth.forced.extend(lost.into_iter().map(|namespace| (cluster, namespace)));
                self.poke_watches(cluster);
            }
            None => {
                let backup = self.api(cluster).back_up();
                let backups = &mut self.clusters[cluster].backups;
                backups.push(backup);
                if backups.len() > BACKUPS {
                    backups.remove(0);
                }
                self.note(|| format!("cluster {cluster} is backed up"));
            }
        }
    }

    fn offloaded(&self, cluster: usize) -> BTreeSet<String> {
        let offloadings = self.clusters[cluster].api.list(Kind::NamespaceOffloading);
        offloadings.map(|offloading| offloading.key.namespace.clone()).collect()
    }

    /// Seldom, for little is left to be seen after it.
    fn rebuild(&mut self, cluster: usize) {
        if !self.chance.one_in(4) {
            return;
        }
        let now = self.now;
        self.api(cluster).rebuild(now);
        self.clusters[cluster].left = None;
        install(self.api(cluster));
        self.clusters[cluster].backups.clear();
        self.note(|| format!("cluster {cluster} is built anew"));
        self.store_decided(cluster);
        self.poke_watches(cluster);
    }
}
