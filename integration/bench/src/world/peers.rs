//! A cluster that has peered with others, and the status of one of them that changes: the machine alone, without a writer,
//! so that what is counted is what it costs to know and to decide.

use std::collections::{BTreeMap, VecDeque};

use liqo_domain::{LiqoMachine, Machine as _, Output, State, effect_hash};
use liqo_events::{
    ClusterIdentityFacts, CommandIssued, CommandSucceeded, Condition, Configured, ControlPlaneSettings,
    Event, Facts, ForeignClusterFacts, GenerationChanged, IdentityFacts, LeaseGained, NamespaceFacts,
    NamespaceMapFacts, NetworkConfigFacts, NodeFacts, PodFacts, Recorded, RelistCompleted, Replication,
    ResourceOfferFacts, ResourceRequestFacts, Seq, ServerProbed, ServiceFacts, ServicePort, Settings,
    Started, Switch, TunnelEndpointFacts, TunnelSpec, UnixMillis, WatchKey,
};
use liqo_model::{ClusterId, ClusterName, ClusterRef, Kind, ObjectKey, tenant_namespace_name, unique_name};

use super::effects;
use super::objects::{Made, uid};
use crate::Result;

/// What is decided and done because of one event ends within so many turns.
const TURNS: usize = 100;
const KEY: &str = "EudZCULnVIt/iFVBRZRf6BfZJJc0Anv8Ddb1A85TzR0=";

/// A machine that is told what watches would say.
#[derive(Default)]
pub(crate) struct Peers {
    state: State,
    last: Seq,
    version: u64,
}

impl Peers {
    /// A cluster that uses the resources of so many peers.
    pub(crate) fn new(count: u32) -> Result<Self> {
        let mut peers = Self::default();
        beginning().into_iter().for_each(|event| drop(peers.record(event)));
        home().into_iter().for_each(|made| peers.show(made));
        for kind in Kind::ALL {
            peers.record(list(ClusterRef::Local, *kind));
        }
        peers.settle(LiqoMachine::resume(&peers.state).into())?;
        for peer in (0..count).map(Peer::new) {
            for made in peer.objects() {
                let event = peers.applied(made);
                let outputs = peers.record(event);
                peers.settle(outputs.into())?;
            }
        }
        (0..count).try_for_each(|peer| peers.change(peer, true).map(drop))?;
        Ok(peers)
    }

    /// The API server of a peer answers, or does not any more. Gives the number of events that come of it.
    pub(crate) fn change(&mut self, peer: u32, reachable: bool) -> Result<u64> {
        let before = self.last;
        let trouble = if reachable { String::new() } else { "it does not answer".to_owned() };
        let cluster = ClusterRef::Remote(Peer::new(peer).id);
        let outputs = self.record(ServerProbed { cluster, reachable, trouble }.into());
        self.settle(outputs.into())?;
        Ok(self.last.0 - before.0)
    }

    fn record(&mut self, event: Event) -> Vec<Output> {
        self.last = self.last.next();
        let recorded_at = UnixMillis(1_700_000_000_000).plus(self.last.0);
        let recorded = Recorded { seq: self.last, recorded_at, caused_by: None, event };
        LiqoMachine::evolve(&mut self.state, &recorded);
        LiqoMachine::decide(&self.state, &recorded)
    }

    fn show(&mut self, made: Made) {
        let event = self.applied(made);
        self.record(event);
    }

    fn applied(&mut self, (object, facts): Made) -> Event {
        self.version += 1;
        let known = self.state.objects.get(&object);
        Event::Applied(effects::applied(known, object, facts, self.version.to_string().into()))
    }

    /// Carries out what is decided, and what is decided because of that.
    fn settle(&mut self, mut waiting: VecDeque<Output>) -> Result<()> {
        for _ in 0..TURNS {
            while let Some(output) = waiting.pop_front() {
                let event = match output {
                    Output::Record(event) => event,
                    Output::Do(command) => CommandIssued { command }.into(),
                };
                if LiqoMachine::is_news(&self.state, &event) {
                    waiting.extend(self.record(event));
                }
            }
            let ready = LiqoMachine::ready(&self.state);
            if ready.is_empty() {
                return Ok(());
            }
            ready.into_iter().for_each(|ready| waiting.extend(self.carry_out(ready.command)));
        }
        Err("a change of one peer leads to one decision after the other".into())
    }

    fn carry_out(&mut self, command: liqo_events::Command) -> Vec<Output> {
        let after = effects::of(&self.state, &command);
        let done = CommandSucceeded {
            id: command.id,
            effect: effect_hash(&command.effect),
            destructive: command.effect.is_destructive(),
            slot: command.slot,
            resource_version: (self.version + 1).to_string().into(),
        };
        let mut outputs = self.record(done.into());
        for made in after {
            let event = self.applied(made);
            outputs.extend(self.record(event));
        }
        outputs
    }
}

