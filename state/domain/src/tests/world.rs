//! Two clusters that see and write each other's objects: what is written is seen some time later, in any order but that
//! of one kind in one cluster.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, CommandSucceeded, CommandSuperseded, Configured,
    ControlPlaneSettings, Effect, Event, Facts, ForeignClusterFacts, GenerationChanged, NamespaceFacts,
    NodeFacts, PodFacts, Proof, RelistCompleted, ServerProbed, ServiceFacts, ServicePort, Settings, Started,
    TunnelReported, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey, Uid};

use super::scenario::Scenario;
use super::world_effects::{Outcome, carry_out};
use crate::{LiqoMachine, Listed, Machine, WatchWish, control_plane_watches, effect_hash, links};

/// An object in an API server.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) uid: Uid,
    pub(super) version: u64,
    pub(super) deleting: bool,
    pub(super) facts: Facts,
}

/// An API server and the controller manager of its cluster.
pub(super) struct Cluster {
    pub(super) name: &'static str,
    pub(super) objects: BTreeMap<ObjectKey, Stored>,
    pub(super) scenario: Scenario,
    watches: BTreeSet<WatchWish>,
}

/// Two clusters, and what is on its way between them.
pub(super) struct World {
    pub(super) clusters: [Cluster; 2],
    /// Events by who will see them, whose object it is, and its kind.
    pub(super) under_way: BTreeMap<(usize, usize, Kind), VecDeque<Event>>,
    /// Whether the clusters cannot reach each other.
    pub(super) cut: bool,
    version: u64,
    chance: u64,
}

pub(super) const ROME: usize = 0;
pub(super) const MILAN: usize = 1;

/// A digest of anything.
pub(super) fn digest(of: &impl Hash) -> BodyDigest {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    BodyDigest(bytes)
}

