//! Two clusters with the same networks, as in the recorded pair of 0.8.3.

use liqo_events::{ControlPlaneSettings, Facts, NetworkConfigFacts, Replication, TunnelReported, TunnelSpec};
use liqo_model::{Kind, ObjectKey};

use super::side::{KEY, Side, configured, gateway, gateway_key, settings};

const ROME: (&str, &str) = ("7f081ef5-ce34-40d7-94fc-46a331394d56", "rome");
const MILAN: (&str, &str) = ("b6625701-6aeb-4c46-a864-bfce47c964c0", "milan");

/// Both, and what carries NetworkConfigs from one to the other.
struct Pair {
    rome: Side,
    milan: Side,
}

/// Where the config that `from` wrote for `to` is in `to`.
fn copy_key(from: (&str, &str), to: (&str, &str)) -> ObjectKey {
    let tenant = Side::about(Kind::NetworkConfig, from.0, from.1).namespace;
    ObjectKey::local(Kind::NetworkConfig, tenant, Side::about(Kind::NetworkConfig, to.0, to.1).name)
}

fn config(side: &Side, key: &ObjectKey) -> Option<(NetworkConfigFacts, bool)> {
    let object = side.objects.get(key)?;
    match &object.facts {
        Facts::NetworkConfig(facts) => Some((facts.clone(), object.deleting)),
        _ => None,
    }
}

/// Brings the copy of `from`'s config to `to`, and its status back.
fn replicate(from: &mut Side, to: &mut Side) -> bool {
    let (sender, receiver) = ((from.id, from.name), (to.id, to.name));
    let origin = Side::about(Kind::NetworkConfig, receiver.0, receiver.1);
    let copy = copy_key(sender, receiver);
    match (config(from, &origin), config(to, &copy)) {
        (Some((ours, false)), known) => {
            let known = known.map(|(known, _)| known).unwrap_or_default();
            let replication = Replication {
                replicated: true,
                origin_id: sender.0.into(),
                remote_id: receiver.0.into(),
                ..Replication::default()
            };
            let wanted = NetworkConfigFacts {
                replication,
                processed: known.processed,
                pod_cidr_nat: known.pod_cidr_nat.clone(),
                external_cidr_nat: known.external_cidr_nat.clone(),
                finalizer: known.finalizer,
                ..ours.clone()
            };
            let back = NetworkConfigFacts {
                processed: known.processed,
                pod_cidr_nat: known.pod_cidr_nat.clone(),
                external_cidr_nat: known.external_cidr_nat.clone(),
                ..ours.clone()
            };
            let (goes, comes) = (wanted != known, back != ours);
            if goes {
                to.write(copy, Facts::NetworkConfig(wanted));
            }
            if comes {
                from.write(origin, Facts::NetworkConfig(back));
            }
            goes || comes
        }
        (Some((_, true)) | None, Some((_, false))) => {
            to.delete(&copy);
            true
        }
        _ => false,
    }
}

impl Pair {
    fn new() -> Self {
        Self { rome: Side::new(ROME.0, ROME.1), milan: Side::new(MILAN.0, MILAN.1) }
    }

    fn peered() -> Self {
        let mut pair = Self::new();
        pair.join();
        pair
    }

    fn join(&mut self) {
        self.rome.peers(MILAN.0, MILAN.1, "Established");
        self.milan.peers(ROME.0, ROME.1, "Established");
        self.settle();
    }

    /// Until nobody has anything to do.
    fn settle(&mut self) {
        for _ in 0..50 {
            let worked = [
                self.rome.work(),
                self.milan.work(),
                replicate(&mut self.rome, &mut self.milan),
                replicate(&mut self.milan, &mut self.rome),
            ];
            if !worked.contains(&true) {
                return;
            }
        }
        panic!("it does not come to rest");
    }
}

fn tunnel(side: &Side, peer: (&str, &str)) -> TunnelSpec {
    match &side.objects[&Side::about(Kind::TunnelEndpoint, peer.0, peer.1)].facts {
        Facts::TunnelEndpoint(facts) => facts.spec.clone(),
        other => panic!("{other:?}"),
    }
}

fn of_kind(side: &Side, kind: Kind) -> usize {
    side.objects.keys().filter(|key| key.kind == kind).count()
}

