//! The world: clusters, processes, users, time.

use liqo_events::{Facts, NamespaceFacts, UnixMillis};
use liqo_model::{ClusterName, Kind, ObjectKey};

use crate::api::{ApiServer, Backup, New};
use crate::chance::Chance;
use crate::invariants::Checked;
use crate::peering::{Moments, surround};
use crate::process::{Actor, Left, PEERING_WATCHED, Process, ProcessId, Running, WATCHED};
use crate::queue::{Queue, Step};
use crate::settings::{Planted, Settings};
use crate::trace::Trace;
use crate::user::Truth;

/// Names of the clusters, in their order; there are no more than these.
pub(crate) const NAMES: [&str; 4] = ["rome", "milan", "turin", "genoa"];

/// The namespace that Liqo is installed in.
pub(crate) const LIQO: &str = "liqo";

/// The wall clock at the beginning.
pub(crate) const BEGINNING: i64 = 1_790_000_000_000;

/// One cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) name: ClusterName,
    pub(crate) api: ApiServer,
    pub(crate) processes: Vec<Process>,
    /// How far all of its wall clocks are off.
    pub(crate) wall_offset: i64,
    pub(crate) backups: Vec<Backup>,
    /// The last write that left for it.
    pub(crate) left: Option<Left>,
    /// Writes and starts that models of controllers and watches were told of.
    pub(crate) looked: (u64, u64),
    /// Whether they are going to look.
    pub(crate) agents_planned: bool,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) chance: Chance,
    /// Milliseconds since the beginning.
    pub(crate) now: u64,
    pub(crate) steps: u64,
    pub(crate) queue: Queue,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) truth: Truth,
    pub(crate) trace: Trace,
    /// Whether nothing goes wrong any more.
    pub(crate) calm: bool,
    /// Moments of the life of a peering.
    pub(crate) moments: Moments,
}

impl World {
    /// Clusters without anything but the namespace of Liqo; processes are about to start.
    pub(crate) fn new(seed: u64, settings: &Settings) -> Self {
        let mut chance = Chance::new(seed);
        let names = &NAMES[..settings.clusters.clamp(1, NAMES.len())];
        let clusters: Vec<Cluster> =
            (0..).zip(names).map(|(index, name)| cluster(index, name, settings, &mut chance)).collect();
        let mut world = Self {
            settings: settings.clone(),
            chance,
            now: 0,
            steps: 0,
            queue: Queue::default(),
            clusters,
            truth: Truth::default(),
            trace: Trace::new(settings.trace),
            calm: false,
            moments: Moments::default(),
        };
        for id in world.ids() {
            world.plan(10, 500, Step::Start(id));
        }
        world
    }

    /// Whether this fault is built into the processes.
    pub(crate) fn is(&self, planted: Planted) -> bool {
        self.settings.planted == Some(planted)
    }

