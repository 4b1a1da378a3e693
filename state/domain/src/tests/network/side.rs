//! A cluster with a model API server for the objects of the network: commands are carried out and seen.

use std::collections::BTreeMap;

use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, CommandSucceeded, Condition, Configured, Content,
    ControlPlaneSettings, Effect, Event, Facts, ForeignClusterFacts, IpamStorageFacts, NetworkConfigFacts,
    NodeFacts, PodFacts, Proof, Replication, ServiceFacts, ServicePort, Settings, Status,
    TunnelEndpointFacts, UnixMillis, Vanished,
};
use liqo_model::{ClusterId, Kind, ObjectKey, tenant_namespace_name, unique_name};

use crate::tests::scenario::{Scenario, applied, generation, identity_key, list_of, started};
use crate::{LiqoMachine, Machine, Output, effect_hash};

pub(super) const KEY: &str = "EudZCULnVIt/iFVBRZRf6BfZJJc0Anv8Ddb1A85TzR0=";

/// Every kind that is listed when the process starts.
pub(super) const LISTED: [Kind; 12] = [
    Kind::ConfigMap,
    Kind::Namespace,
    Kind::Node,
    Kind::Pod,
    Kind::Service,
    Kind::ForeignCluster,
    Kind::NamespaceOffloading,
    Kind::NamespaceMap,
    Kind::NetworkConfig,
    Kind::TunnelEndpoint,
    Kind::IpamStorage,
    Kind::NatMapping,
];

/// A cluster and what its API server holds.
#[derive(Clone)]
pub(super) struct Side {
    pub(super) scenario: Scenario,
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) objects: BTreeMap<ObjectKey, Applied>,
    version: u32,
}

pub(super) fn settings() -> ControlPlaneSettings {
    ControlPlaneSettings {
        pod_cidr: "10.200.0.0/16".to_owned(),
        service_cidr: "10.80.0.0/16".to_owned(),
        public_key: KEY.to_owned(),
        mtu: 1340,
        ..ControlPlaneSettings::default()
    }
}

pub(super) fn configured(settings: ControlPlaneSettings) -> Event {
    Event::Configured(Configured { settings: Settings::ControlPlane(settings) })
}

/// A real node of this address.
pub(super) fn node(address: &str) -> NodeFacts {
    NodeFacts {
        addresses: vec![("InternalIP".to_owned(), address.to_owned())],
        ready: true,
        ..NodeFacts::default()
    }
}

pub(super) fn node_key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Node, name)
}

/// The Service in front of the gateway.
pub(super) fn service() -> ServiceFacts {
    let port = ServicePort {
        name: "wireguard".to_owned(),
        protocol: "UDP".to_owned(),
        port: 5871,
        node_port: 32200,
    };
    ServiceFacts { kind: "NodePort".to_owned(), ports: vec![port], ..ServiceFacts::default() }
}

pub(super) fn service_key() -> ObjectKey {
    ObjectKey::local(Kind::Service, "liqo", "liqo-gateway")
}

/// A gateway that is ready.
pub(super) fn gateway(node: &str, address: &str) -> PodFacts {
    PodFacts {
        node: node.to_owned(),
        phase: "Running".to_owned(),
        pod_ips: vec![address.to_owned()],
        labels: [("app.kubernetes.io/name", "gateway")].into(),
        ready: true,
        ..PodFacts::default()
    }
}

pub(super) fn gateway_key() -> ObjectKey {
    ObjectKey::local(Kind::Pod, "liqo", "liqo-gateway-1")
}

impl Side {
    /// A cluster that knows nobody.
    pub(super) fn new(id: &'static str, name: &'static str) -> Self {
        let mut side =
            Self { scenario: Scenario::default(), id, name, objects: BTreeMap::new(), version: 100 };
        side.sees(node_key("worker"), Facts::Node(node("172.18.1.2")));
        side.sees(service_key(), Facts::Service(service()));
        side.sees(gateway_key(), Facts::Pod(gateway("worker", "10.200.1.9")));
        side.started()
    }

