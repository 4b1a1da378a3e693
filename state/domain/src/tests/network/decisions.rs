//! Single decisions: endpoints, refusals, and what is not known yet.

use liqo_events::{Effect, Event, Facts, NetworkConfigFacts, NodeFacts, Replication, ServiceFacts};
use liqo_model::{Kind, ObjectKey};

use super::side::{
    KEY, LISTED, Side, configured, gateway, gateway_key, node, node_key, service, service_key, settings,
};
use crate::tests::scenario::list_of;

const MILAN: (&str, &str) = ("milan-id", "milan");

fn rome() -> Side {
    Side::new("rome-id", "rome")
}

/// What rome tells milan, as host and port.
fn endpoint(side: &Side) -> Option<(String, String)> {
    let key = Side::about(Kind::NetworkConfig, MILAN.0, MILAN.1);
    match &side.objects.get(&key)?.facts {
        Facts::NetworkConfig(facts) => Some((facts.endpoint.clone(), facts.port.clone())),
        _ => None,
    }
}

fn settle(side: &mut Side) {
    while side.work() {}
}

fn told_with(service: ServiceFacts) -> Option<(String, String)> {
    let mut side = rome();
    side.write(service_key(), Facts::Service(service));
    side.peers(MILAN.0, MILAN.1, "Established");
    settle(&mut side);
    endpoint(&side)
}

fn at(host: &str, port: &str) -> Option<(String, String)> {
    Some((host.to_owned(), port.to_owned()))
}

fn annotated(service: ServiceFacts, annotations: &[(&str, &str)]) -> ServiceFacts {
    let annotations =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ServiceFacts { annotations, ..service }
}

#[test]
fn peers_are_told_where_the_service_leads() {
    let balancer = ServiceFacts { kind: "LoadBalancer".to_owned(), ..service() };
    let shown = ServiceFacts { ingress: vec!["203.0.113.7".to_owned()], ..balancer.clone() };
    let other = ServiceFacts { kind: "ClusterIP".to_owned(), ..service() };
    let unnamed = ServiceFacts { ports: Vec::new(), ..service() };
    let overridden = [("liqo.io/override-address", "vpn.example"), ("liqo.io/override-port", "7000")];
    for (case, service, expected) in [
        ("a node that works", service(), at("172.18.1.2", "32200")),
        (
            "an annotation",
            annotated(service(), &[("net.liqo.io/gatewayNodeIP", "172.18.9.9")]),
            at("172.18.9.9", "32200"),
        ),
        ("a balancer", shown.clone(), at("203.0.113.7", "5871")),
        ("a balancer that is not ready", balancer.clone(), None),
        (
            "an override of a balancer that is not ready",
            annotated(balancer, &overridden),
            at("vpn.example", "7000"),
        ),
        ("an override of one half", annotated(shown, &overridden[..1]), at("vpn.example", "5871")),
        ("an override that is no port", annotated(service(), &[("liqo.io/override-port", "many")]), None),
        ("a Service that leads nowhere", other.clone(), None),
        (
            "a Service that leads nowhere but is overridden",
            annotated(other, &overridden),
            at("vpn.example", "7000"),
        ),
        ("no port", unnamed, None),
    ] {
        assert_eq!(told_with(service), expected, "{case}");
    }
}

#[test]
fn the_node_that_was_told_stays_as_long_as_it_works() {
    let mut side = rome();
    side.write(node_key("a"), Facts::Node(node("172.18.1.1")));
    side.peers(MILAN.0, MILAN.1, "Established");
    settle(&mut side);
    // the gateway's node comes before others
    assert_eq!(endpoint(&side), at("172.18.1.2", "32200"));
    side.write(gateway_key(), Facts::Pod(gateway("a", "10.200.0.4")));
    settle(&mut side);
    assert_eq!(endpoint(&side), at("172.18.1.2", "32200"));
    side.write(node_key("worker"), Facts::Node(NodeFacts { ready: false, ..node("172.18.1.2") }));
    settle(&mut side);
    assert_eq!(endpoint(&side), at("172.18.1.1", "32200"));
}

#[test]
fn nothing_is_decided_before_everything_was_listed() {
    let mut side = rome();
    side.peers(MILAN.0, MILAN.1, "Established");
    let seen: Vec<Event> = side.objects.values().cloned().map(Event::Applied).collect();
    for missing in
        [Kind::ForeignCluster, Kind::NetworkConfig, Kind::TunnelEndpoint, Kind::IpamStorage, Kind::NatMapping]
    {
        let lists = LISTED.into_iter().filter(|kind| *kind != missing).map(|kind| list_of(kind, 1));
        let mut scenario = crate::tests::scenario::Scenario::default()
            .given(side.scenario.log.first().map(|first| first.event.clone()));
        scenario = scenario.given([crate::tests::scenario::generation(1), configured(settings())]);
        scenario = scenario.given(seen.clone()).given(lists).acted();
        assert_eq!(scenario.state.external_cidr, None, "without {missing}");
        assert!(
            scenario.ready().iter().all(|effect| !matches!(effect, Effect::Put { .. })),
            "without {missing}"
        );
    }
}

