//! The end of a peering where it is hard: minds that change meanwhile, processes that end, peers that cannot be reached.

use liqo_events::{Facts, ResourceOfferFacts, Switch};
use liqo_model::{Kind, ObjectKey};

use super::pair::{PEERING, assert_nothing_is_left, conditions, peered, settings, switch};
use super::scenario::peer_key;
use super::world::{MILAN, ROME, World};
use super::world_effects::introduce;

/// Orders that are tried: without and with a network of Liqo's.
const SEEDS: [u64; 2] = [2, 3];

/// The copy of the provider's offer.
fn offer(world: &World) -> Option<&ResourceOfferFacts> {
    let offers = world.clusters[ROME].objects.values().map(|stored| &stored.facts);
    let mut offers = offers.filter_map(|facts| match facts {
        Facts::ResourceOffer(facts) => Some(facts),
        _ => None,
    });
    offers.next()
}

/// Whether the virtual node is being emptied.
fn drains(world: &World) -> bool {
    offer(world).is_some_and(|offer| offer.withdrawn && offer.node_finalizer)
}

fn says(world: &World, at: usize, name: &str, condition: &str) -> bool {
    conditions(world, at, name).iter().any(|said| said == condition)
}

fn is_deleting(world: &World, at: usize, key: &ObjectKey) -> bool {
    world.clusters[at].objects.get(key).is_some_and(|stored| stored.deleting)
}

fn assert_forgotten(world: &World, seed: u64) {
    assert_nothing_is_left(world, seed);
    assert_eq!(world.names(ROME, &[Kind::ForeignCluster]), Vec::<String>::new(), "seed {seed}");
}

#[test]
fn a_withdrawal_drains_before_the_offer_goes() {
    for seed in SEEDS {
        let mut world = peered(seed);
        switch(&mut world, Switch::No);
        world.run_until(drains);
        // Until the node is empty nothing of the virtual kubelet is taken away.
        world.run_until(|world| {
            let node = offer(world).is_some_and(|offer| offer.node_finalizer);
            let kubelet = !world.names(ROME, &[Kind::Deployment]).is_empty();
            assert!(kubelet || !node, "seed {seed}");
            offer(world).is_none()
        });
        world.settle();
        assert_nothing_is_left(&world, seed);
    }
}

/// P21: what was withdrawn is drained to its end, and then there is a new offer.
#[test]
fn a_peering_that_is_wanted_again_while_it_drains_is_made_anew() {
    for seed in SEEDS {
        let mut world = peered(seed);
        switch(&mut world, Switch::No);
        world.run_until(drains);
        switch(&mut world, Switch::Yes);
        world.settle();
        assert!(says(&world, ROME, "milan", "OutgoingPeering Established"), "seed {seed}");
        assert!(says(&world, MILAN, "rome", "IncomingPeering Established"), "seed {seed}");
        assert!(offer(&world).is_some_and(|offer| !offer.withdrawn && offer.node_finalizer), "seed {seed}");
        switch(&mut world, Switch::No);
        world.settle();
        assert_nothing_is_left(&world, seed);
    }
}

/// P2: a provider that never made an offer answers the withdrawal all the same.
#[test]
fn a_request_without_an_offer_is_taken_back() {
    for seed in SEEDS {
        let mut settings = settings(seed);
        settings.incoming = false;
        let mut world = World::new(seed, &settings);
        introduce(&mut world, Switch::Yes);
        world.settle();
        assert!(offer(&world).is_none(), "seed {seed}");
        assert_eq!(world.names(MILAN, &[Kind::ResourceRequest]).len(), 1, "seed {seed}");
        switch(&mut world, Switch::No);
        world.settle();
        assert!(says(&world, ROME, "milan", "OutgoingPeering None"), "seed {seed}");
        assert_nothing_is_left(&world, seed);
    }
}

