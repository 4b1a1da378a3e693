//! A cluster's history without a cluster: the writer of the product is told what watches would say, and what its
//! commands do comes back as it would from an API server. So a log made here has the mix of events that a real one has.

mod effects;
mod objects;
mod peers;

use std::collections::BTreeMap;

use liqo_domain::{Batch, Input, LiqoMachine, Listed, Moment, Outcome, State, Writer};
use liqo_events::{
    Applied, CursorMoved, Event, GenerationChanged, LeaseGained, Proof, Started, UnixMillis, Vanished,
    WatchKey,
};
use liqo_kube_io::control_plane_targets;
use liqo_kube_io::watch::Target;
use liqo_model::{ClusterRef, ObjectKey, ResourceVersion, Uid};
use serde::{Deserialize, Serialize};

use crate::Result;

pub(crate) use peers::Peers;

/// The namespace that Liqo is installed in.
pub(crate) const NAMESPACE: &str = "liqo";
/// Who held the lease, and holds it again after a restart.
pub(crate) const INSTANCE: &str = "bench";
/// Observations that a watch hands over at once when much happens.
const TOGETHER: usize = 256;

/// How much there is in the cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) pods: u32,
    /// Updates of each pod after it was created.
    pub(crate) updates: u32,
    pub(crate) peers: u32,
    pub(crate) namespaces: u32,
    /// Of the namespaces, those with a NamespaceOffloading.
    pub(crate) offloaded: u32,
}

/// The API server that the history is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Home {
    /// Uid of its namespace kube-system.
    pub(crate) uid: String,
    /// The version that all of it has, for a real server; nothing to let versions grow.
    pub(crate) version: Option<u64>,
}

/// The watches of the controller manager.
pub(crate) fn targets() -> Vec<Target> {
    control_plane_targets(NAMESPACE)
}

/// Takes what became durable.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(Batch) -> Result<()>;

/// The writer and what is around it.
pub(crate) struct World<'a> {
    writer: Writer<LiqoMachine>,
    now: Moment,
    home: Home,
    last_version: u64,
    bookmarks_at: u64,
    waiting: Vec<Event>,
    sink: Sink<'a>,
}

impl<'a> World<'a> {
    /// A process that has started, leads, and knows everything of an empty cluster.
    pub(crate) fn new(home: Home, sink: Sink<'a>) -> Result<Self> {
        // Any moment in the past: the product must never see a log from the future.
        let now = Moment { wall: UnixMillis(1_700_000_000_000), monotonic: 0 };
        let last_version = home.version.unwrap_or(1000);
        let mut world = Self {
            writer: Writer::default(),
            now,
            home,
            last_version,
            bookmarks_at: 60_000,
            waiting: Vec::new(),
            sink,
        };
        let started = Started {
            instance: INSTANCE.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            namespace: NAMESPACE.into(),
            cluster_name: "rome".into(),
            entropy: [7; 16],
        };
        let (cluster, uid) = (ClusterRef::Local, Uid::from(world.home.uid.as_str()));
        let reason = "the cluster is seen for the first time".to_owned();
        world.see(started.into())?;
        world.see(GenerationChanged { cluster, uid, generation: 1, reason }.into())?;
        world.see(LeaseGained { epoch: 1, continued: false }.into())?;
        for target in targets() {
            world.relist(target.key(&ClusterRef::Local))?;
        }
        world.accept(Input::GoLive { epoch: 1 })?;
        Ok(world)
    }

    /// Fills the cluster, lets everything settle, and then lets pods live.
    pub(crate) fn live(&mut self, scale: Scale) -> Result<()> {
        (0..scale.namespaces).try_for_each(|at| self.make(objects::namespace(at)))?;
        for peer in 0..scale.peers {
            self.make(objects::virtual_node(peer))?;
            self.make(objects::map(peer))?;
            self.make(objects::foreign_cluster(peer))?;
        }
        (0..scale.offloaded).try_for_each(|at| self.make(objects::offloading(at)))?;
        for age in 0..=scale.updates {
            for pod in 0..scale.pods {
                self.make(objects::pod(pod, age, scale.namespaces.max(1)))?;
            }
        }
        // What is relisted now and then finds nothing, and is recorded.
        for target in targets() {
            self.relist(target.key(&ClusterRef::Local))?;
        }
        Ok(())
    }