#[test]
fn both_come_to_the_tunnel_of_the_recorded_pair() {
    let pair = Pair::peered();
    let recorded = |peer: (&str, &str)| TunnelSpec {
        cluster_id: peer.0.into(),
        cluster_name: peer.1.into(),
        local_pod_cidr: "10.200.0.0/16".to_owned(),
        local_external_cidr: "10.81.0.0/16".to_owned(),
        local_nat_pod_cidr: "10.201.0.0/16".to_owned(),
        local_nat_external_cidr: "10.82.0.0/16".to_owned(),
        remote_pod_cidr: "10.200.0.0/16".to_owned(),
        remote_external_cidr: "10.81.0.0/16".to_owned(),
        remote_nat_pod_cidr: "10.201.0.0/16".to_owned(),
        remote_nat_external_cidr: "10.82.0.0/16".to_owned(),
        endpoint: "172.18.1.2".to_owned(),
        public_key: KEY.to_owned(),
        port: "32200".to_owned(),
    };
    assert_eq!(tunnel(&pair.rome, MILAN), recorded(MILAN));
    assert_eq!(tunnel(&pair.milan, ROME), recorded(ROME));
    assert!(pair.rome.objects.keys().any(|key| key.name == "natmapping-milan-efa86c"));
    let storage = ObjectKey::local_cluster_scoped(Kind::IpamStorage, "ipamstorage-liqo");
    let Facts::IpamStorage(storage) = &pair.rome.objects[&storage].facts else { panic!("no storage") };
    let subnets = &storage.clusters[&MILAN.0.into()];
    assert_eq!(
        (subnets.remote_pod_cidr.as_str(), subnets.local_nat_pod_cidr.as_str()),
        ("10.201.0.0/16", "10.201.0.0/16")
    );
    assert_eq!(storage.external_cidr, "10.81.0.0/16");
}

#[test]
fn a_log_that_begins_anew_changes_nothing() {
    let mut pair = Pair::peered();
    let before = pair.rome.objects.clone();
    pair.rome = pair.rome.started();
    pair.settle();
    for (key, object) in &before {
        let now = &pair.rome.objects[key];
        assert_eq!((&now.facts, now.deleting), (&object.facts, false), "{key}");
    }
    assert_eq!(before.len(), pair.rome.objects.len());
    assert!(pair.rome.knows(MILAN.0));
}

#[test]
fn what_was_chosen_survives_the_loss_of_any_one_place() {
    // given a choice that would be another one now
    let mut peered = Pair::new();
    let reserved = ControlPlaneSettings { reserved: vec!["10.201.0.0/16".to_owned()], ..settings() };
    peered.rome.hear(configured(reserved));
    peered.join();
    assert_eq!(tunnel(&peered.rome, MILAN).remote_nat_pod_cidr, "10.82.0.0/16");
    let copy = copy_key(MILAN, ROME);
    let storage = ObjectKey::local_cluster_scoped(Kind::IpamStorage, "ipamstorage-liqo");
    let tunnel_key = Side::about(Kind::TunnelEndpoint, MILAN.0, MILAN.1);
    for lost in [storage, tunnel_key, copy] {
        let mut pair = Pair { rome: peered.rome.clone(), milan: peered.milan.clone() };
        pair.rome.objects.remove(&lost);
        pair.rome = pair.rome.started();
        pair.settle();
        assert_eq!(tunnel(&pair.rome, MILAN), tunnel(&peered.rome, MILAN), "without {lost}");
        assert_eq!(tunnel(&pair.milan, ROME), tunnel(&peered.milan, ROME), "without {lost}");
    }
}

#[test]
fn the_end_of_a_peering_leaves_nothing_and_gives_the_networks_back() {
    let mut pair = Pair::peered();
    // when one side ends it, then nothing is given back while the other side still names us
    pair.rome.peers(MILAN.0, MILAN.1, "None");
    pair.settle();
    assert_eq!((of_kind(&pair.rome, Kind::TunnelEndpoint), of_kind(&pair.rome, Kind::NatMapping)), (0, 0));
    assert!(pair.rome.knows(MILAN.0), "its NetworkConfig is still here");
    assert!(pair.milan.knows(ROME.0));
    // when both have, then everything is gone
    pair.milan.peers(ROME.0, ROME.1, "None");
    pair.settle();
    for side in [&pair.rome, &pair.milan] {
        for kind in [Kind::NetworkConfig, Kind::TunnelEndpoint, Kind::NatMapping] {
            assert_eq!(of_kind(side, kind), 0, "{kind} in {}", side.name);
        }
    }
    assert!(!pair.rome.knows(MILAN.0) && !pair.milan.knows(ROME.0));
    // and they can come together again
    pair.join();
    assert_eq!(tunnel(&pair.rome, MILAN).remote_nat_pod_cidr, "10.201.0.0/16");
}

