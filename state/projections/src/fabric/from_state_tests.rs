//! What agents are told, of states that tests make.

use liqo_domain::{LiqoMachine, Machine, State};
use liqo_events::{
    Applied, BodyDigest, Configured, ControlPlaneSettings, Event, Facts, IdentityChosen, NodeFacts, PodFacts,
    Recorded, Seq, Settings, Started, TunnelEndpointFacts, TunnelSpec, UnixMillis,
};
use liqo_model::{Kind, ObjectKey};

use super::*;

#[derive(Default)]
struct Known {
    state: State,
    seq: u64,
}

impl Known {
    fn with(mut self, event: impl Into<Event>) -> Self {
        self.seq += 1;
        let event = event.into();
        let recorded = Recorded { seq: Seq(self.seq), recorded_at: UnixMillis(0), caused_by: None, event };
        LiqoMachine::evolve(&mut self.state, &recorded);
        self
    }

    fn seeing(self, object: ObjectKey, created_at: i64, facts: Facts) -> Self {
        self.with(Applied {
            uid: format!("{object}").into(),
            object,
            resource_version: "1".into(),
            generation: 1,
            created_at: UnixMillis(created_at),
            deleting: false,
            digest: BodyDigest::default(),
            facts,
            coalesced: 0,
        })
    }
}

fn node(address: &str, pods: &str, is_virtual: bool) -> Facts {
    Facts::Node(NodeFacts {
        is_virtual,
        addresses: vec![("Hostname".into(), "n".into()), ("InternalIP".into(), address.into())],
        pod_cidrs: vec![pods.to_owned(), "fd00::/64".to_owned()],
        ..NodeFacts::default()
    })
}

fn gateway_pod(address: &str, ready: bool) -> Facts {
    Facts::Pod(PodFacts {
        phase: "Running".to_owned(),
        pod_ips: vec![address.to_owned()],
        labels: [("app.kubernetes.io/name".to_owned(), "gateway".to_owned())].into(),
        ready,
        ..PodFacts::default()
    })
}

fn spec() -> TunnelSpec {
    TunnelSpec {
        cluster_id: "milan-id".into(),
        cluster_name: "milan".into(),
        local_pod_cidr: "10.200.0.0/16".to_owned(),
        local_external_cidr: "10.81.0.0/16".to_owned(),
        local_nat_pod_cidr: "10.201.0.0/16".to_owned(),
        local_nat_external_cidr: "None".to_owned(),
        remote_pod_cidr: "10.200.0.0/16".to_owned(),
        remote_external_cidr: "10.90.0.0/16".to_owned(),
        remote_nat_pod_cidr: "10.202.0.0/16".to_owned(),
        remote_nat_external_cidr: "None".to_owned(),
        endpoint: "172.18.2.1".to_owned(),
        public_key: "key".to_owned(),
        port: "30426".to_owned(),
    }
}

fn tunnel(spec: TunnelSpec) -> Facts {
    Facts::TunnelEndpoint(TunnelEndpointFacts { spec, ..TunnelEndpointFacts::default() })
}

fn pod(name: &str) -> ObjectKey {
    ObjectKey::local(Kind::Pod, "liqo", name)
}

fn rome() -> Known {
    let settings =
        ControlPlaneSettings { pod_cidr: "10.200.0.0/16".to_owned(), ..ControlPlaneSettings::default() };
    let node_key = |name: &str| ObjectKey::local_cluster_scoped(Kind::Node, name);
    Known::default()
        .with(Started {
            instance: "pod-1".into(),
            version: "test".to_owned(),
            namespace: "liqo".into(),
            cluster_name: "rome".into(),
            entropy: [0; 16],
        })
        .with(Configured { settings: Settings::ControlPlane(settings) })
        .with(IdentityChosen { id: "rome-id".into(), name: "rome".into() })
        .seeing(node_key("worker"), 0, node("172.18.1.2", "10.200.1.0/24", false))
        .seeing(node_key("liqo-milan"), 0, node("10.200.0.7", "10.200.2.0/24", true))
        .seeing(ObjectKey::local(Kind::TunnelEndpoint, "tenant", "milan"), 0, tunnel(spec()))
}

#[test]
fn the_gateway_learns_settings_peers_and_real_nodes() {
    let view = gateway_view(&rome().state);
    let settings = view.settings.unwrap();
    assert_eq!((settings.cluster_id.as_str(), settings.mtu, settings.listen_port), ("rome-id", 1340, 5871));
    assert_eq!(view.nodes.keys().collect::<Vec<_>>(), ["worker"]);
    assert_eq!(view.nodes["worker"].pod_cidrs, ["10.200.1.0/24".parse().unwrap()]);
    let peer = &view.peers[&ClusterId::from("milan-id")];
    assert_eq!(peer.pod_cidr.to_string(), "10.202.0.0/16");
    assert_eq!(peer.external_cidr.to_string(), "10.90.0.0/16");
    assert_eq!(peer.local_pod_cidr.map(|net| net.to_string()).as_deref(), Some("10.201.0.0/16"));
    assert_eq!(peer.local_external_cidr.to_string(), "10.81.0.0/16");
    assert_eq!((peer.endpoint.host.as_str(), peer.endpoint.port), ("172.18.2.1", 30426));
    // what is named as it is here has no other name there
    let plain = TunnelSpec { local_nat_pod_cidr: "None".to_owned(), ..spec() };
    let rome = rome().seeing(ObjectKey::local(Kind::TunnelEndpoint, "tenant", "milan"), 0, tunnel(plain));
    assert_eq!(gateway_view(&rome.state).peers[&ClusterId::from("milan-id")].local_pod_cidr, None);
}

#[test]
fn a_tunnel_that_makes_no_sense_is_none() {
    let broken = TunnelSpec { remote_nat_pod_cidr: String::new(), ..spec() };
    let rome = rome().seeing(ObjectKey::local(Kind::TunnelEndpoint, "tenant", "milan"), 0, tunnel(broken));
    assert!(gateway_view(&rome.state).peers.is_empty());
}

#[test]
fn a_node_learns_its_gateway_and_peers_and_an_unknown_one_nothing() {
    assert_eq!(node_view(&rome().state, "nobody"), None);
    assert_eq!(node_view(&rome().state, "liqo-milan"), None);
    let view = node_view(&rome().state, "worker").unwrap();
    assert_eq!((view.gateway, view.settings.unwrap().address.to_string()), (None, "172.18.1.2".to_owned()));
    assert_eq!(view.peers[&ClusterId::from("milan-id")].pod_cidr.to_string(), "10.202.0.0/16");
}

#[test]
fn the_newest_gateway_that_is_ready_is_the_active_one() {
    let address = |known: &Known| {
        node_view(&known.state, "worker").unwrap().gateway.map(|gateway| gateway.address.to_string())
    };
    let known = rome().seeing(pod("a"), 10, gateway_pod("10.200.1.1", false));
    assert_eq!(
        address(&known).as_deref(),
        Some("10.200.1.1"),
        "one that is about to be ready is better than none"
    );
    let known = known.seeing(pod("b"), 5, gateway_pod("10.200.1.2", true));
    assert_eq!(address(&known).as_deref(), Some("10.200.1.2"));
    let known = known.seeing(pod("c"), 7, gateway_pod("10.200.1.3", true));
    assert_eq!(address(&known).as_deref(), Some("10.200.1.3"));
    let known = known.seeing(ObjectKey::local(Kind::Pod, "shop", "d"), 9, gateway_pod("10.200.1.4", true));
    assert_eq!(address(&known).as_deref(), Some("10.200.1.3"), "only our own pods count");
}
