//! Two clusters that peer and unpeer: whatever happens, planning everything finds nothing that the plans for one peer, or
//! for one object, have missed.

use liqo_events::{CommandIssued, ControlPlaneSettings, Event, Facts, ServerProbed, Switch};
use liqo_model::ClusterRef;

use super::scenario::{namespace_key, offloading_facts, offloading_key, peer_key};
use super::world::{MILAN, ROME, World};
use super::world_effects::introduce;
use crate::{LiqoMachine, Machine, Output};

/// Orders that are tried: the properties of the machine try many more events, but in no such order.
const SEEDS: u64 = 4;

/// With a network of Liqo for every other order.
fn settings(seed: u64) -> ControlPlaneSettings {
    let pods = if seed % 2 == 1 { "10.200.0.0/16" } else { "" };
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

/// Lets things happen until nothing does any more, and looks for what was missed after each.
fn settle(world: &mut World, seed: u64) {
    for _ in 0..20_000 {
        let goes_on = world.step();
        for at in [ROME, MILAN] {
            let scenario = &world.clusters[at].scenario;
            let news = |output: &Output| {
                let event = match output.clone() {
                    Output::Record(event) => event,
                    Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
                };
                LiqoMachine::is_news(&scenario.state, &event)
            };
            let missed: Vec<Output> = LiqoMachine::resume(&scenario.state).into_iter().filter(news).collect();
            let last: Vec<_> = scenario.log.iter().rev().take(4).collect();
            assert!(missed.is_empty(), "seed {seed}, cluster {at}: {missed:#?}\nafter {last:#?}");
        }
        if !goes_on {
            return;
        }
    }
    panic!("it never comes to rest");
}

fn switch(world: &mut World, outgoing: Switch) {
    let mut facts = world.foreign_cluster(ROME, "milan").unwrap().clone();
    facts.outgoing = outgoing;
    world.write(ROME, peer_key("milan"), Facts::ForeignCluster(facts));
}

#[test]
fn nothing_of_a_peering_is_missed_by_the_plans_for_one_peer() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, &settings(seed));
        world.write(ROME, namespace_key("shop"), Facts::Namespace(liqo_events::NamespaceFacts::default()));
        world.write(ROME, offloading_key("shop"), Facts::Offloading(offloading_facts()));
        introduce(&mut world, Switch::Yes);
        settle(&mut world, seed);
        let cluster = ClusterRef::Remote("milan-id".into());
        let probe = ServerProbed { cluster, reachable: false, trouble: "it does not answer".to_owned() };
        world.clusters[ROME].scenario.when(Event::ServerProbed(probe));
        settle(&mut world, seed);
        switch(&mut world, Switch::No);
        settle(&mut world, seed);
        switch(&mut world, Switch::Yes);
        settle(&mut world, seed);
        world.delete(ROME, &peer_key("milan"));
        settle(&mut world, seed);
    }
}
