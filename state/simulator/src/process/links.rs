//! Peers as the state of a process has them: clients and watches come and go with what it knows, and whether their API
//! servers answer is asked now and then.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use liqo_domain::{Input, control_plane_watches, links};
use liqo_events::{Event, Facts, ServerProbed, TunnelReported};
use liqo_model::{ClusterId, ClusterRef, Kind, NamespaceName};

use super::{Actor, Life, Message, Watched, Watcher};
use crate::queue::Step;
use crate::user::identity;
use crate::world::World;

/// How often a peer's API server is asked whether it answers.
const PROBE_EVERY: u64 = 15_000;

/// A peer that there is an identity at.
#[derive(Clone, Debug)]
pub(crate) struct PeerLink {
    pub(crate) id: ClusterId,
    /// The tenant namespace there.
    pub(crate) namespace: NamespaceName,
    /// What was told of its API server.
    told: Option<bool>,
}

impl World {
    /// The process is going to look who its peers are.
    pub(super) fn plan_links(&mut self, actor: Actor) {
        if self.settings.peering.is_none() {
            return;
        }
        let Some(running) = self.running(actor) else { return };
        if !std::mem::replace(&mut running.links_planned, true) {
            self.plan(1, 50, Step::Links(actor));
        }
    }

    /// The cluster of an ID.
    pub(crate) fn cluster_of(&self, id: &ClusterId) -> Option<usize> {
        self.clusters.iter().position(|cluster| identity(&cluster.api).as_ref() == Some(id))
    }

    /// Makes clients and watches what the state wishes them to be.
    pub(crate) fn links(&mut self, actor: Actor) {
        let Some(running) = self.running(actor) else { return };
        running.links_planned = false;
        let state = running.writer.state();
        let (links, wishes) = (links(state), control_plane_watches(state));
        let mut peers = BTreeMap::new();
        for (id, link) in links {
            let Some(server) = self.cluster_of(&id) else { continue };
            peers.insert(server, PeerLink { id, namespace: link.remote_namespace, told: None });
        }
        let wished = wishes.into_iter().filter_map(|wish| match &wish.cluster {
            ClusterRef::Remote(id) => Some(Watched { server: self.cluster_of(id)?, kind: wish.kind }),
            ClusterRef::Local => None,
        });
        let wished: BTreeSet<Watched> =
            wished.filter(|watched| peers.contains_key(&watched.server)).collect();
        self.connect(actor, peers);
        self.adopt(actor, &wished);
        self.hear_gateway(actor);
    }

    fn connect(&mut self, actor: Actor, peers: BTreeMap<usize, PeerLink>) {
        let Some(running) = self.running(actor) else { return };
        running.peers.retain(|server, _| peers.contains_key(server));
        let mut new = Vec::new();
        for (server, peer) in peers {
            let cluster = ClusterRef::Remote(peer.id.clone());
            let state = running.writer.state();
            running.lives.begin(server, || Life::of(state, cluster, false));
            if let Entry::Vacant(place) = running.peers.entry(server) {
                place.insert(peer);
                new.push(server);
            }
        }
        for server in new {
            self.plan(1, 50, Step::Probe(actor, server));
        }
    }

    fn adopt(&mut self, actor: Actor, wished: &BTreeSet<Watched>) {
        let home = actor.process.cluster;
        let Some(running) = self.running(actor) else { return };
        running.watchers.retain(|watched, _| watched.server == home || wished.contains(watched));
        for watched in wished {
            let Some(running) = self.running(actor) else { return };
            if running.watchers.contains_key(watched) {
                continue;
            }
            let cursor = running.recorded(actor, *watched);
            let generation = running.lives.at(watched.server).generation;
            running.watchers.insert(*watched, Watcher::new(cursor, generation));
            self.turn(actor, *watched, (1, 50));
        }
    }

    /// The gateway connects every tunnel that is asked for, and says so.
    fn hear_gateway(&mut self, actor: Actor) {
        let Some(running) = self.running(actor) else { return };
        let state = running.writer.state();
        let tunnels = state.local(Kind::TunnelEndpoint).filter_map(|(_, object)| match &object.facts {
            Facts::TunnelEndpoint(tunnel) => Some(tunnel.spec.cluster_id.clone()),
            _ => None,
        });
        let new = tunnels.filter(|peer| !state.tunnels.contains_key(peer)).map(|peer| {
            Event::TunnelReported(TunnelReported {
                peer,
                gateway: "172.18.0.9".to_owned(),
                connected: true,
                round_trip_micros: 1000,
                trouble: String::new(),
            })
        });
        let new: Vec<Event> = new.collect();
        if !new.is_empty() {
            self.post(actor, Message::Input(Input::Observe(new)));
        }
    }

    /// Asks whether the API server of a peer answers, and tells what is different.
    pub(crate) fn probe(&mut self, actor: Actor, server: usize) {
        let reachable = !self.is_down(server);
        let Some(peer) = self.running(actor).and_then(|running| running.peers.get_mut(&server)) else {
            return;
        };
        let news = peer.told.replace(reachable) != Some(reachable);
        let cluster = ClusterRef::Remote(peer.id.clone());
        self.plan(PROBE_EVERY - 500, PROBE_EVERY, Step::Probe(actor, server));
        if news {
            let trouble = if reachable { String::new() } else { "503".to_owned() };
            let probed = Event::ServerProbed(ServerProbed { cluster, reachable, trouble });
            self.post(actor, Message::Input(Input::Observe(vec![probed])));
        }
    }
}
