//! `given(events).when(event)` gives the outputs, as an engine that is live would get them.

use std::collections::BTreeMap;

use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, CommandIssued, CommandSucceeded, Condition, Effect, Event,
    Facts, ForeignClusterFacts, GenerationChanged, MappingFacts, NamespaceFacts, NamespaceMapFacts,
    NodeFacts, OffloadingFacts, Recorded, RelistCompleted, Seq, Started, UnixMillis, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use crate::{LiqoMachine, Machine, OFFLOADING_FINALIZER, Output, State, effect_hash};

pub(super) const MINUTE: i64 = 60_000;

/// A log that grows, and the state that follows from it.
#[derive(Clone, Default)]
pub(super) struct Scenario {
    pub(super) state: State,
    pub(super) log: Vec<Recorded>,
    pub(super) now: i64,
}

impl Scenario {
    /// A process that started, holds the lease and has listed everything of a cluster with an identity.
    pub(super) fn settled() -> Self {
        Self::default()
            .given([
                started(),
                generation(1),
                applied(identity_key(), "1", Facts::ClusterIdentity(identity_facts())),
            ])
            .given(lists(1))
            .acted()
    }

    pub(super) fn given(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        for event in events {
            self.record(event, None);
        }
        self
    }

    pub(super) fn record(&mut self, event: Event, caused_by: Option<Seq>) -> Seq {
        let seq = Seq(self.log.len() as u64 + 1);
        self.now += 1;
        let recorded = Recorded { seq, recorded_at: UnixMillis(self.now), caused_by, event };
        LiqoMachine::evolve(&mut self.state, &recorded);
        self.log.push(recorded);
        seq
    }

    pub(super) fn later(mut self, millis: i64) -> Self {
        self.now += millis;
        self
    }

    /// Records the event and gives what the machine makes of it; choices are recorded as an engine does.
    pub(super) fn when(&mut self, event: Event) -> Vec<Effect> {
        self.record(event, None);
        self.settle()
    }

    /// Decides, records the decisions and decides again until only commands are left. Gives their effects.
    fn settle(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut outputs = self.decide();
        while !outputs.is_empty() {
            let mut next = Vec::new();
            for output in outputs {
                let event = match output {
                    Output::Record(event) => event,
                    Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
                };
                if !LiqoMachine::is_news(&self.state, &event) {
                    continue;
                }
                if let Event::CommandIssued(issued) = &event {
                    effects.push(issued.command.effect.clone());
                }
                self.record(event, self.log.last().map(|last| last.seq));
                next.extend(self.decide());
            }
            outputs = next;
        }
        effects
    }

    fn decide(&self) -> Vec<Output> {
        self.log.last().map(|last| LiqoMachine::decide(&self.state, last)).unwrap_or_default()
    }

    /// Plans everything and carries all of it out, without the watch showing it.
    pub(super) fn acted(mut self) -> Self {
        for output in LiqoMachine::resume(&self.state) {
            let event = match output {
                Output::Record(event) => event,
                Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
            };
            self.record(event, None);
        }
        self
    }

    /// The commands that wait for nothing.
    pub(super) fn ready(&self) -> Vec<Effect> {
        LiqoMachine::ready(&self.state).into_iter().map(|ready| ready.command.effect).collect()
    }

    /// Every command that is ready succeeds; the objects get this version.
    pub(super) fn succeed(&mut self, version: &str) {
        for ready in LiqoMachine::ready(&self.state) {
            let command = ready.command;
            self.record(
                Event::CommandSucceeded(CommandSucceeded {
                    id: command.id,
                    effect: effect_hash(&command.effect),
                    destructive: command.effect.is_destructive(),
                    slot: command.slot,
                    resource_version: version.into(),
                }),
                None,
            );
        }
    }
}

pub(super) fn started() -> Event {
    Event::Started(Started {
        instance: "pod-1".into(),
        version: "test".to_owned(),
        namespace: "liqo".into(),
        cluster_name: "rome".into(),
        entropy: [7; 16],
    })
}

pub(super) fn generation(generation: u64) -> Event {
    Event::GenerationChanged(GenerationChanged {
        cluster: ClusterRef::Local,
        uid: format!("life-{generation}").into(),
        generation,
        reason: "first contact".to_owned(),
    })
}

pub(super) fn list_of(kind: Kind, generation: u64) -> Event {
    Event::RelistCompleted(RelistCompleted {
        watch: WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() },
        resource_version: "5".into(),
        generation,
        objects: 0,
        differences: 0,
    })
}