impl World {
    /// Two clusters that know nothing of each other. The seed says in which order things happen.
    pub(super) fn new(seed: u64, settings: &ControlPlaneSettings) -> Self {
        let cluster = |name| Cluster {
            name,
            objects: BTreeMap::new(),
            scenario: Scenario::default(),
            watches: BTreeSet::new(),
        };
        let mut world = Self {
            clusters: [cluster("rome"), cluster("milan")],
            under_way: BTreeMap::new(),
            cut: false,
            version: 100,
            chance: seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1),
        };
        for at in [ROME, MILAN] {
            world.begin(at, settings);
        }
        world
    }

    fn begin(&mut self, at: usize, settings: &ControlPlaneSettings) {
        let name = self.clusters[at].name;
        for event in opening(name, settings) {
            self.clusters[at].scenario.when(event);
        }
        let identity = ClusterIdentityFacts { id: format!("{name}-id").into(), name: name.into() };
        let node = NodeFacts {
            ready: true,
            allocatable: [("cpu".to_owned(), 4_000), ("memory".to_owned(), 8_000_000_000_000)].into(),
            addresses: vec![("InternalIP".to_owned(), format!("172.18.{}.1", at + 1))],
            ..NodeFacts::default()
        };
        let service = ServiceFacts {
            kind: "NodePort".to_owned(),
            ports: vec![ServicePort { node_port: 30_443, port: 443, ..ServicePort::default() }],
            ..ServiceFacts::default()
        };
        self.write(at, super::scenario::identity_key(), Facts::ClusterIdentity(identity));
        self.write(at, ObjectKey::local_cluster_scoped(Kind::Node, "worker"), Facts::Node(node));
        self.write(at, ObjectKey::local(Kind::Service, "liqo", "liqo-auth"), Facts::Service(service));
        let wireguard = ServicePort { name: "wireguard".to_owned(), port: 5871, ..ServicePort::default() };
        let gateway = ServiceFacts {
            kind: "LoadBalancer".to_owned(),
            ports: vec![wireguard],
            ingress: vec![format!("172.18.{}.9", at + 1)],
            ..ServiceFacts::default()
        };
        self.write(at, ObjectKey::local(Kind::Service, "liqo", "liqo-gateway"), Facts::Service(gateway));
        let pod = PodFacts {
            phase: "Running".to_owned(),
            ready: true,
            labels: [("app.kubernetes.io/name".to_owned(), "gateway".to_owned())].into(),
            pod_ips: vec!["172.18.0.9".to_owned()],
            ..PodFacts::default()
        };
        self.write(at, ObjectKey::local(Kind::Pod, "liqo", "liqo-gateway-1"), Facts::Pod(pod));
        self.write(at, super::scenario::namespace_key("liqo"), Facts::Namespace(NamespaceFacts::default()));
        for kind in Kind::ALL {
            let watch = WatchKey { cluster: ClusterRef::Local, kind: *kind, selector: String::new() };
            self.under_way.entry((at, at, *kind)).or_default().push_back(completed(watch));
        }
    }

    /// The process of a cluster ends and starts again, with its log or without. What was on its way to it is lost; it
    /// lists everything before it decides anything.
    pub(super) fn restart(&mut self, at: usize, settings: &ControlPlaneSettings, with_log: bool) {
        let cluster = &mut self.clusters[at];
        cluster.watches.clear();
        let before = std::mem::take(&mut cluster.scenario);
        let mut scenario = Scenario { now: before.now, ..Scenario::default() };
        let kept = if with_log { before.log } else { Vec::new() };
        kept.iter().for_each(|recorded| LiqoMachine::evolve(&mut scenario.state, recorded));
        scenario.log = kept;
        for event in opening(cluster.name, settings) {
            if !(with_log && matches!(event, Event::GenerationChanged(_))) {
                scenario.record(event, None);
            }
        }
        for (key, stored) in &cluster.objects {
            scenario.record(applied(key.clone(), stored), None);
        }
        for kind in Kind::ALL {
            let present = cluster.objects.iter().filter(|(key, _)| key.kind == *kind);
            let listed = Listed {
                watch: WatchKey { cluster: ClusterRef::Local, kind: *kind, selector: String::new() },
                resource_version: self.version.to_string().into(),
                generation: 1,
                present: present.map(|(key, stored)| (key.clone(), stored.uid.clone())).collect(),
            };
            for event in LiqoMachine::compare(&scenario.state, &listed) {
                scenario.record(event, None);
            }
        }
        cluster.scenario = scenario.acted();
        self.under_way.retain(|(watcher, ..), _| *watcher != at);
    }

    /// Makes or replaces an object.
    pub(super) fn write(&mut self, at: usize, key: ObjectKey, facts: Facts) -> u64 {
        self.version += 1;
        let version = self.version;
        let known = self.clusters[at].objects.get(&key);
        let stored = Stored {
            uid: known.map_or_else(|| format!("uid-{version}").into(), |known| known.uid.clone()),
            version,
            deleting: known.is_some_and(|known| known.deleting),
            facts: with_digests(facts),
        };
        if stored.deleting && !is_held(&stored.facts) {
            self.remove(at, &key);
            return version;
        }
        self.clusters[at].objects.insert(key.clone(), stored);
        self.show(at, &key);
        version
    }

    /// Asks for an object to be deleted.
    pub(super) fn delete(&mut self, at: usize, key: &ObjectKey) {
        let Some(stored) = self.clusters[at].objects.get_mut(key) else { return };
        if is_held(&stored.facts) {
            self.version += 1;
            stored.deleting = true;
            stored.version = self.version;
            self.show(at, key);
        } else {
            self.remove(at, key);
        }
    }

    fn remove(&mut self, at: usize, key: &ObjectKey) {
        let Some(gone) = self.clusters[at].objects.remove(key) else { return };
        self.version += 1;
        for (watcher, object) in self.watchers(at, key, &gone.facts) {
            let event = Event::Vanished(Vanished {
                object,
                uid: gone.uid.clone(),
                resource_version: self.version.to_string().into(),
                proof: Proof::Deleted,
            });
            self.under_way.entry((watcher, at, key.kind)).or_default().push_back(event);
        }
        self.collect(at, key);
    }

    /// What goes with an object: the content of a namespace, and what belongs to a ForeignCluster.
    fn collect(&mut self, at: usize, gone: &ObjectKey) {
        let goes = |key: &ObjectKey, stored: &Stored| match gone.kind {
            Kind::Namespace => key.namespace == gone.name,
            Kind::ForeignCluster => match &stored.facts {
                Facts::ResourceRequest(facts) => facts.replication.owners.contains(&gone.name),
                _ => false,
            },
            _ => false,
        };
        let all = self.clusters[at].objects.iter();
        let goes: Vec<_> =
            all.filter(|(key, stored)| goes(key, stored)).map(|(key, _)| key.clone()).collect();
        for key in goes {
            self.delete(at, &key);
        }
    }

    /// Who sees an object, and under which name.
    fn watchers(&self, at: usize, key: &ObjectKey, facts: &Facts) -> Vec<(usize, ObjectKey)> {
        let mut watchers = vec![(at, key.clone())];
        let other = 1 - at;
        let cluster = ClusterRef::Remote(format!("{}-id", self.clusters[at].name).into());
        let watched = self.clusters[other].watches.iter().any(|watch| {
            watch.cluster == cluster && watch.kind == key.kind && watch.namespace == key.namespace
        });
        if watched && is_copy_of(facts, self.clusters[other].name) {
            watchers.push((other, ObjectKey { cluster, ..key.clone() }));
        }
        watchers
    }

    fn show(&mut self, at: usize, key: &ObjectKey) {
        let stored = self.clusters[at].objects[key].clone();
        for (watcher, object) in self.watchers(at, key, &stored.facts) {
            let event = applied(object, &stored);
            self.under_way.entry((watcher, at, key.kind)).or_default().push_back(event);
        }
    }

    /// Opens the watches that are wished for, with a list first, and closes the others.
    fn watch(&mut self, at: usize) -> bool {
        if self.cut {
            return false;
        }
        let wishes = control_plane_watches(&self.clusters[at].scenario.state);
        let opened: Vec<WatchWish> = wishes.difference(&self.clusters[at].watches).cloned().collect();
        self.clusters[at].watches = wishes;
        let other = 1 - at;
        for wish in &opened {
            if self.clusters[at].scenario.state.generation(&wish.cluster) == 0 {
                self.clusters[at].scenario.when(generation(wish.cluster.clone()));
                let probe =
                    ServerProbed { cluster: wish.cluster.clone(), reachable: true, trouble: String::new() };
                self.clusters[at].scenario.when(Event::ServerProbed(probe));
            }
            let name = self.clusters[at].name;
            let there: Vec<_> = self.clusters[other]
                .objects
                .iter()
                .filter(|(key, stored)| {
                    key.kind == wish.kind
                        && key.namespace == wish.namespace
                        && is_copy_of(&stored.facts, name)
                })
                .map(|(key, stored)| {
                    (ObjectKey { cluster: wish.cluster.clone(), ..key.clone() }, stored.clone())
                })
                .collect();
            // A list shows what is there now, so nothing earlier may follow it.
            self.under_way.remove(&(at, other, wish.kind));
            for (key, stored) in &there {
                self.clusters[at].scenario.when(applied(key.clone(), stored));
            }
            let selector = format!("namespace={};{}", wish.namespace, wish.labels);
            let watch = WatchKey { cluster: wish.cluster.clone(), kind: wish.kind, selector };
            let listed = Listed {
                watch,
                resource_version: self.version.to_string().into(),
                generation: 1,
                present: there.into_iter().map(|(key, stored)| (key, stored.uid)).collect(),
            };
            for event in LiqoMachine::compare(&self.clusters[at].scenario.state, &listed) {
                self.clusters[at].scenario.when(event);
            }
        }
        !opened.is_empty()
    }

    fn dice(&mut self, sides: usize) -> usize {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.chance >> 33).unwrap_or(0) % sides.max(1)
    }

    /// Lets one thing happen. Nothing happens any more when this is false.
    pub(super) fn step(&mut self) -> bool {
        let reaches = |(watcher, of, _): &(usize, usize, Kind)| !self.cut || watcher == of;
        let full = self.under_way.iter().filter(|(key, queue)| !queue.is_empty() && reaches(key));
        let full: Vec<_> = full.map(|(key, _)| *key).collect();
        let ready: Vec<_> = [ROME, MILAN]
            .into_iter()
            .flat_map(|at| {
                LiqoMachine::ready(&self.clusters[at].scenario.state)
                    .into_iter()
                    .map(move |ready| (at, ready))
            })
            .filter(|(_, ready)| !self.cut || !needs_peer(&ready.command))
            .collect();
        let chosen = self.dice(full.len() + ready.len());
        if let Some(queue) = full.get(chosen) {
            let event = self.under_way.get_mut(queue).and_then(VecDeque::pop_front);
            self.tell(queue.0, event);
        } else if let Some((at, ready)) = ready.into_iter().nth(chosen - full.len()) {
            let outcome = carry_out(self, at, &ready.command);
            let command = ready.command;
            let version = match &outcome {
                Outcome::Written(version) => version.to_string().into(),
                Outcome::Deleted | Outcome::Superseded(_) => "".into(),
            };
            let event = match outcome {
                Outcome::Written(_) | Outcome::Deleted => Event::CommandSucceeded(CommandSucceeded {
                    id: command.id,
                    effect: effect_hash(&command.effect),
                    destructive: command.effect.is_destructive(),
                    slot: command.slot,
                    resource_version: version,
                }),
                Outcome::Superseded(reason) => {
                    Event::CommandSuperseded(CommandSuperseded { id: command.id, reason })
                }
            };
            self.tell(at, Some(event));
        } else {
            let opened = self.watch(ROME) | self.watch(MILAN);
            let agents = self.kubelet(ROME) | self.kubelet(MILAN) | self.gateway(ROME) | self.gateway(MILAN);
            return opened | agents;
        }
        if self.dice(4) == 0 {
            self.watch(ROME);
            self.watch(MILAN);
            self.kubelet(ROME);
            self.kubelet(MILAN);
        }
        true
    }

    fn tell(&mut self, at: usize, event: Option<Event>) {
        let Some(event) = event else { return };
        if LiqoMachine::is_news(&self.clusters[at].scenario.state, &event) {
            self.clusters[at].scenario.when(event);
        }
    }

    /// Lets things happen until nothing does any more.
    pub(super) fn settle(&mut self) {
        for _ in 0..20_000 {
            if !self.step() {
                return;
            }
        }
        let last: Vec<_> =
            self.clusters.iter().flat_map(|cluster| cluster.scenario.log.iter().rev().take(12)).collect();
        panic!("it never comes to rest: {last:#?}");
    }

    /// Lets things happen until something is so.
    pub(super) fn run_until(&mut self, reached: impl Fn(&Self) -> bool) {
        while !reached(self) {
            assert!(self.step(), "it comes to rest before");
        }
    }

    /// A gateway: every tunnel that is asked for is connected.
    fn gateway(&mut self, at: usize) -> bool {
        let tunnels = self.clusters[at].objects.values().filter_map(|stored| match &stored.facts {
            Facts::TunnelEndpoint(facts) => Some(facts.spec.cluster_id.clone()),
            _ => None,
        });
        let tunnels: Vec<_> = tunnels.collect();
        let mut changed = false;
        for peer in tunnels {
            let report = Event::TunnelReported(TunnelReported {
                peer,
                gateway: "172.18.0.9".to_owned(),
                connected: true,
                round_trip_micros: 1000,
                trouble: String::new(),
            });
            changed |= LiqoMachine::is_news(&self.clusters[at].scenario.state, &report);
            self.tell(at, Some(report));
        }
        changed
    }

    /// A virtual kubelet, as far as the control plane sees it.
    fn kubelet(&mut self, at: usize) -> bool {
        let objects = &self.clusters[at].objects;
        let offers = objects.iter().filter_map(|(key, stored)| match &stored.facts {
            Facts::ResourceOffer(facts) if facts.replication.replicated => {
                Some((key.clone(), stored.clone(), facts.clone()))
            }
            _ => None,
        });
        let offers: Vec<_> = offers.collect();
        let mut changed = false;
        for (key, stored, mut facts) in offers {
            let deployment = ObjectKey::local(Kind::Deployment, key.namespace.as_str(), "virtual-kubelet");
            if !self.clusters[at].objects.contains_key(&deployment) {
                continue;
            }
            let node = ObjectKey::local_cluster_scoped(Kind::Node, format!("liqo-{}", key.name));
            let ends = facts.withdrawn || stored.deleting;
            // Pods on the node are only known to be gone when the provider says so.
            if ends && self.cut {
                continue;
            }
            if ends && facts.node_finalizer {
                self.delete(at, &node);
                facts.node_finalizer = false;
                self.write(at, key, Facts::ResourceOffer(facts));
                changed = true;
            } else if !ends && !self.clusters[at].objects.contains_key(&node) {
                let node_facts = NodeFacts {
                    is_virtual: true,
                    remote_cluster: facts.cluster_id.clone(),
                    ..NodeFacts::default()
                };
                self.write(at, node, Facts::Node(node_facts));
                facts.node_finalizer = true;
                self.write(at, key, Facts::ResourceOffer(facts));
                changed = true;
            }
        }
        changed
    }

    /// Facts of the ForeignCluster of that name.
    pub(super) fn foreign_cluster(&self, at: usize, name: &str) -> Option<&ForeignClusterFacts> {
        let key = ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name);
        match &self.clusters[at].objects.get(&key)?.facts {
            Facts::ForeignCluster(facts) => Some(facts),
            _ => None,
        }
    }

    /// Names of the objects of these kinds.
    pub(super) fn names(&self, at: usize, kinds: &[Kind]) -> Vec<String> {
        let keys = self.clusters[at].objects.keys();
        keys.filter(|key| kinds.contains(&key.kind)).map(ToString::to_string).collect()
    }

    /// Whether the cluster has an identity at the other.
    pub(super) fn is_linked(&self, at: usize) -> bool {
        !links(&self.clusters[at].scenario.state).is_empty()
    }
}