    /// The process begins with an empty log, and lists what there is.
    pub(super) fn started(self) -> Self {
        let identity = ClusterIdentityFacts { id: self.id.into(), name: self.name.into() };
        let first =
            [started(), generation(1), applied(identity_key(), "1", Facts::ClusterIdentity(identity))];
        let seen = self.objects.values().cloned().map(Event::Applied).collect::<Vec<_>>();
        let lists = LISTED.map(|kind| list_of(kind, 1));
        let mut scenario = Scenario::default().given(first).given([configured(settings())]).given(seen);
        for list in lists {
            scenario.when(list);
        }
        Self { scenario, ..self }
    }

    fn sees(&mut self, key: ObjectKey, facts: Facts) -> Applied {
        self.version += 1;
        let known = self.objects.get(&key);
        let applied = Applied {
            uid: known.map_or_else(|| format!("{key}-{}", self.version).into(), |known| known.uid.clone()),
            resource_version: self.version.to_string().as_str().into(),
            generation: 1,
            created_at: UnixMillis(0),
            deleting: known.is_some_and(|known| known.deleting),
            digest: BodyDigest(u128::from(self.version).to_be_bytes()),
            facts,
            coalesced: 0,
            object: key.clone(),
        };
        self.objects.insert(key, applied.clone());
        applied
    }

    /// An object is written by somebody and seen.
    pub(super) fn write(&mut self, key: ObjectKey, facts: Facts) {
        let applied = self.sees(key, facts);
        self.hear(Event::Applied(applied));
    }

    /// An event comes; whatever it makes necessary is planned at once.
    pub(super) fn hear(&mut self, event: Event) {
        self.scenario.when(event);
        let kinds = [Kind::NetworkConfig, Kind::TunnelEndpoint, Kind::NatMapping, Kind::IpamStorage];
        let is_missed = |output: &Output| match output {
            Output::Do(command) => kinds.contains(&command.slot.object.kind),
            Output::Record(event) => {
                matches!(
                    event,
                    Event::SubnetsChosen(_) | Event::SubnetsReleased(_) | Event::ExternalCidrChosen(_)
                )
            }
        };
        let missed: Vec<Output> =
            LiqoMachine::resume(&self.scenario.state).into_iter().filter(is_missed).collect();
        assert!(missed.is_empty(), "{missed:?} after {:?}", self.scenario.log.last());
    }

    /// An object is deleted by somebody: it waits for finalizers of ours.
    pub(super) fn delete(&mut self, key: &ObjectKey) {
        let Some(known) = self.objects.get_mut(key) else { return };
        if matches!(&known.facts, Facts::NetworkConfig(facts) if facts.finalizer) {
            known.deleting = true;
            let facts = known.facts.clone();
            self.write(key.clone(), facts);
        } else {
            self.vanish(key);
        }
    }

    fn vanish(&mut self, key: &ObjectKey) {
        let Some(gone) = self.objects.remove(key) else { return };
        self.version += 1;
        self.hear(Event::Vanished(Vanished {
            object: key.clone(),
            uid: gone.uid,
            resource_version: self.version.to_string().as_str().into(),
            proof: Proof::Deleted,
        }));
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.scenario.state.subnets.contains_key(&ClusterId::from(id))
    }

    /// The key of everything about a peer.
    pub(super) fn about(kind: Kind, id: &str, name: &str) -> ObjectKey {
        let tenant = tenant_namespace_name(&name.into(), &id.into());
        ObjectKey::local(kind, tenant.as_str(), unique_name(&name.into(), &id.into()))
    }