pub(super) fn lists(generation: u64) -> Vec<Event> {
    [
        Kind::ConfigMap,
        Kind::Namespace,
        Kind::Node,
        Kind::ForeignCluster,
        Kind::NamespaceOffloading,
        Kind::NamespaceMap,
    ]
    .map(|kind| list_of(kind, generation))
    .to_vec()
}

pub(super) fn applied(object: ObjectKey, version: &str, facts: Facts) -> Event {
    Event::Applied(applied_body(object, version, facts))
}

pub(super) fn applied_body(object: ObjectKey, version: &str, facts: Facts) -> Applied {
    Applied {
        uid: format!("uid-{object}").into(),
        object,
        resource_version: version.into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts,
        coalesced: 0,
    }
}

pub(super) fn deleting(object: ObjectKey, version: &str, facts: Facts) -> Event {
    Event::Applied(Applied { deleting: true, ..applied_body(object, version, facts) })
}

pub(super) fn identity_key() -> ObjectKey {
    ObjectKey::local(Kind::ConfigMap, "liqo", "liqo-clusterid-configmap")
}

pub(super) fn identity_facts() -> ClusterIdentityFacts {
    ClusterIdentityFacts { id: "rome-id".into(), name: "rome".into() }
}

pub(super) fn peer_key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name)
}

pub(super) fn peer_facts(id: &str) -> ForeignClusterFacts {
    ForeignClusterFacts {
        cluster_id: id.into(),
        cluster_name: "milan".into(),
        auth_url: "https://milan.example:443".to_owned(),
        labelled_id: id.into(),
        ..ForeignClusterFacts::default()
    }
}

pub(super) fn namespace_key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Namespace, name)
}

pub(super) fn namespace(name: &str, scheduling_enabled: bool) -> Event {
    let facts = NamespaceFacts { scheduling_enabled, ..NamespaceFacts::default() };
    applied(namespace_key(name), "20", Facts::Namespace(facts))
}

pub(super) fn offloading_key(namespace: &str) -> ObjectKey {
    ObjectKey::local(Kind::NamespaceOffloading, namespace, "offloading")
}

pub(super) fn offloading_facts() -> OffloadingFacts {
    OffloadingFacts { finalizer: true, ..OffloadingFacts::default() }
}

pub(super) fn offloading(facts: OffloadingFacts) -> Event {
    applied(offloading_key("shop"), "30", Facts::Offloading(facts))
}

pub(super) fn node(peer: &str, labels: &[(&str, &str)]) -> Event {
    let facts = NodeFacts {
        is_virtual: true,
        remote_cluster: format!("{peer}-id").into(),
        labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..NodeFacts::default()
    };
    applied(ObjectKey::local_cluster_scoped(Kind::Node, format!("liqo-{peer}")), "40", Facts::Node(facts))
}

pub(super) fn map_key(peer: &str) -> ObjectKey {
    ObjectKey::local(Kind::NamespaceMap, format!("liqo-tenant-{peer}"), peer)
}

/// A map towards the peer; `desired` and `current` are about namespace `shop`.
pub(super) fn map(peer: &str, version: &str, desired: Option<&str>, current: Option<&str>) -> Event {
    applied(map_key(peer), version, Facts::NamespaceMap(map_facts(peer, desired, current)))
}

pub(super) fn map_facts(peer: &str, desired: Option<&str>, current: Option<&str>) -> NamespaceMapFacts {
    NamespaceMapFacts {
        remote_cluster: format!("{peer}-id").into(),
        origin: true,
        desired: desired.map(|remote| ("shop".into(), remote.into())).into_iter().collect(),
        current: current
            .map(|phase| {
                ("shop".to_owned(), MappingFacts { remote: "shop-rome".into(), phase: phase.to_owned() })
            })
            .into_iter()
            .collect(),
        ..NamespaceMapFacts::default()
    }
}

pub(super) fn condition(kind: &str, status: &str, reason: &str, message: &str, since: i64) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        since: UnixMillis(since),
    }
}

pub(super) fn uid(key: &ObjectKey) -> liqo_model::Uid {
    format!("uid-{key}").into()
}

pub(super) fn finalizer(present: bool) -> Effect {
    Effect::SetFinalizer {
        uid: uid(&offloading_key("shop")),
        finalizer: OFFLOADING_FINALIZER.to_owned(),
        present,
    }
}

/// Conditions of a status, shortened to type, status and reason.
pub(super) fn short(conditions: &BTreeMap<String, Vec<Condition>>) -> Vec<String> {
    conditions
        .iter()
        .flat_map(|(map, all)| {
            all.iter().map(move |one| format!("{map} {} {} {}", one.kind, one.status, one.reason))
        })
        .collect()
}