fn beginning() -> Vec<Event> {
    let started = Started {
        instance: super::INSTANCE.into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        namespace: super::NAMESPACE.into(),
        cluster_name: "rome".into(),
        entropy: [7; 16],
    };
    let settings = ControlPlaneSettings {
        pod_cidr: "10.200.0.0/16".to_owned(),
        service_cidr: "10.80.0.0/16".to_owned(),
        sharing_percentage: 50,
        incoming: true,
        public_key: KEY.to_owned(),
        mtu: 1340,
        ..ControlPlaneSettings::default()
    };
    let reason = "the cluster is seen for the first time".to_owned();
    let life = GenerationChanged { cluster: ClusterRef::Local, uid: "life".into(), generation: 1, reason };
    vec![
        started.into(),
        life.into(),
        Configured { settings: Settings::ControlPlane(settings) }.into(),
        LeaseGained { epoch: 1, continued: false }.into(),
    ]
}

fn list(cluster: ClusterRef, kind: Kind) -> Event {
    let watch = WatchKey { cluster, kind, selector: String::new() };
    let (resource_version, objects, differences) = ("1".into(), 0, 0);
    RelistCompleted { watch, resource_version, generation: 1, objects, differences }.into()
}

/// What the cluster itself has.
fn home() -> Vec<Made> {
    let identity = ClusterIdentityFacts { id: home_id(), name: "rome".into() };
    let node = NodeFacts {
        ready: true,
        allocatable: [("cpu".to_owned(), 64_000), ("memory".to_owned(), 256_000_000_000_000)].into(),
        addresses: vec![("InternalIP".to_owned(), "172.18.1.1".to_owned())],
        ..NodeFacts::default()
    };
    let service = |name: &str, port: u16| {
        let facts = ServiceFacts {
            kind: "LoadBalancer".to_owned(),
            ports: vec![ServicePort { name: "wireguard".to_owned(), port, ..ServicePort::default() }],
            ingress: vec!["172.18.1.9".to_owned()],
            ..ServiceFacts::default()
        };
        (ObjectKey::local(Kind::Service, super::NAMESPACE, name), Facts::Service(facts))
    };
    let gateway = PodFacts {
        phase: "Running".to_owned(),
        ready: true,
        labels: [("app.kubernetes.io/name", "gateway")].into(),
        pod_ips: vec!["10.200.0.9".to_owned()],
        ..PodFacts::default()
    };
    vec![
        (
            ObjectKey::local(Kind::ConfigMap, super::NAMESPACE, "liqo-clusterid-configmap"),
            Facts::ClusterIdentity(identity),
        ),
        (ObjectKey::local_cluster_scoped(Kind::Node, "worker"), Facts::Node(node)),
        service("liqo-auth", 443),
        service("liqo-gateway", 5871),
        (ObjectKey::local(Kind::Pod, super::NAMESPACE, "liqo-gateway-1"), Facts::Pod(gateway)),
    ]
}

fn home_id() -> ClusterId {
    uid("rome").into()
}

/// A cluster whose resources are used, and everything here that is about it.
struct Peer {
    at: u32,
    id: ClusterId,
    name: ClusterName,
    tenant: String,
}

impl Peer {
    fn new(at: u32) -> Self {
        let name = ClusterName::new(format!("peer-{at:03}"));
        let id = ClusterId::new(uid(name.as_str()));
        let tenant = tenant_namespace_name(&name, &id).to_string();
        Self { at, id, name, tenant }
    }

    fn objects(&self) -> Vec<Made> {
        let identity = IdentityFacts {
            peer: self.id.clone(),
            remote_namespace: "liqo-tenant-rome".into(),
            ..IdentityFacts::default()
        };
        let tenant = NamespaceFacts { tenant_of: self.id.clone(), ..NamespaceFacts::default() };
        let here = |kind, name: &str| ObjectKey::local(kind, self.tenant.as_str(), name);
        let binding = |role: &str| {
            (here(Kind::RoleBinding, &format!("liqo-binding-liqo-remote-peering-{role}")), Facts::Presence)
        };
        let account = format!("liqo-virtual-kubelet-{}", self.unique());
        [
            (
                ObjectKey::local_cluster_scoped(Kind::Namespace, self.tenant.as_str()),
                Facts::Namespace(tenant),
            ),
            (here(Kind::Secret, "liqo-identity-1"), Facts::Identity(identity)),
            (here(Kind::Deployment, "virtual-kubelet"), Facts::Presence),
            (here(Kind::ServiceAccount, "virtual-kubelet"), Facts::Presence),
            (ObjectKey::local_cluster_scoped(Kind::ClusterRoleBinding, account), Facts::Presence),
            binding("basic"),
            binding("outgoing"),
        ]
        .into_iter()
        .chain(self.exchanged())
        .chain(self.network())
        .chain([self.node(), self.foreign_cluster()])
        .collect()
    }

    fn unique(&self) -> String {
        unique_name(&self.name, &self.id)
    }