/// P4: whoever starts while a ForeignCluster is being deleted finishes that, from its log or from what it sees.
#[test]
fn a_start_while_a_foreign_cluster_goes_finishes_that() {
    let stages: [fn(&World) -> bool; 4] = [
        |world| is_deleting(world, ROME, &peer_key("milan")),
        drains,
        |world| offer(world).is_none(),
        |world| world.names(MILAN, &[Kind::NamespaceMap]).is_empty(),
    ];
    for seed in SEEDS {
        for (at, with_log) in [(ROME, true), (ROME, false), (MILAN, true), (MILAN, false)] {
            for (stage, reached) in stages.iter().enumerate() {
                let mut world = peered(seed);
                world.delete(ROME, &peer_key("milan"));
                world.run_until(reached);
                world.restart(at, &settings(seed), with_log);
                world.settle();
                let case = format!("seed {seed}, cluster {at} at stage {stage}, with its log: {with_log}");
                assert_forgotten(&world, seed);
                let kept =
                    world.names(ROME, &[Kind::ResourceRequest, Kind::NetworkConfig, Kind::NamespaceMap]);
                assert!(kept.is_empty(), "{case}: {kept:?}");
            }
        }
    }
}

#[test]
fn an_unpeering_waits_for_a_peer_that_cannot_be_reached_and_goes_on_with_it() {
    for seed in SEEDS {
        let mut world = peered(seed);
        world.cut = true;
        switch(&mut world, Switch::No);
        world.settle();
        assert!(says(&world, ROME, "milan", "OutgoingPeering Disconnecting"), "seed {seed}");
        // What runs in the provider runs on: nothing was drained that nobody there has taken back.
        assert!(offer(&world).is_some_and(|offer| offer.node_finalizer), "seed {seed}");
        world.cut = false;
        world.settle();
        assert!(says(&world, ROME, "milan", "OutgoingPeering None"), "seed {seed}");
        assert_nothing_is_left(&world, seed);
    }
}

#[test]
fn a_foreign_cluster_stays_while_its_peer_cannot_be_reached() {
    for seed in SEEDS {
        let mut world = peered(seed);
        world.cut = true;
        world.delete(ROME, &peer_key("milan"));
        world.settle();
        assert!(is_deleting(&world, ROME, &peer_key("milan")), "seed {seed}");
        world.cut = false;
        world.settle();
        assert_forgotten(&world, seed);
    }
}

/// Gives a peer up and forgets it.
fn give_up(world: &mut World, at: usize, name: &str) {
    let mut facts = world.foreign_cluster(at, name).unwrap().clone();
    facts.outgoing = Switch::GivenUp;
    world.write(at, peer_key(name), Facts::ForeignCluster(facts));
    world.delete(at, &peer_key(name));
}

fn of_peerings(world: &World, at: usize) -> Vec<String> {
    let mut left = world.names(at, &PEERING);
    left.extend(world.names(at, &[Kind::ForeignCluster]));
    left.extend(world.names(at, &[Kind::RoleBinding]).into_iter().filter(|name| !name.ends_with("-basic")));
    left.extend(world.names(at, &[Kind::Node]).into_iter().filter(|name| name != "Node/worker"));
    left
}

/// P3: nothing waits for a peer that is gone for ever, on either side; and when it is back, nothing begins anew.
#[test]
fn a_peer_that_is_given_up_leaves_nothing() {
    for seed in SEEDS {
        for (at, name) in [(ROME, "milan"), (MILAN, "rome")] {
            for deleted_before in [false, true] {
                let mut world = peered(seed);
                world.cut = true;
                if deleted_before {
                    world.delete(at, &peer_key(name));
                    world.settle();
                }
                give_up(&mut world, at, name);
                world.settle();
                assert_eq!(of_peerings(&world, at), Vec::<String>::new(), "seed {seed}, {name} is given up");
                let extended = world.names(at, &[Kind::Namespace]);
                assert!(!extended.iter().any(|name| name.contains("shop-rome")), "seed {seed}: {extended:?}");
                let pending: Vec<_> = world.clusters[at].scenario.ready();
                assert!(pending.is_empty(), "seed {seed}: {pending:?}");
            }
        }
    }
}

#[test]
fn two_clusters_that_give_each_other_up_can_peer_again() {
    for seed in SEEDS {
        let mut world = peered(seed);
        world.cut = true;
        give_up(&mut world, ROME, "milan");
        give_up(&mut world, MILAN, "rome");
        world.settle();
        world.cut = false;
        world.settle();
        for at in [ROME, MILAN] {
            assert_eq!(of_peerings(&world, at), Vec::<String>::new(), "seed {seed}");
        }
        introduce(&mut world, Switch::Yes);
        world.settle();
        assert!(says(&world, ROME, "milan", "OutgoingPeering Established"), "seed {seed}");
    }
}