/// What milan tells, under the name that its copies have.
fn theirs(facts: NetworkConfigFacts) -> (ObjectKey, Facts) {
    let tenant = Side::about(Kind::NetworkConfig, MILAN.0, MILAN.1).namespace;
    (ObjectKey::local(Kind::NetworkConfig, tenant, "rome-0a0a0a"), Facts::NetworkConfig(facts))
}

fn milan() -> NetworkConfigFacts {
    let replication = Replication { replicated: true, origin_id: MILAN.0.into(), ..Replication::default() };
    NetworkConfigFacts {
        replication,
        cluster_id: "rome-id".into(),
        pod_cidr: "10.200.0.0/16".to_owned(),
        external_cidr: "10.81.0.0/16".to_owned(),
        endpoint: "172.18.2.1".to_owned(),
        public_key: KEY.to_owned(),
        port: "30426".to_owned(),
        ..NetworkConfigFacts::default()
    }
}

fn answered(facts: NetworkConfigFacts) -> Side {
    let mut side = rome();
    side.peers(MILAN.0, MILAN.1, "Established");
    let (key, facts) = theirs(facts);
    side.write(key, facts);
    settle(&mut side);
    // milan answers that it names rome as it is
    let key = Side::about(Kind::NetworkConfig, MILAN.0, MILAN.1);
    let Facts::NetworkConfig(ours) = side.objects[&key].facts.clone() else { panic!("no config") };
    let none = || "None".to_owned();
    let ours =
        NetworkConfigFacts { processed: true, pod_cidr_nat: none(), external_cidr_nat: none(), ..ours };
    side.write(key, Facts::NetworkConfig(ours));
    settle(&mut side);
    side
}

fn refusal(side: &Side) -> Option<String> {
    side.scenario.state.rejected.get(&theirs(milan()).0).map(|fact| fact.body.reason.clone())
}

#[test]
fn what_a_peer_tells_is_refused_when_it_makes_no_sense() {
    let tunnels = |side: &Side| side.objects.keys().filter(|key| key.kind == Kind::TunnelEndpoint).count();
    let good = answered(milan());
    assert_eq!((refusal(&good), tunnels(&good)), (None, 1));
    for (field, facts) in [
        ("spec.podCIDR", NetworkConfigFacts { pod_cidr: "fd00::/48".to_owned(), ..milan() }),
        ("spec.externalCIDR", NetworkConfigFacts { external_cidr: String::new(), ..milan() }),
        (
            "no network of that length is left",
            NetworkConfigFacts { pod_cidr: "0.0.0.0/0".to_owned(), ..milan() },
        ),
        ("publicKey", NetworkConfigFacts { public_key: "secret".to_owned(), ..milan() }),
        ("endpointIP", NetworkConfigFacts { endpoint: String::new(), ..milan() }),
        ("port", NetworkConfigFacts { port: "0".to_owned(), ..milan() }),
    ] {
        let side = answered(facts);
        assert!(refusal(&side).is_some_and(|reason| reason.contains(field)), "{field}: {:?}", refusal(&side));
        assert_eq!(tunnels(&side), 0, "{field}");
    }
}

#[test]
fn a_peer_speaks_for_itself_alone() {
    let mut side = answered(milan());
    side.peers("turin-id", "turin", "Established");
    settle(&mut side);
    // milan writes into its own namespace what should come from turin
    let replication =
        Replication { replicated: true, origin_id: "turin-id".into(), ..Replication::default() };
    let (key, _) = theirs(milan());
    let forged = NetworkConfigFacts { replication, pod_cidr: "10.44.0.0/16".to_owned(), ..milan() };
    side.write(ObjectKey { name: "forged".to_owned(), ..key }, Facts::NetworkConfig(forged));
    settle(&mut side);
    assert!(!side.knows("turin-id"));
    assert!(side.knows(MILAN.0));
}

#[test]
fn a_peer_gets_no_network_with_a_node_in_it() {
    let side = answered(NetworkConfigFacts { pod_cidr: "172.18.0.0/16".to_owned(), ..milan() });
    let chosen = side
        .scenario
        .state
        .subnets
        .get(&liqo_model::ClusterId::from(MILAN.0))
        .map(|fact| fact.body.used_pod_cidr.clone());
    assert_ne!(chosen.as_deref(), Some("172.18.0.0/16"));
    assert!(chosen.is_some());
}

#[test]
fn a_peer_with_new_networks_of_the_same_length_keeps_its_name() {
    let mut side = answered(milan());
    let (key, facts) = theirs(NetworkConfigFacts { pod_cidr: "10.50.0.0/16".to_owned(), ..milan() });
    side.write(key.clone(), facts);
    settle(&mut side);
    let Facts::NetworkConfig(now) = &side.objects[&key].facts else { panic!("no config") };
    assert_eq!((now.processed, now.pod_cidr_nat.as_str()), (true, "10.201.0.0/16"));
}

#[test]
fn without_a_network_of_its_own_a_cluster_takes_no_part() {
    let mut side = rome();
    side.hear(configured(liqo_events::ControlPlaneSettings::default()));
    side.peers(MILAN.0, MILAN.1, "Established");
    settle(&mut side);
    assert_eq!(endpoint(&side), None);
}