    fn foreign_cluster(&self) -> Made {
        let established = |kind: &str| Condition {
            kind: kind.to_owned(),
            status: "Established".to_owned(),
            reason: String::new(),
            message: String::new(),
            since: UnixMillis::default(),
        };
        let facts = ForeignClusterFacts {
            cluster_id: self.id.clone(),
            cluster_name: self.name.clone(),
            auth_url: format!("https://{}.example.com:6443", self.name),
            discovery_type: "Manual".to_owned(),
            outgoing: Switch::Yes,
            labelled_id: self.id.clone(),
            finalizers: vec!["crdReplicator.liqo.io".to_owned()],
            tenant_local: self.tenant.as_str().into(),
            conditions: vec![established("NetworkStatus"), established("OutgoingPeering")],
            ..ForeignClusterFacts::default()
        };
        (
            ObjectKey::local_cluster_scoped(Kind::ForeignCluster, self.name.as_str()),
            Facts::ForeignCluster(facts),
        )
    }

    fn node(&self) -> Made {
        let facts = NodeFacts {
            is_virtual: true,
            remote_cluster: self.id.clone(),
            ready: true,
            finalizer: true,
            ..NodeFacts::default()
        };
        (ObjectKey::local_cluster_scoped(Kind::Node, format!("liqo-{}", self.name)), Facts::Node(facts))
    }

    fn sent(&self) -> Replication {
        let owners = vec![self.name.to_string()];
        let remote_id = self.id.clone();
        Replication { origin: true, remote_id, finalizer: true, owners, ..Replication::default() }
    }

    fn received(&self) -> Replication {
        let (origin_id, owners) = (self.id.clone(), vec![self.name.to_string()]);
        Replication { replicated: true, origin_id, remote_id: home_id(), owners, ..Replication::default() }
    }

    /// Request, offer and map.
    fn exchanged(&self) -> Vec<Made> {
        let request = ResourceRequestFacts {
            replication: self.sent(),
            cluster_id: home_id(),
            cluster_name: "rome".into(),
            auth_url: "https://172.18.1.9".to_owned(),
            offer_state: "Created".to_owned(),
            ..ResourceRequestFacts::default()
        };
        let offer = ResourceOfferFacts {
            replication: self.received(),
            cluster_id: self.id.clone(),
            hard: BTreeMap::from([("cpu".to_owned(), 4_000)]),
            phase: "Accepted".to_owned(),
            virtual_kubelet: "Created".to_owned(),
            kubelet_finalizer: true,
            node_finalizer: true,
            ..ResourceOfferFacts::default()
        };
        let map = NamespaceMapFacts {
            remote_cluster: self.id.clone(),
            origin: true,
            replication: self.sent(),
            ..NamespaceMapFacts::default()
        };
        let key = |kind, name: &str| ObjectKey::local(kind, self.tenant.as_str(), name);
        vec![
            (key(Kind::ResourceRequest, "rome"), Facts::ResourceRequest(request)),
            (key(Kind::ResourceOffer, self.name.as_str()), Facts::ResourceOffer(offer)),
            (key(Kind::NamespaceMap, &self.unique()), Facts::NamespaceMap(map)),
        ]
    }

    /// What both clusters told each other, and the tunnel.
    fn network(&self) -> Vec<Made> {
        let (pods, external) = (format!("10.{}.0.0/16", self.at), format!("192.168.{}.0/24", self.at));
        let config = |replication, cluster_id, endpoint: &str, pod_cidr: &str, external_cidr: &str| {
            Facts::NetworkConfig(NetworkConfigFacts {
                replication,
                cluster_id,
                pod_cidr: pod_cidr.to_owned(),
                external_cidr: external_cidr.to_owned(),
                endpoint: endpoint.to_owned(),
                public_key: KEY.to_owned(),
                port: "5871".to_owned(),
                processed: true,
                pod_cidr_nat: "None".to_owned(),
                external_cidr_nat: "None".to_owned(),
                finalizer: true,
            })
        };
        let tunnel = TunnelEndpointFacts {
            spec: TunnelSpec { cluster_id: self.id.clone(), ..TunnelSpec::default() },
            connection: "Connected".to_owned(),
            latency: "1ms".to_owned(),
            gateway: "10.200.0.9".to_owned(),
        };
        let key = |kind, name: &str| ObjectKey::local(kind, self.tenant.as_str(), name);
        let ours = config(self.sent(), self.id.clone(), "172.18.1.9", "10.200.0.0/16", "10.201.0.0/16");
        let theirs = config(self.received(), home_id(), "172.18.2.9", &pods, &external);
        vec![
            (key(Kind::NetworkConfig, &self.unique()), ours),
            (key(Kind::NetworkConfig, &unique_name(&"rome".into(), &home_id())), theirs),
            (key(Kind::TunnelEndpoint, &self.unique()), Facts::TunnelEndpoint(tunnel)),
        ]
    }
}
