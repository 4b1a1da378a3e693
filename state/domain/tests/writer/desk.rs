//! A writer, a log that is a list, and clocks that are set by hand.

use liqo_domain::{Batch, Checkpoint, Dispatch, Input, Listed, Moment, Outcome, Writer};
use liqo_events::{
    Applied, BodyDigest, CursorMoved, Envelope, Event, Facts, LeaseGained, LeaseLost, NamespaceFacts, Proof,
    Recorded, Seq, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey, ResourceVersion};

use crate::namespaces::{Namespaces, namespace, uid};

/// Where a test sits: everything that comes in and goes out passes here.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) writer: Writer<Namespaces>,
    pub(crate) now: Moment,
    /// Everything that was made durable.
    pub(crate) log: Vec<Envelope>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    versions: u64,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::on(Writer::default())
    }

    /// One that goes on with a writer.
    pub(crate) fn on(writer: Writer<Namespaces>) -> Self {
        let now = Moment { wall: UnixMillis(1_000_000), monotonic: 5_000 };
        Self { writer, now, log: Vec::new(), checkpoints: Vec::new(), versions: 0 }
    }

    /// One that leads and is live in epoch 1, with nothing known.
    pub(crate) fn live() -> Self {
        let mut desk = Self::new();
        desk.gain(1);
        desk.accept(Input::GoLive { epoch: 1 });
        desk.settle();
        desk
    }

    pub(crate) fn accept(&mut self, input: Input) {
        self.writer.accept(input, self.now);
    }

    pub(crate) fn observe(&mut self, events: impl IntoIterator<Item = Event>) {
        self.accept(Input::Observe(events.into_iter().collect()));
    }

    pub(crate) fn gain(&mut self, epoch: u64) {
        self.observe([LeaseGained { epoch, continued: false }.into()]);
    }

    pub(crate) fn lose(&mut self, epoch: u64) {
        self.observe([LeaseLost { epoch }.into()]);
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now.monotonic += millis;
        self.now.wall = self.now.wall.plus(millis);
    }

    pub(crate) fn tick(&mut self) {
        self.writer.tick(self.now);
    }

    pub(crate) fn finish(&mut self, dispatch: &Dispatch, outcome: Outcome) {
        self.writer.finish(dispatch.command.id, outcome, self.now);
    }

    /// Cuts the next batch and does not make it durable.
    pub(crate) fn cut(&mut self) -> Batch {
        self.writer.cut(self.now).unwrap()
    }

    /// Makes a batch durable.
    pub(crate) fn keep(&mut self, batch: Batch) {
        self.log.extend(batch.envelopes);
        self.checkpoints.extend(batch.checkpoint);
        self.writer.durable(batch.last);
    }

    /// Makes everything durable that waits.
    pub(crate) fn settle(&mut self) {
        while let Some(batch) = self.writer.cut(self.now) {
            self.keep(batch);
        }
    }

    /// An update of a namespace that differs from all before it.
    pub(crate) fn update(&mut self, name: &str) -> Event {
        self.versions += 1;
        let mut applied = self.seen(name, false);
        applied.facts = Facts::Malformed(format!("version {}", self.versions));
        applied.into()
    }

    /// A namespace as the watch shows it.
    pub(crate) fn applied(&mut self, name: &str, scheduling_enabled: bool) -> Event {
        self.versions += 1;
        self.seen(name, scheduling_enabled).into()
    }

    fn seen(&self, name: &str, scheduling_enabled: bool) -> Applied {
        Applied {
            object: namespace(name),
            uid: uid(name),
            resource_version: ResourceVersion::new(self.versions.to_string()),
            generation: 0,
            created_at: UnixMillis(0),
            deleting: false,
            digest: BodyDigest::default(),
            facts: Facts::Namespace(NamespaceFacts { scheduling_enabled, ..NamespaceFacts::default() }),
            coalesced: 0,
        }
    }

    /// The cursor up to the last update.
    pub(crate) fn cursor(&self) -> Event {
        CursorMoved { watch: watch(), resource_version: ResourceVersion::new(self.versions.to_string()) }
            .into()
    }

    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.log.iter().map(|envelope| envelope.open().unwrap()).collect()
    }

    /// The log as the names of its events.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.recorded().iter().map(|recorded| recorded.event.name()).collect()
    }

    /// A writer that begins with what is durable, from the newest checkpoint or from zero.
    pub(crate) fn replayed(&self, from: Option<&Checkpoint>) -> Writer<Namespaces> {
        let mut writer =
            from.map_or_else(Writer::default, |from| Writer::from_checkpoint(from.clone()).unwrap());
        let after = writer.last();
        for envelope in self.log.iter().filter(|envelope| envelope.seq > after) {
            writer.replay(envelope.open().unwrap(), envelope.state).unwrap();
        }
        writer
    }
}

/// The watch of namespaces.
pub(crate) fn watch() -> WatchKey {
    WatchKey { cluster: ClusterRef::Local, kind: Kind::Namespace, selector: String::new() }
}

/// The end of a namespace.
pub(crate) fn vanished(name: &str) -> Event {
    let resource_version = ResourceVersion::new("9000000");
    Vanished { object: namespace(name), uid: uid(name), resource_version, proof: Proof::Deleted }.into()
}

/// A complete list.
pub(crate) fn listed(names: &[&str]) -> Input {
    let present = names.iter().map(|name| (namespace(name), uid(name))).collect();
    Input::Listed(Listed {
        watch: watch(),
        resource_version: ResourceVersion::new("9000000"),
        generation: 1,
        present,
    })
}

pub(crate) fn succeeded() -> Outcome {
    Outcome::Succeeded { resource_version: ResourceVersion::new("7") }
}

/// What the commands are about.
pub(crate) fn targets(dispatches: &[Dispatch]) -> Vec<String> {
    dispatches.iter().map(|dispatch| dispatch.command.slot.object.name.clone()).collect()
}

pub(crate) fn last_of(log: &[Envelope]) -> Seq {
    log.last().map(|envelope| envelope.seq).unwrap_or_default()
}

pub(crate) fn is_about(event: &Event, object: &ObjectKey) -> bool {
    matches!(event, Event::Applied(applied) if applied.object == *object)
}
