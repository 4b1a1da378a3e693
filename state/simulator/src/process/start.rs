//! Starts and ends of processes.

use std::collections::{BTreeMap, VecDeque};

use liqo_domain::{Comparison, Input};
use liqo_events::{Event, Started};
use liqo_model::ClusterRef;

use super::{LeaseClient, Life, Lives, Message, ProcessId, Running, Watched, Watcher};
use crate::invariants::{Checked, ensure};
use crate::queue::Step;
use crate::settings::Planted;
use crate::world::{LIQO, NAMES, World};

/// How long after the death of a process its requests may still be carried out.
const BEGUN: u64 = 40;

impl World {
    /// Opens the log, replays it and begins to watch.
    pub(crate) fn start(&mut self, id: ProcessId) -> Checked {
        if self.process(id).running.is_some() {
            return Ok(());
        }
        let forget = usize::from(self.is(Planted::SequenceReused));
        let cursors_alone = self.is(Planted::CursorsAlone);
        let found = self.process(id).disk.open(forget)?;
        let replica = self.process(id).disk.replica();
        ensure(found.writer.comparison() == Comparison::Equal, "a_replay_gives_the_recorded_states", || {
            format!("{:?}", found.writer.comparison())
        })?;
        ensure(
            forget > 0 || found.writer.state() == replica,
            "a_snapshot_and_its_tail_give_the_state_of_a_replay_from_zero",
            || format!("{:?} and {replica:?}", found.writer.state()),
        )?;
        let state = found.writer.state();
        let mut lives = Lives::default();
        lives.begin(id.cluster, || Life::of(state, ClusterRef::Local, cursors_alone));
        let kinds = self.watched();
        let cursors: BTreeMap<_, _> = kinds
            .iter()
            .map(|kind| {
                let cursor = state.cursors.get(&(ClusterRef::Local, *kind, String::new()));
                let version = cursor.and_then(|cursor| cursor.body.resource_version.as_str().parse().ok());
                let watched = Watched { server: id.cluster, kind: *kind };
                (watched, Watcher::new(version, state.generation(&ClusterRef::Local)))
            })
            .collect();
        let now = self.now;
        let held = state.resumable_epoch(kinds).filter(|_| !found.is_empty);
        let entropy = self.chance.bytes();
        let process = self.process(id);
        process.run += 1;
        let actor = process.actor();
        let started = Started {
            instance: process.pod.clone(),
            version: "simulated".to_owned(),
            namespace: LIQO.into(),
            cluster_name: NAMES[id.cluster].into(),
            entropy,
        };
        process.running = Some(Running {
            opened_at: found.writer.last(),
            tries: BTreeMap::new(),
            writer: found.writer,
            started_at: now,
            inbox: VecDeque::new(),
            work_planned: false,
            tick_planned: None,
            flushing: None,
            watchers: cursors,
            lives,
            peers: BTreeMap::new(),
            links_planned: false,
            lease: LeaseClient::new(held),
            cache: BTreeMap::new(),
            before_live: None,
            degraded: None,
        });
        self.note(|| format!("{} starts, run {}", actor.process, actor.run));
        self.post(actor, Message::Input(Input::Observe(vec![Event::Started(started)])));
        self.configure(actor);
        self.plan(1, 2000, Step::Lease(actor));
        for kind in kinds {
            self.turn(actor, Watched { server: id.cluster, kind: *kind }, (1, 200));
        }
        self.plan_links(actor);
        Ok(())
    }

    /// The process dies at once; what its volume was writing may survive in part.
    pub(crate) fn kill(&mut self, id: ProcessId, away: (u64, u64)) -> Checked {
        let Some(running) = self.process(id).running.take() else { return Ok(()) };
        self.note(|| format!("{id} dies"));
        if let (Some(batch), None) = (&running.flushing, running.degraded) {
            let survivors = self.chance.index(batch.envelopes.len() + 1);
            self.process(id).disk.tear(batch, survivors)?;
        }
        self.process(id).paused_until = 0;
        // Its connections close with it: of its requests the server carries out what it has begun with, and no more. A
        // container takes longer to start again than that.
        let last = self.now + BEGUN;
        self.queue.retain(
            |at, step| !matches!(step, Step::Arrive(_, flight) if flight.actor.process == id && at > last),
        );
        self.plan(away.0, away.1, Step::Start(id));
        Ok(())
    }
}
