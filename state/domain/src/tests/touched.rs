//! What an event makes worth a plan: a change of one peer costs the same whoever else there is.

use std::collections::BTreeSet;

use liqo_events::{
    Condition, Configured, ControlPlaneSettings, Event, Facts, ForeignClusterFacts, IdentityFacts,
    KubeletSettings, NamespaceFacts, NodeFacts, PodFacts, Proof, Replication, ResourceOfferFacts,
    ResourceRequestFacts, ServerProbed, Settings, Switch, TunnelEndpointFacts, TunnelReported, TunnelSpec,
    UnixMillis, Vanished,
};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey, tenant_namespace_name};

use super::scenario::{Scenario, applied, list_of, namespace_key, peer_key, uid};
use crate::aggregate::Aggregate;

fn id(peer: usize) -> ClusterId {
    format!("peer-{peer}-id").into()
}

fn tenant(peer: usize) -> String {
    tenant_namespace_name(&format!("peer-{peer}").as_str().into(), &id(peer)).to_string()
}

fn foreign(peer: usize, reachable: bool) -> Event {
    let condition = |kind: &str, status: &str| Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: String::new(),
        message: String::new(),
        since: UnixMillis(0),
    };
    let api_server = condition("APIServerStatus", if reachable { "Established" } else { "Error" });
    let facts = ForeignClusterFacts {
        cluster_id: id(peer),
        cluster_name: format!("peer-{peer}").as_str().into(),
        labelled_id: id(peer),
        outgoing: Switch::Yes,
        tenant_local: tenant(peer).into(),
        conditions: vec![condition("OutgoingPeering", "Established"), api_server],
        ..ForeignClusterFacts::default()
    };
    let version = if reachable { "20" } else { "30" };
    applied(peer_key(&format!("peer-{peer}")), version, Facts::ForeignCluster(facts))
}

fn tunnel(peer: usize, latency: &str) -> Event {
    let facts = TunnelEndpointFacts {
        spec: TunnelSpec { cluster_id: id(peer), ..TunnelSpec::default() },
        connection: "Connected".to_owned(),
        latency: latency.to_owned(),
        ..TunnelEndpointFacts::default()
    };
    let key = ObjectKey::local(Kind::TunnelEndpoint, tenant(peer), "tunnel");
    applied(key, "20", Facts::TunnelEndpoint(facts))
}

fn virtual_node(peer: usize, ready: bool) -> Event {
    let facts = NodeFacts { is_virtual: true, remote_cluster: id(peer), ready, ..NodeFacts::default() };
    let key = ObjectKey::local_cluster_scoped(Kind::Node, format!("liqo-peer-{peer}"));
    applied(key, "20", Facts::Node(facts))
}

fn offer(peer: usize, phase: &str) -> Event {
    let replication = Replication { replicated: true, origin_id: id(peer), ..Replication::default() };
    let facts = ResourceOfferFacts {
        replication,
        cluster_id: id(peer),
        phase: phase.to_owned(),
        ..ResourceOfferFacts::default()
    };
    applied(ObjectKey::local(Kind::ResourceOffer, tenant(peer), "offer"), "20", Facts::ResourceOffer(facts))
}

fn configured() -> Event {
    let settings = ControlPlaneSettings {
        pod_cidr: "10.200.0.0/16".to_owned(),
        service_cidr: "10.80.0.0/16".to_owned(),
        ..ControlPlaneSettings::default()
    };
    Event::Configured(Configured { settings: Settings::ControlPlane(settings) })
}

fn node(address: &str) -> NodeFacts {
    let addresses = vec![("InternalIP".to_owned(), address.to_owned())];
    NodeFacts { addresses, ready: true, ..NodeFacts::default() }
}

/// What is known of a peer whose resources are used.
fn known_of(peer: usize) -> Vec<Event> {
    let namespace = NamespaceFacts { tenant_of: id(peer), ..NamespaceFacts::default() };
    let identity = IdentityFacts { peer: id(peer), remote_namespace: "there".into(), ..Default::default() };
    let replication = Replication { origin: true, remote_id: id(peer), ..Replication::default() };
    let request = ResourceRequestFacts { replication, ..ResourceRequestFacts::default() };
    let here = |kind, name: &str| ObjectKey::local(kind, tenant(peer), name);
    vec![
        applied(namespace_key(&tenant(peer)), "20", Facts::Namespace(namespace)),
        applied(here(Kind::Secret, "identity"), "20", Facts::Identity(identity)),
        applied(here(Kind::ResourceRequest, "rome"), "20", Facts::ResourceRequest(request)),
        offer(peer, "Pending"),
        virtual_node(peer, true),
        tunnel(peer, "1ms"),
        foreign(peer, true),
    ]
}