    /// One pod in `every` is deleted and made anew.
    pub(crate) fn replace_pods(&mut self, scale: Scale, every: usize) -> Result<()> {
        for pod in (0..scale.pods).step_by(every) {
            let (object, facts) = objects::pod(pod, scale.updates, scale.namespaces.max(1));
            let Some(known) = self.writer.state().objects.get(&object) else { continue };
            let (uid, resource_version) = (known.uid.clone(), self.next_version());
            self.see(
                Vanished { object: object.clone(), uid, resource_version, proof: Proof::Deleted }.into(),
            )?;
            self.make((object, facts))?;
        }
        self.flush()
    }

    /// What is known in the end.
    pub(crate) fn state(&self) -> &State {
        self.writer.state()
    }

    fn next_version(&mut self) -> ResourceVersion {
        self.last_version += u64::from(self.home.version.is_none());
        ResourceVersion::new(self.last_version.to_string())
    }

    /// An object was created or changed.
    fn make(&mut self, (object, facts): objects::Made) -> Result<()> {
        let resource_version = self.next_version();
        let known = self.writer.state().objects.get(&object);
        let made = effects::applied(known, object, facts, resource_version);
        self.see(Event::Applied(made))
    }

    fn see(&mut self, event: Event) -> Result<()> {
        self.waiting.push(event);
        if self.waiting.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let events = std::mem::take(&mut self.waiting);
        self.accept(Input::Observe(events))
    }

    fn relist(&mut self, watch: WatchKey) -> Result<()> {
        self.flush()?;
        let objects = self.writer.state().objects_of(&watch.cluster, watch.kind);
        let present: BTreeMap<ObjectKey, Uid> =
            objects.map(|(key, object)| (key.clone(), object.uid.clone())).collect();
        let resource_version = self.next_version();
        self.accept(Input::Listed(Listed { watch, resource_version, generation: 1, present }))
    }

    /// Gives an input to the writer, and lets everything happen that follows from it.
    fn accept(&mut self, input: Input) -> Result<()> {
        // Five seconds between two bursts: a busy cluster, and no flood of any one object.
        self.now.monotonic += 5_000;
        self.now.wall = self.now.wall.plus(5_000);
        self.writer.accept(input, self.now);
        if self.now.monotonic >= self.bookmarks_at {
            self.bookmarks_at = self.now.monotonic + 60_000;
            self.move_cursors();
        }
        while let Some(batch) = self.writer.cut(self.now) {
            let last = batch.last;
            (self.sink)(batch)?;
            self.writer.durable(last);
            self.carry_out();
            self.writer.tick(self.now);
        }
        Ok(())
    }

    /// What commands do, as the API server and then the watch say it.
    fn carry_out(&mut self) {
        for dispatch in self.writer.dispatch() {
            self.now.monotonic += 20;
            self.now.wall = self.now.wall.plus(20);
            let resource_version = self.next_version();
            let after = effects::of(self.writer.state(), &dispatch.command);
            let id = dispatch.command.id;
            self.writer.finish(
                id,
                Outcome::Succeeded { resource_version: resource_version.clone() },
                self.now,
            );
            for (object, facts) in after {
                let known = self.writer.state().objects.get(&object);
                let seen: Applied = effects::applied(known, object, facts, resource_version.clone());
                self.writer.accept(Input::Observe(vec![Event::Applied(seen)]), self.now);
            }
        }
    }

    /// Bookmarks, which come about once a minute.
    fn move_cursors(&mut self) {
        for target in targets() {
            let (watch, resource_version) = (target.key(&ClusterRef::Local), self.next_version());
            let moved = CursorMoved { watch, resource_version };
            self.writer.accept(Input::Observe(vec![Event::CursorMoved(moved)]), self.now);
        }
    }
}