/// What a process says first.
fn opening(name: &str, settings: &ControlPlaneSettings) -> [Event; 3] {
    let started = Started {
        instance: "pod".into(),
        version: "test".to_owned(),
        namespace: "liqo".into(),
        cluster_name: name.into(),
        entropy: [1; 16],
    };
    let settings = Settings::ControlPlane(settings.clone());
    let life = generation(ClusterRef::Local);
    [Event::Started(started), life, Event::Configured(Configured { settings })]
}

/// Whether a command cannot be carried out without the peer.
fn needs_peer(command: &Command) -> bool {
    let asks = matches!(command.effect, Effect::Authenticate { .. } | Effect::ReplicateStatus { .. });
    asks || command.slot.object.cluster != ClusterRef::Local
}

fn generation(cluster: ClusterRef) -> Event {
    Event::GenerationChanged(GenerationChanged {
        cluster,
        uid: "life".into(),
        generation: 1,
        reason: "first contact".to_owned(),
    })
}

fn completed(watch: WatchKey) -> Event {
    Event::RelistCompleted(RelistCompleted {
        watch,
        resource_version: "1".into(),
        generation: 1,
        objects: 0,
        differences: 0,
    })
}

fn applied(object: ObjectKey, stored: &Stored) -> Event {
    Event::Applied(Applied {
        object,
        uid: stored.uid.clone(),
        resource_version: stored.version.to_string().into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: stored.deleting,
        digest: digest(&stored.facts),
        facts: stored.facts.clone(),
        coalesced: 0,
    })
}