#[test]
fn a_foreign_cluster_that_is_gone_ends_it_as_well() {
    let mut pair = Pair::peered();
    let foreign = ObjectKey::local_cluster_scoped(Kind::ForeignCluster, "milan");
    pair.rome.delete(&foreign);
    pair.settle();
    assert_eq!(of_kind(&pair.rome, Kind::TunnelEndpoint) + of_kind(&pair.rome, Kind::NatMapping), 0);
}

#[test]
fn what_somebody_deletes_comes_again() {
    let mut pair = Pair::peered();
    for (kind, key) in [
        (Kind::TunnelEndpoint, Side::about(Kind::TunnelEndpoint, MILAN.0, MILAN.1)),
        (Kind::NetworkConfig, Side::about(Kind::NetworkConfig, MILAN.0, MILAN.1)),
        (Kind::NatMapping, ObjectKey::local_cluster_scoped(Kind::NatMapping, "natmapping-milan-efa86c")),
        (Kind::IpamStorage, ObjectKey::local_cluster_scoped(Kind::IpamStorage, "ipamstorage-liqo")),
    ] {
        let before = pair.rome.objects.get(&key).map(|object| object.facts.clone());
        pair.rome.delete(&key);
        pair.settle();
        assert_eq!(pair.rome.objects.get(&key).map(|object| object.facts.clone()), before, "{kind}");
    }
}

#[test]
fn the_status_of_the_tunnel_is_what_the_active_gateway_reports() {
    let mut pair = Pair::peered();
    let shown =
        |pair: &Pair| match &pair.rome.objects[&Side::about(Kind::TunnelEndpoint, MILAN.0, MILAN.1)].facts {
            Facts::TunnelEndpoint(facts) => {
                (facts.connection.clone(), facts.latency.clone(), facts.gateway.clone())
            }
            other => panic!("{other:?}"),
        };
    let says = |connection: &str, latency: &str| {
        (connection.to_owned(), latency.to_owned(), "10.200.1.9".to_owned())
    };
    assert_eq!(shown(&pair), says("Connecting", "N/A"));
    let report = |gateway: &str, connected, round_trip_micros, trouble: &str| TunnelReported {
        peer: MILAN.0.into(),
        gateway: gateway.to_owned(),
        connected,
        round_trip_micros,
        trouble: trouble.to_owned(),
    };
    for (report, expected) in [
        (report("10.200.1.9", true, 900, ""), says("Connected", "900μs")),
        (report("10.200.1.9", true, 2000, ""), says("Connected", "2ms")),
        (report("10.200.1.9", false, 0, "no answer"), says("Error", "N/A")),
        (report("10.200.7.7", true, 900, ""), says("Connecting", "N/A")),
    ] {
        pair.rome.hear(report.into());
        pair.settle();
        assert_eq!(shown(&pair), expected);
    }
}

#[test]
fn a_tunnel_that_works_stays_connected_while_a_new_log_has_heard_nothing_of_it() {
    let mut pair = Pair::peered();
    let report = |gateway: &str| TunnelReported {
        peer: MILAN.0.into(),
        gateway: gateway.to_owned(),
        connected: true,
        round_trip_micros: 900,
        trouble: String::new(),
    };
    pair.rome.hear(report("10.200.1.9").into());
    pair.settle();
    let key = Side::about(Kind::TunnelEndpoint, MILAN.0, MILAN.1);
    let before = pair.rome.objects[&key].clone();
    pair.rome = pair.rome.started();
    pair.settle();
    assert_eq!(pair.rome.objects[&key], before);

    // Another gateway has to make its own tunnel first.
    pair.rome.write(gateway_key(), Facts::Pod(gateway("worker", "10.200.1.10")));
    pair.settle();
    let Facts::TunnelEndpoint(tunnel) = &pair.rome.objects[&key].facts else { panic!("{key}") };
    assert_eq!((tunnel.connection.as_str(), tunnel.gateway.as_str()), ("Connecting", "10.200.1.10"));
}
