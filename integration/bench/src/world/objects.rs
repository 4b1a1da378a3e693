//! What watches say of the objects of a cluster: names, labels and states as they are in practice.

use liqo_domain::OFFLOADING_NAME;
use liqo_events::{
    ContainerFacts, ContainerPhase, Facts, ForeignClusterFacts, NamespaceFacts, NamespaceMapFacts, NodeFacts,
    OffloadingFacts, Owner, PodFacts, Requirement, SelectorTerm,
};
use liqo_model::{Kind, ObjectKey};

/// Peers of one region; an offloading selects one region.
const REGIONS: u32 = 4;
/// Nodes that pods run on.
const NODES: u32 = 100;

/// An object and what its projection says.
pub(super) type Made = (ObjectKey, Facts);

pub(super) fn namespace(at: u32) -> Made {
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, format!("team-{at:04}"));
    (key, Facts::Namespace(NamespaceFacts::default()))
}

pub(super) fn virtual_node(peer: u32) -> Made {
    let name = format!("liqo-peer-{peer:03}");
    let labels = [
        ("kubernetes.io/arch", "amd64".to_owned()),
        ("kubernetes.io/hostname", name.clone()),
        ("kubernetes.io/os", "linux".to_owned()),
        ("kubernetes.io/role", "agent".to_owned()),
        ("liqo.io/remote-cluster-id", peer_id(peer)),
        ("liqo.io/type", "virtual-node".to_owned()),
        ("topology.liqo.io/region", region(peer)),
    ];
    let labels = labels.into();
    let facts =
        NodeFacts { is_virtual: true, remote_cluster: peer_id(peer).into(), labels, ..NodeFacts::default() };
    (ObjectKey::local_cluster_scoped(Kind::Node, name), Facts::Node(facts))
}

pub(super) fn map(peer: u32) -> Made {
    let facts = NamespaceMapFacts {
        remote_cluster: peer_id(peer).into(),
        origin: true,
        ..NamespaceMapFacts::default()
    };
    let name = format!("peer-{peer:03}");
    (ObjectKey::local(Kind::NamespaceMap, format!("liqo-tenant-{name}"), name), Facts::NamespaceMap(facts))
}

pub(super) fn foreign_cluster(peer: u32) -> Made {
    let name = format!("peer-{peer:03}");
    let facts = ForeignClusterFacts {
        cluster_id: peer_id(peer).into(),
        cluster_name: name.as_str().into(),
        auth_url: format!("https://{name}.example.com:6443"),
        discovery_type: "Manual".to_owned(),
        skip_tls_verify: true,
        ..ForeignClusterFacts::default()
    };
    (ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name), Facts::ForeignCluster(facts))
}

pub(super) fn offloading(at: u32) -> Made {
    let requirement = Requirement {
        key: "topology.liqo.io/region".to_owned(),
        operator: "In".to_owned(),
        values: vec![region(at)],
    };
    let selector = vec![SelectorTerm { expressions: vec![requirement], fields: Vec::new() }];
    let facts = OffloadingFacts { selector, ..OffloadingFacts::default() };
    (
        ObjectKey::local(Kind::NamespaceOffloading, format!("team-{at:04}"), OFFLOADING_NAME),
        Facts::Offloading(facts),
    )
}

/// A pod of a ReplicaSet: created, scheduled, started, running, and then updated now and then.
pub(super) fn pod(at: u32, age: u32, namespaces: u32) -> Made {
    let (app, namespace) = (format!("service-{:03}", at % 500), format!("team-{:04}", at % namespaces));
    let (template, suffix) = (format!("{:010x}", u64::from(at % 500) * 0x1b1b_1b1b), format!("{at:05x}"));
    let set = format!("{app}-{template}");
    let scheduled = age >= 1;
    let running = age >= 3;
    let labels = [
        ("app.kubernetes.io/instance", app.as_str()),
        ("app.kubernetes.io/managed-by", "Helm"),
        ("app.kubernetes.io/name", app.as_str()),
        ("app.kubernetes.io/part-of", "shop"),
        ("pod-template-hash", template.as_str()),
        ("version", "v1"),
    ]
    .into();
    let container = |name: &str| ContainerFacts {
        name: name.to_owned(),
        ready: age >= 4,
        restarts: age.saturating_sub(4),
        phase: if running { ContainerPhase::Running } else { ContainerPhase::Waiting },
        reason: if scheduled && !running { "ContainerCreating".to_owned() } else { String::new() },
    };
    let facts = PodFacts {
        node: if scheduled { format!("node-{:03}", at % NODES) } else { String::new() },
        phase: if running { "Running" } else { "Pending" }.to_owned(),
        reason: String::new(),
        containers: vec![container("main"), container("proxy")],
        pod_ips: if running { vec![format!("10.200.{}.{}", at / 250 % 250, at % 250)] } else { Vec::new() },
        host_ip: if scheduled { format!("172.30.0.{}", at % NODES) } else { String::new() },
        cpu_millis: 250,
        memory_bytes: 256 << 20,
        owner: Some(Owner { kind: "ReplicaSet".to_owned(), name: set.clone(), uid: uid(&set).into() }),
        labels,
        ..PodFacts::default()
    };
    (ObjectKey::local(Kind::Pod, namespace, format!("{set}-{suffix}")), Facts::Pod(facts))
}

/// A text of the length of a uid that follows from another text.
pub(super) fn uid(of: &str) -> String {
    let mix = |seed: u64| {
        of.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (one, two) = (mix(0xcbf2_9ce4_8422_2325), mix(0x9e37_79b9_7f4a_7c15));
    let digits = format!("{one:016x}{two:016x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn peer_id(peer: u32) -> String {
    uid(&format!("peer-{peer}"))
}

fn region(at: u32) -> String {
    format!("region-{}", at % REGIONS)
}