/// A cluster with so many peers that has decided all that there was to decide.
fn cluster(peers: usize) -> Scenario {
    let worker = ObjectKey::local_cluster_scoped(Kind::Node, "worker");
    let mut scenario = Scenario::settled()
        .given(Kind::ALL.iter().map(|kind| list_of(*kind, 1)))
        .given([configured(), applied(worker, "9", Facts::Node(node("172.18.1.2")))])
        .acted();
    for event in (0..peers).flat_map(known_of) {
        scenario.when(event);
    }
    scenario
}

/// The aggregates that an event makes worth a plan, and how many commands and choices follow from it.
fn cost(scenario: &Scenario, event: &Event) -> (BTreeSet<Aggregate>, usize) {
    let mut seen = scenario.clone();
    seen.record(event.clone(), None);
    let mut decided = scenario.clone();
    decided.when(event.clone());
    (seen.state.derived.touched, decided.log.len() - scenario.log.len())
}

/// Changes of the status of the first peer.
fn changes() -> Vec<Event> {
    let cluster = ClusterRef::Remote(id(0));
    let probe = ServerProbed { cluster, reachable: false, trouble: "it does not answer".to_owned() };
    let report = TunnelReported {
        peer: id(0),
        gateway: "172.18.0.9".to_owned(),
        connected: true,
        round_trip_micros: 7000,
        trouble: String::new(),
    };
    vec![
        Event::ServerProbed(probe),
        Event::TunnelReported(report),
        foreign(0, false),
        tunnel(0, "7ms"),
        virtual_node(0, false),
        offer(0, "Accepted"),
    ]
}

#[test]
fn a_change_of_one_peer_costs_the_same_whoever_else_there_is() {
    let (few, many) = (cluster(1), cluster(50));
    for event in changes() {
        let (alone, among) = (cost(&few, &event), cost(&many, &event));
        assert_eq!(alone, among, "{event:?}");
        assert!(alone.0.contains(&Aggregate::Peer(id(0))), "{event:?}");
        let of_all = [Aggregate::Peers, Aggregate::Network, Aggregate::Replication, Aggregate::Copies];
        assert!(of_all.iter().all(|aggregate| !alone.0.contains(aggregate)), "{event:?}: {:?}", alone.0);
    }
}

#[test]
fn what_all_peers_depend_on_is_planned_for_all() {
    let scenario = cluster(2);
    let worker = ObjectKey::local_cluster_scoped(Kind::Node, "worker");
    let moved = applied(worker.clone(), "21", Facts::Node(node("172.18.1.3")));
    let (touched, _) = cost(&scenario, &moved);
    assert!(touched.contains(&Aggregate::Peers) && touched.contains(&Aggregate::Network), "{touched:?}");
    // What peers are not told of a node is of no interest to them.
    let allocatable = [("cpu".to_owned(), 7)].into();
    let larger = applied(worker, "21", Facts::Node(NodeFacts { allocatable, ..node("172.18.1.2") }));
    let (touched, _) = cost(&scenario, &larger);
    assert!(!touched.contains(&Aggregate::Peers) && touched.contains(&Aggregate::Quota), "{touched:?}");
    let (touched, _) = cost(&scenario, &foreign(2, true));
    assert!(touched.contains(&Aggregate::Peers), "a new peer may be the one that another waits for");
}

#[test]
fn what_is_in_a_tenant_namespace_is_about_its_peer() {
    let scenario = cluster(2);
    let deployment = |namespace: &str| {
        let key = ObjectKey::local(Kind::Deployment, namespace, "virtual-kubelet");
        cost(&scenario, &applied(key, "20", Facts::Presence)).0
    };
    assert!(deployment(&tenant(1)).contains(&Aggregate::Peer(id(1))));
    assert!(!deployment(&tenant(1)).contains(&Aggregate::Peers));
    assert!(deployment("unheard-of").contains(&Aggregate::Peers), "its namespace may be seen later");
}

#[test]
fn a_virtual_node_is_looked_at_when_a_pod_has_gone() {
    let settings = KubeletSettings { remote: id(0), node: "liqo-peer-0".to_owned(), ..Default::default() };
    let object = ObjectKey::local(Kind::Pod, "shop", "web");
    let pod = PodFacts { node: "liqo-peer-0".to_owned(), ..PodFacts::default() };
    let scenario = Scenario::default().given([
        Event::Configured(Configured { settings: Settings::Kubelet(settings) }),
        applied(object.clone(), "20", Facts::Pod(pod)),
    ]);
    assert!(!scenario.state.derived.touched.contains(&Aggregate::Node));
    let (uid, resource_version) = (uid(&object), "21".into());
    let gone = Vanished { object, uid, resource_version, proof: Proof::Deleted };
    let scenario = scenario.given([Event::Vanished(gone)]);
    assert!(scenario.state.derived.touched.contains(&Aggregate::Node));
}
