//! Two machines against each other: a peering comes up and goes away in whatever order things happen.

use std::ops::Range;

use liqo_events::{ControlPlaneSettings, Facts, NamespaceFacts, Switch};
use liqo_model::{Kind, ObjectKey};
use proptest::prelude::ProptestConfig;

use super::scenario::{namespace_key, offloading_facts, offloading_key, peer_key};
use super::world::{MILAN, ROME, World};
use super::world_effects::introduce;

/// Orders that are tried, with a second's work each: as `PROPTEST_CASES` says, of which a soak has more.
fn seeds() -> Range<u64> {
    0..u64::from(ProptestConfig::default().cases / 64)
}

pub(super) const PEERING: [Kind; 9] = [
    Kind::ResourceRequest,
    Kind::ResourceOffer,
    Kind::NetworkConfig,
    Kind::NamespaceMap,
    Kind::Deployment,
    Kind::ServiceAccount,
    Kind::ClusterRoleBinding,
    Kind::TunnelEndpoint,
    Kind::NatMapping,
];

/// With a network of Liqo for every other order.
pub(super) fn settings(seed: u64) -> ControlPlaneSettings {
    let pods = if has_network(seed) { "10.200.0.0/16" } else { "" };
    ControlPlaneSettings {
        sharing_percentage: 50,
        incoming: true,
        pod_cidr: pods.to_owned(),
        service_cidr: "10.80.0.0/16".to_owned(),
        public_key: format!("{}=", "k".repeat(43)),
        mtu: 1340,
        ..ControlPlaneSettings::default()
    }
}

fn has_network(seed: u64) -> bool {
    seed % 2 == 1
}

pub(super) fn peered(seed: u64) -> World {
    let mut world = World::new(seed, &settings(seed));
    world.write(ROME, namespace_key("shop"), Facts::Namespace(NamespaceFacts::default()));
    world.write(ROME, offloading_key("shop"), Facts::Offloading(offloading_facts()));
    introduce(&mut world, Switch::Yes);
    world.settle();
    world
}

pub(super) fn conditions(world: &World, at: usize, name: &str) -> Vec<String> {
    let facts = world.foreign_cluster(at, name);
    let conditions = facts.into_iter().flat_map(|facts| &facts.conditions);
    conditions.map(|one| format!("{} {}", one.kind, one.status)).collect()
}

pub(super) fn switch(world: &mut World, outgoing: Switch) {
    let mut facts = world.foreign_cluster(ROME, "milan").unwrap().clone();
    facts.outgoing = outgoing;
    world.write(ROME, peer_key("milan"), Facts::ForeignCluster(facts));
}

/// What a peering leaves where it was: the identities, the tokens, the tenant namespaces and the right to ask.
pub(super) fn assert_nothing_is_left(world: &World, seed: u64) {
    for at in [ROME, MILAN] {
        assert_eq!(world.names(at, &PEERING), Vec::<String>::new(), "seed {seed}");
        assert_eq!(world.names(at, &[Kind::Node]), ["Node/worker"], "seed {seed}");
        let bindings = world.names(at, &[Kind::RoleBinding]);
        assert!(bindings.iter().all(|name| name.ends_with("-basic")), "seed {seed}: {bindings:?}");
    }
    let mut namespaces = world.names(MILAN, &[Kind::Namespace]).into_iter();
    assert!(namespaces.all(|name| name.starts_with("Namespace/liqo")), "seed {seed}");
    assert_eq!(world.names(MILAN, &[Kind::ForeignCluster]), Vec::<String>::new(), "seed {seed}");
}

#[test]
fn a_peering_is_established() {
    for seed in seeds() {
        let world = peered(seed);
        assert_eq!(
            conditions(&world, ROME, "milan"),
            [
                "ProcessForeignClusterStatus Success",
                if has_network(seed) { "NetworkStatus Established" } else { "NetworkStatus External" },
                "AuthenticationStatus Established",
                "OutgoingPeering Established",
                "IncomingPeering None",
                "APIServerStatus Established",
            ],
            "seed {seed}"
        );
        assert!(world.is_linked(MILAN), "seed {seed}");
        let provider = conditions(&world, MILAN, "rome");
        assert!(provider.contains(&"IncomingPeering Established".to_owned()), "seed {seed}: {provider:?}");
        assert!(
            world
                .names(MILAN, &[Kind::Namespace])
                .iter()
                .any(|name| name.starts_with("Namespace/shop-rome-"))
        );
    }
}

#[test]
fn an_unpeering_leaves_nothing() {
    for seed in seeds() {
        let mut world = peered(seed);
        switch(&mut world, Switch::No);
        world.settle();
        assert_nothing_is_left(&world, seed);
        let consumer = conditions(&world, ROME, "milan");
        assert!(consumer.contains(&"OutgoingPeering None".to_owned()), "seed {seed}: {consumer:?}");
        world.delete(ROME, &peer_key("milan"));
        world.settle();
        assert_eq!(world.names(ROME, &[Kind::ForeignCluster]), Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn deleting_the_foreign_cluster_is_unpeering() {
    for seed in seeds() {
        let mut world = peered(seed);
        world.delete(ROME, &peer_key("milan"));
        world.settle();
        assert_nothing_is_left(&world, seed);
        assert_eq!(world.names(ROME, &[Kind::ForeignCluster]), Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn a_change_of_mind_ends_as_the_last_word_says() {
    for seed in seeds() {
        let mut world = World::new(seed, &settings(seed));
        introduce(&mut world, Switch::Yes);
        for turn in 0..4_u64 {
            for _ in 0..(seed * 7 + turn * 13) % 90 {
                world.step();
            }
            let outgoing = if turn % 2 == 0 { Switch::No } else { Switch::Yes };
            switch(&mut world, outgoing);
        }
        world.settle();
        let consumer = conditions(&world, ROME, "milan");
        assert!(consumer.contains(&"OutgoingPeering Established".to_owned()), "seed {seed}: {consumer:?}");
        switch(&mut world, Switch::No);
        world.settle();
        assert_nothing_is_left(&world, seed);
    }
}

#[test]
fn a_provider_that_wants_no_more_gets_rid_of_its_consumer() {
    for seed in seeds() {
        let mut world = peered(seed);
        let mut facts = world.foreign_cluster(MILAN, "rome").unwrap().clone();
        facts.incoming = Switch::No;
        world.write(MILAN, peer_key("rome"), Facts::ForeignCluster(facts));
        world.settle();
        let kinds = [Kind::ResourceOffer, Kind::NamespaceMap, Kind::Deployment];
        assert_eq!(world.names(ROME, &kinds), Vec::<String>::new(), "seed {seed}");
        assert_eq!(world.names(MILAN, &kinds), Vec::<String>::new(), "seed {seed}");
        let key = ObjectKey::local(Kind::ResourceRequest, "liqo-tenant-milan-ac89c5", "rome");
        assert!(world.clusters[ROME].objects.contains_key(&key), "seed {seed}");
    }
}