fn is_copy_of(facts: &Facts, home: &str) -> bool {
    let replication = match facts {
        Facts::ResourceRequest(facts) => &facts.replication,
        Facts::ResourceOffer(facts) => &facts.replication,
        Facts::NetworkConfig(facts) => &facts.replication,
        Facts::NamespaceMap(facts) => &facts.replication,
        _ => return false,
    };
    replication.replicated && replication.origin_id.as_str() == format!("{home}-id")
}

/// Whether a finalizer keeps the object.
fn is_held(facts: &Facts) -> bool {
    match facts {
        Facts::ForeignCluster(facts) => !facts.finalizers.is_empty(),
        Facts::ResourceRequest(facts) => facts.replication.finalizer,
        Facts::ResourceOffer(facts) => {
            facts.replication.finalizer || facts.node_finalizer || facts.kubelet_finalizer
        }
        Facts::NetworkConfig(facts) => facts.replication.finalizer || facts.finalizer,
        Facts::NamespaceMap(facts) => facts.replication.finalizer || facts.finalizer,
        Facts::Node(facts) => facts.finalizer,
        Facts::Offloading(facts) => facts.finalizer,
        _ => false,
    }
}

/// The facts with the digests of their halves.
fn with_digests(mut facts: Facts) -> Facts {
    match &mut facts {
        Facts::ResourceRequest(facts) => {
            facts.replication.spec =
                digest(&(&facts.cluster_id, &facts.cluster_name, &facts.auth_url, facts.withdrawn));
            facts.replication.status = digest(&(facts.offer_withdrawn, &facts.offer_state));
        }
        Facts::ResourceOffer(facts) => {
            facts.replication.spec =
                digest(&(&facts.cluster_id, &facts.hard, &facts.labels, facts.withdrawn));
            facts.replication.status = digest(&(&facts.phase, &facts.virtual_kubelet));
        }
        Facts::NetworkConfig(facts) => {
            facts.replication.spec = digest(&(
                (&facts.cluster_id, &facts.pod_cidr, &facts.external_cidr),
                (&facts.endpoint, &facts.public_key, &facts.port),
            ));
            facts.replication.status =
                digest(&(facts.processed, &facts.pod_cidr_nat, &facts.external_cidr_nat));
        }
        Facts::NamespaceMap(facts) => {
            facts.replication.spec = digest(&facts.desired);
            facts.replication.status = digest(&facts.current);
        }
        _ => {}
    }
    facts
}
