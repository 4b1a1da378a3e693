//! One round after the other: from what is wanted to what is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use liqo_model::{ClusterId, ClusterName};
use liqo_projections::fabric::{GatewaySettings, GatewayView, Peer};
use tokio::sync::watch;

use super::GatewayOptions;
use super::endpoints::Endpoints;
use crate::admission::{Admitted, admit};
use crate::check::{self, Checking, Health, Status, Target};
use crate::desired::{Desired, Position};
use crate::error::chain;
use crate::firewall::{self, Listing, Nft, NftError, Table};
use crate::kernel::Kernel;
use crate::metrics::Metrics;
use crate::netlink::{Notices, forget_connections};
use crate::network::of_gateway;
use crate::report::{PeerReport, Report, sentence};
use crate::wireguard::{Drops, KeyPair, Listen, PeerFigures, PeerSettings, Peers, Tunnel};

/// Everything that a gateway holds.
pub(super) struct Rounds {
    kernel: Kernel,
    address: Ipv4Addr,
    keys: PathBuf,
    metrics: Metrics,
    drops: Arc<Drops>,
    wireguard: Option<WireGuard>,
    checking: Option<Checking>,
    /// What is known of peers before there is a check.
    no_health: watch::Sender<BTreeMap<ClusterId, Health>>,
    /// What is known of the end of a tunnel that is not there.
    no_end: watch::Sender<bool>,
    applied: Option<Position>,
    names: BTreeMap<ClusterId, ClusterName>,
    refused: BTreeMap<ClusterId, String>,
    malformed: Vec<String>,
    problems: Vec<String>,
}

struct WireGuard {
    keys: KeyPair,
    peers: Arc<Peers>,
    endpoints: Option<Endpoints>,
    tunnel: Option<Tunnel>,
}

type Signals = (Arc<Notices>, watch::Receiver<bool>, watch::Receiver<BTreeMap<ClusterId, Health>>);