    /// The ForeignCluster of a peer has a direction in this status.
    pub(super) fn peers(&mut self, id: &str, name: &str, status: &str) {
        let condition = Condition {
            kind: "OutgoingPeering".to_owned(),
            status: status.to_owned(),
            ..Condition::default()
        };
        let facts = ForeignClusterFacts {
            cluster_id: id.into(),
            cluster_name: name.into(),
            labelled_id: id.into(),
            tenant_local: tenant_namespace_name(&name.into(), &id.into()),
            conditions: vec![condition],
            ..ForeignClusterFacts::default()
        };
        self.write(ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name), Facts::ForeignCluster(facts));
    }

    /// Carries out everything that is wanted of the network; says whether there was anything.
    pub(super) fn work(&mut self) -> bool {
        let of_network = |command: &Command| {
            let kinds = [Kind::NetworkConfig, Kind::TunnelEndpoint, Kind::NatMapping, Kind::IpamStorage];
            let is_part = command.slot.part.starts_with("network") || command.slot.part == "copy";
            kinds.contains(&command.slot.object.kind) && is_part
        };
        let ready = LiqoMachine::ready(&self.scenario.state).into_iter().map(|ready| ready.command);
        let commands: Vec<Command> = ready.filter(of_network).collect();
        for command in &commands {
            let done = CommandSucceeded {
                id: command.id,
                effect: effect_hash(&command.effect),
                destructive: command.effect.is_destructive(),
                slot: command.slot.clone(),
                resource_version: (self.version + 1).to_string().as_str().into(),
            };
            self.hear(Event::CommandSucceeded(done));
            self.carry_out(command);
        }
        !commands.is_empty()
    }

    fn carry_out(&mut self, command: &Command) {
        let key = command.slot.object.clone();
        let known = self.objects.get(&key).map(|known| known.facts.clone());
        match (&command.effect, known) {
            (Effect::Put { content }, known) => self.write(key, put(content, known)),
            (Effect::PutStatus { status, .. }, Some(known)) => self.write(key, put_status(status, known)),
            (Effect::Delete { .. }, Some(_)) => self.delete(&key),
            (Effect::SetFinalizer { present, .. }, Some(Facts::NetworkConfig(facts))) => {
                self.write(
                    key.clone(),
                    Facts::NetworkConfig(NetworkConfigFacts { finalizer: *present, ..facts }),
                );
                if !present && self.objects[&key].deleting {
                    self.vanish(&key);
                }
            }
            (effect, known) => panic!("{effect:?} on {known:?}"),
        }
    }
}

fn put(content: &Content, known: Option<Facts>) -> Facts {
    match content.clone() {
        Content::NetworkConfig {
            remote, pod_cidr, external_cidr, endpoint, public_key, port, owner, ..
        } => {
            let known = match known {
                Some(Facts::NetworkConfig(known)) => known,
                _ => NetworkConfigFacts::default(),
            };
            let owners = vec![owner.name];
            let replication =
                Replication { origin: true, remote_id: remote.clone(), owners, ..known.replication };
            let port = port.to_string();
            let cluster_id = remote;
            Facts::NetworkConfig(NetworkConfigFacts {
                replication,
                cluster_id,
                pod_cidr,
                external_cidr,
                endpoint,
                public_key,
                port,
                ..known
            })
        }
        Content::TunnelEndpoint { spec, .. } => match known {
            Some(Facts::TunnelEndpoint(known)) => {
                Facts::TunnelEndpoint(TunnelEndpointFacts { spec, ..known })
            }
            _ => Facts::TunnelEndpoint(TunnelEndpointFacts { spec, ..TunnelEndpointFacts::default() }),
        },
        Content::NatMapping { .. } => Facts::Presence,
        Content::IpamStorage { pod_cidr, service_cidr, external_cidr, reserved, pools, clusters } => {
            Facts::IpamStorage(IpamStorageFacts {
                pod_cidr,
                service_cidr,
                external_cidr,
                reserved,
                pools,
                clusters,
            })
        }
        other => panic!("{other:?}"),
    }
}

fn put_status(status: &Status, known: Facts) -> Facts {
    match (status.clone(), known) {
        (Status::NetworkConfig { pod_cidr_nat, external_cidr_nat }, Facts::NetworkConfig(known)) => {
            Facts::NetworkConfig(NetworkConfigFacts {
                processed: true,
                pod_cidr_nat,
                external_cidr_nat,
                ..known
            })
        }
        (Status::TunnelEndpoint { gateway, connection, latency, .. }, Facts::TunnelEndpoint(known)) => {
            Facts::TunnelEndpoint(TunnelEndpointFacts { gateway, connection, latency, ..known })
        }
        other => panic!("{other:?}"),
    }
}