    /// The kinds that every process watches in its own cluster.
    pub(crate) fn watched(&self) -> &'static [Kind] {
        if self.settings.peering.is_some() { &PEERING_WATCHED } else { &WATCHED }
    }

    pub(crate) fn ids(&self) -> Vec<ProcessId> {
        let all = self.clusters.iter().flat_map(|cluster| cluster.processes.iter().map(|process| process.id));
        all.collect()
    }

    pub(crate) fn process(&mut self, id: ProcessId) -> &mut Process {
        &mut self.clusters[id.cluster].processes[id.replica]
    }

    /// The process in the run that is meant; nothing when that run is over.
    pub(crate) fn running(&mut self, actor: Actor) -> Option<&mut Running> {
        let process = self.process(actor.process);
        if process.run == actor.run { process.running.as_mut() } else { None }
    }

    pub(crate) fn api(&mut self, cluster: usize) -> &mut ApiServer {
        &mut self.clusters[cluster].api
    }

    /// What the clocks on the wall of a cluster show.
    pub(crate) fn wall(&self, cluster: usize) -> UnixMillis {
        let now = i64::try_from(self.now).unwrap_or(i64::MAX);
        UnixMillis(BEGINNING + now + self.clusters[cluster].wall_offset)
    }

    /// What a process has for the time: two nodes seldom agree.
    pub(crate) fn clock(&self, id: ProcessId) -> UnixMillis {
        let offset = self.clusters[id.cluster].processes[id.replica].clock_offset;
        UnixMillis(self.wall(id.cluster).0 + offset)
    }

    /// Plans a step for a moment from `least` to `most` milliseconds from now.
    pub(crate) fn plan(&mut self, least: u64, most: u64, step: Step) {
        let at = self.now + self.chance.between(least, most);
        self.queue.push(at, step, &mut self.chance);
    }

    /// Plans a step for a moment.
    pub(crate) fn plan_at(&mut self, at: u64, step: Step) {
        self.queue.push(at.max(self.now), step, &mut self.chance);
    }

    /// Does the next step; whether there was one.
    pub(crate) fn advance(&mut self) -> Checked<bool> {
        let Some((at, step)) = self.queue.pop() else { return Ok(false) };
        self.now = self.now.max(at);
        self.steps += 1;
        let actor = step.actor();
        if let Some(actor) = actor {
            let now = self.now;
            let process = self.process(actor.process);
            if process.run != actor.run || process.running.is_none() {
                return Ok(true);
            }
            if process.paused_until > now {
                let until = process.paused_until;
                self.plan_at(until, step);
                return Ok(true);
            }
            self.interrupt(actor, &step);
        }
        self.perform(step)?;
        self.kill_doomed()?;
        self.wake();
        // Nobody else's state changes in the step of a process, and nobody's in one of the world.
        if let Some(actor) = actor {
            self.check_always(actor)?;
        }
        Ok(true)
    }

    fn perform(&mut self, step: Step) -> Checked {
        match step {
            Step::Opening(cluster, opening) => self.opening(cluster, opening),
            Step::User => self.user(),
            Step::Fault => self.fault()?,
            Step::Agents(cluster) => self.agents(cluster)?,
            Step::Start(id) => self.start(id)?,
            Step::Kill(id) => self.crash(id)?,
            Step::Lease(actor) => self.lease(actor)?,
            Step::Watch(actor, watched) => self.watch(actor, watched),
            Step::Links(actor) => self.links(actor),
            Step::Probe(actor, server) => self.probe(actor, server),
            Step::Work(actor) => self.work(actor),
            Step::Cut(actor) => self.cut(actor)?,
            Step::Flushed(actor) => self.flushed(actor)?,
            Step::Dispatch(actor) => self.dispatch(actor)?,
            Step::Arrive(server, flight) => self.arrive(server, flight)?,
            Step::Answer(flight, reply) => self.answer(flight, reply),
        }
        Ok(())
    }

    /// Whoever has something to look at is going to look.
    fn wake(&mut self) {
        for index in 0..self.clusters.len() {
            let cluster = &mut self.clusters[index];
            let there = (cluster.api.writes, cluster.api.boots);
            if there != cluster.looked {
                cluster.looked = there;
                if !cluster.agents_planned {
                    cluster.agents_planned = true;
                    self.plan(5, 800, Step::Agents(index));
                }
                self.wake_watchers(index);
            }
        }
    }
}

fn cluster(index: usize, name: &str, settings: &Settings, chance: &mut Chance) -> Cluster {
    let mut api = ApiServer::new(name);
    // Without faults a second one only waits.
    let alone = settings.peering.is_some() && settings.faults.is_empty();
    let replicas = if chance.percent(40) && !alone { 2 } else { 1 };
    let processes = (0..replicas).map(|replica| {
        let id = ProcessId { cluster: index, replica };
        Process::new(id, format!("{name}-pod-{replica}").into())
    });
    let processes = processes.collect();
    install(&mut api);
    if settings.peering.is_some() {
        surround(&mut api, index);
    }
    Cluster {
        name: name.into(),
        api,
        processes,
        wall_offset: 0,
        backups: Vec::new(),
        left: None,
        looked: (0, 0),
        agents_planned: false,
    }
}

/// What is there when Liqo was installed and nothing else happened.
pub(crate) fn install(api: &mut ApiServer) {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, LIQO);
    let facts = Facts::Namespace(NamespaceFacts::default());
    // It is there already when a cluster was restored.
    let _ = api.create(New::of(key, facts), UnixMillis(BEGINNING));
}