impl Rounds {
    pub(super) fn new(kernel: Kernel, options: &GatewayOptions) -> Self {
        Self {
            kernel,
            address: options.address,
            keys: options.keys.clone(),
            metrics: options.metrics.clone(),
            drops: options.figures.0.clone(),
            wireguard: None,
            checking: None,
            no_health: watch::Sender::new(BTreeMap::new()),
            no_end: watch::Sender::new(false),
            applied: None,
            names: BTreeMap::new(),
            refused: BTreeMap::new(),
            malformed: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// How many things went wrong that trying again may solve.
    pub(super) fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Brings everything to what is wanted. `is_same` when nothing else was wanted last time: if all could be done then, any
    /// difference now is somebody else's doing. `chance` makes indexes of sessions.
    pub(super) async fn converge(&mut self, desired: &Desired, is_same: bool, chance: impl FnMut() -> u32) {
        let is_repair = is_same && self.problems.is_empty();
        self.problems.clear();
        let (view, malformed) = GatewayView::read(&desired.view);
        let complaints = malformed.into_iter();
        self.malformed =
            complaints.map(|entry| format!("entry {} makes no sense: {}", entry.key, entry.reason)).collect();
        // Before the first view nothing is known to be wanted, so nothing is taken away.
        let Some(settings) = &view.settings else { return };
        let admitted = admit(settings, self.address, &view.peers);
        let peers = || admitted.peers.values().map(|(peer, _)| *peer);
        self.read_keys();
        if let Err(problem) = self.open_tunnel(settings).await {
            self.problems.push(problem);
        }
        let table = firewall::of_gateway(settings, peers());
        if let Err(problem) = self.converge_firewall(&table, is_repair).await {
            self.problems.push(problem);
        }
        let wanted = of_gateway(settings, self.address, peers(), &view.nodes);
        let problems = self.kernel.converge(&wanted, is_repair).await;
        self.problems.extend(problems);
        self.set_peers(&admitted, chance).await;
        self.names = view.peers.iter().map(|(id, peer)| (id.clone(), peer.cluster_name.clone())).collect();
        self.refused = admitted.refused;
        self.applied = desired.at;
    }

    fn read_keys(&mut self) {
        match KeyPair::read(&self.keys) {
            Ok(keys) => {
                let wireguard = self.wireguard.get_or_insert_with(|| WireGuard {
                    peers: Arc::new(Peers::new(keys.clone())),
                    keys: keys.clone(),
                    endpoints: None,
                    tunnel: None,
                });
                wireguard.keys = keys;
            }
            // The keys that are in use stay in use.
            Err(error) => self.problems.push(chain(&error)),
        }
    }

    /// Makes the device and its threads when they are not there.
    async fn open_tunnel(&mut self, settings: &GatewaySettings) -> Result<(), String> {
        let Some(wireguard) = &mut self.wireguard else { return Ok(()) };
        let works = |tunnel: &Tunnel| tunnel.port() == settings.listen_port && !*tunnel.ended().borrow();
        if wireguard.tunnel.as_ref().is_some_and(works) {
            return Ok(());
        }
        let uplink = self.kernel.uplink().await.map_err(|error| chain(&error))?;
        let uplink = uplink.ok_or_else(|| format!("no interface has the pod's address {}", self.address))?;
        // The old device has to be gone before one of the same name can be made.
        wireguard.tunnel = None;
        let listen = Listen { port: settings.listen_port, uplink: &uplink };
        let tunnel = Tunnel::open(listen, wireguard.peers.clone(), self.drops.clone());
        wireguard.tunnel = Some(tunnel.map_err(|error| chain(&error))?);
        Ok(())
    }

    async fn converge_firewall(&mut self, table: &Table, is_repair: bool) -> Result<(), String> {
        let text = |error: NftError| chain(&error);
        let wanted = Listing::of(table);
        let found = Nft.list().await.map_err(text)?;
        if found.as_ref() == Some(&wanted) {
            return Ok(());
        }
        if is_repair {
            tracing::warn!("somebody changed the nftables table ip liqo; it is put right");
        }
        Nft.replace(table).await.map_err(text)?;
        self.kernel.steps += 1;
        self.metrics.changed("firewall", is_repair);
        if found.is_some_and(|found| found.loses_something_in(&wanted)) {
            forget_connections().map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    async fn set_peers(&mut self, admitted: &Admitted<'_>, chance: impl FnMut() -> u32) {
        let Some(wireguard) = &mut self.wireguard else { return };
        let settings = |(peer, key): &(&Peer, _)| PeerSettings {
            key: *key,
            networks: vec![peer.pod_cidr, peer.external_cidr],
        };
        let wanted = admitted.peers.iter().map(|(id, peer)| ((*id).clone(), settings(peer))).collect();
        wireguard.peers.set(&wireguard.keys, wanted, chance);
        if self.checking.is_none() && wireguard.tunnel.is_some() {
            match Checking::start().await {
                Ok(checking) => {
                    wireguard.endpoints = Some(Endpoints::start(wireguard.peers.clone(), checking.health()));
                    self.checking = Some(checking);
                }
                Err(error) => self.problems.push(format!("the connection check cannot listen: {error}")),
            }
        }
        let peers = || admitted.peers.iter().map(|(id, (peer, _))| ((*id).clone(), *peer));
        if let Some(endpoints) = &wireguard.endpoints {
            endpoints.set(peers().map(|(id, peer)| (id, peer.endpoint.clone())).collect());
        }
        if let Some(checking) = &self.checking {
            let targets: Target =
                peers().map(|(id, peer)| (id, check::address_in(peer.external_cidr))).collect();
            checking.set_targets(targets);
        }
    }

    fn health(&self) -> watch::Receiver<BTreeMap<ClusterId, Health>> {
        self.checking.as_ref().map_or_else(|| self.no_health.subscribe(), Checking::health)
    }

    /// What tells that a round or a report is due.
    pub(super) fn signals(&self) -> Signals {
        let tunnel = self.wireguard.as_ref().and_then(|wireguard| wireguard.tunnel.as_ref());
        let ended = tunnel.map_or_else(|| self.no_end.subscribe(), Tunnel::ended);
        let mut health = self.health();
        health.mark_unchanged();
        (self.kernel.notices.clone(), ended, health)
    }

    /// The state of everything.
    pub(super) fn report(&self, desired: &Desired, now: SystemTime) -> Report {
        let health = self.health().borrow().clone();
        let figures =
            self.wireguard.as_ref().map(|wireguard| wireguard.peers.figures(now)).unwrap_or_default();
        let peers = self.names.iter().map(|(id, name)| {
            let report = match self.refused.get(id) {
                Some(reason) => refused(name, reason),
                None => checked(name, health.get(id), figures.get(id).copied().unwrap_or_default()),
            };
            (id.clone(), report)
        });
        let problems = self.malformed.iter().chain(&self.problems).cloned();
        let refused = self.refused.iter().map(|(id, reason)| format!("peer {id}: {reason}"));
        Report {
            applied: self.applied,
            current: desired.current,
            problems: problems.chain(refused).collect(),
            peers: peers.collect(),
        }
    }
}

fn refused(name: &ClusterName, reason: &str) -> PeerReport {
    let report = checked(name, None, PeerFigures::default());
    PeerReport { status: Status::Error, message: reason.to_owned(), ..report }
}

fn checked(name: &ClusterName, health: Option<&Health>, figures: PeerFigures) -> PeerReport {
    let status = health.map_or(Status::Connecting, |health| health.status);
    let round_trip = health.and_then(|health| health.round_trip);
    PeerReport {
        name: name.clone(),
        status,
        message: sentence(status).to_owned(),
        latency_micros: round_trip.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        received_bytes: figures.received_bytes,
        sent_bytes: figures.sent_bytes,
        last_handshake: figures.last_handshake,
        endpoint: figures.endpoint,
    }
}
