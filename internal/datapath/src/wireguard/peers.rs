//! The peers that the device loops know.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use ipnet::Ipv4Net;
use liqo_model::ClusterId;

use super::allowed::Allowed;
use super::key::{KeyPair, PublicKey};
use super::noise::{Gate, Noise};
use super::session::Session;

/// Between two handshakes is more than this, and between two reckonings of the time of one is less.
const WAVER: Duration = Duration::from_secs(2);

/// What a peer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerSettings {
    pub(crate) key: PublicKey,
    /// Networks inside the tunnel that are the peer's.
    pub(crate) networks: Vec<Ipv4Net>,
}

/// What a peer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeerFigures {
    /// Bytes of messages from the peer that were genuine.
    pub(crate) received_bytes: u64,
    /// Bytes of messages to the peer.
    pub(crate) sent_bytes: u64,
    /// When a handshake last succeeded.
    pub(crate) last_handshake: Option<SystemTime>,
    /// Where the peer is.
    pub(crate) endpoint: Option<SocketAddrV4>,
}

/// An address that two threads read for each packet and one of them sometimes changes.
#[derive(Debug, Default)]
pub(super) struct Endpoint(AtomicU64);

impl Endpoint {
    pub(super) fn get(&self) -> Option<SocketAddrV4> {
        let [_, 1, a, b, c, d, high, low] = self.0.load(Ordering::Relaxed).to_be_bytes() else { return None };
        Some(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
    }

    pub(super) fn set(&self, address: SocketAddrV4) {
        let ([a, b, c, d], [high, low]) = (address.ip().octets(), address.port().to_be_bytes());
        self.0.store(u64::from_be_bytes([0, 1, a, b, c, d, high, low]), Ordering::Relaxed);
    }
}

/// A peer.
pub(super) struct Peer {
    pub(super) index: u32,
    key: PublicKey,
    session: Mutex<Box<dyn Session>>,
    pub(super) endpoint: Endpoint,
    /// Where the control plane says that it is.
    configured: Mutex<Option<SocketAddrV4>>,
    handshake: Mutex<Option<SystemTime>>,
    pub(super) received_bytes: AtomicU64,
    pub(super) sent_bytes: AtomicU64,
}

impl Peer {
    fn new(index: u32, key: PublicKey, session: Box<dyn Session>) -> Self {
        Self {
            index,
            key,
            session: Mutex::new(session),
            endpoint: Endpoint::default(),
            configured: Mutex::default(),
            handshake: Mutex::default(),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
        }
    }

    /// The session, for as many packets as are at hand.
    pub(super) fn session(&self) -> MutexGuard<'_, Box<dyn Session>> {
        // A thread that panicked with it leaves a session that the next handshake replaces.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn figures(&self, now: SystemTime) -> PeerFigures {
        let since = self.session().since_handshake();
        let last_handshake =
            since.and_then(|since| now.checked_sub(since)).map(|time| self.handshake_at(time));
        PeerFigures {
            received_bytes: self.received_bytes.load(Ordering::Relaxed),
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            last_handshake,
            endpoint: self.endpoint.get(),
        }
    }

    /// The time of the last handshake, which is reckoned anew each time and must not waver.
    fn handshake_at(&self, reckoned: SystemTime) -> SystemTime {
        let mut known = self.handshake.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: SystemTime| {
            let difference = reckoned.duration_since(known).unwrap_or_else(|error| error.duration());
            difference < WAVER
        };
        let time = known.filter(|known| is_same(*known)).unwrap_or(reckoned);
        *known = Some(time);
        time
    }

    /// Goes where the control plane says, when it says something new, or when the peer is not heard where it is.
    fn configure(&self, address: SocketAddrV4, is_lost: bool) {
        let mut configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        if *configured != Some(address) || is_lost {
            self.endpoint.set(address);
        }
        *configured = Some(address);
    }
}

/// What the loops look up. Never changes: another one takes its place.
pub(super) struct Table {
    pub(super) gate: Gate,
    by_index: HashMap<u32, Arc<Peer>>,
    by_key: HashMap<PublicKey, Arc<Peer>>,
    allowed: Allowed<Arc<Peer>>,
}

impl Table {
    /// The peer that knows us by this index in one of its sessions: the lowest 8 bits count sessions.
    pub(super) fn by_index(&self, index: u32) -> Option<&Arc<Peer>> {
        self.by_index.get(&(index >> 8))
    }

    pub(super) fn by_key(&self, key: PublicKey) -> Option<&Arc<Peer>> {
        self.by_key.get(&key)
    }

    /// Whose an address inside the tunnel is.
    pub(super) fn owner(&self, address: Ipv4Addr) -> Option<&Arc<Peer>> {
        self.allowed.owner(address)
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.by_index.values()
    }
}

/// All peers, shared by the loops, the timers and who configures them.
pub(crate) struct Peers {
    table: RwLock<Arc<Table>>,
    state: Mutex<State>,
}

struct State {
    keys: KeyPair,
    settings: BTreeMap<ClusterId, PeerSettings>,
    peers: BTreeMap<ClusterId, Arc<Peer>>,
}

impl Peers {
    /// No peers yet.
    pub(crate) fn new(keys: KeyPair) -> Self {
        let table = Arc::new(table(Gate::new(&keys), &BTreeMap::new(), &BTreeMap::new()));
        let state = State { keys, settings: BTreeMap::new(), peers: BTreeMap::new() };
        Self { table: RwLock::new(table), state: Mutex::new(state) }
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the peers these. Sessions of peers whose key stays go on, unless our own keys are others. `chance` makes the
    /// indexes that other ends know sessions by. Says whether something changed.
    pub(crate) fn set(
        &self,
        keys: &KeyPair,
        settings: BTreeMap<ClusterId, PeerSettings>,
        mut chance: impl FnMut() -> u32,
    ) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.keys == *keys && state.settings == settings {
            return false;
        }
        let mut known = std::mem::take(&mut state.peers);
        if state.keys != *keys {
            known.clear();
        }
        let gate = Gate::new(keys);
        let mut peers: BTreeMap<ClusterId, Arc<Peer>> = BTreeMap::new();
        known.retain(|id, peer| settings.get(id).is_some_and(|settings| settings.key == peer.key));
        let mut indexes: Vec<u32> = known.values().map(|peer| peer.index).collect();
        for (id, settings) in &settings {
            let peer = known.remove(id).unwrap_or_else(|| {
                let index = unused(&indexes, &mut chance);
                indexes.push(index);
                let session = Noise::new(keys, settings.key, index, &gate);
                Arc::new(Peer::new(index, settings.key, Box::new(session)))
            });
            peers.insert(id.clone(), peer);
        }
        *self.table.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(table(gate, &settings, &peers));
        *state = State { keys: keys.clone(), settings, peers };
        true
    }

    /// The control plane says that a peer is at this address.
    pub(crate) fn configure(&self, id: &ClusterId, address: SocketAddrV4, is_lost: bool) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = state.peers.get(id) {
            peer.configure(address, is_lost);
        }
    }

    /// What each peer did.
    pub(crate) fn figures(&self, now: SystemTime) -> BTreeMap<ClusterId, PeerFigures> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.peers.iter().map(|(id, peer)| (id.clone(), peer.figures(now))).collect()
    }
}

/// 24 bits that no other peer has. There are far fewer peers than 2^23, so this takes two tries at most in practice.
fn unused(used: &[u32], chance: &mut impl FnMut() -> u32) -> u32 {
    loop {
        let index = chance() >> 8;
        if !used.contains(&index) {
            return index;
        }
    }
}

fn table(
    gate: Gate,
    settings: &BTreeMap<ClusterId, PeerSettings>,
    peers: &BTreeMap<ClusterId, Arc<Peer>>,
) -> Table {
    let networks = settings.iter().flat_map(|(id, settings)| {
        let peer = peers.get(id);
        settings.networks.iter().filter_map(move |network| Some((*network, peer?.clone())))
    });
    Table {
        gate,
        by_index: peers.values().map(|peer| (peer.index, peer.clone())).collect(),
        by_key: peers.values().map(|peer| (peer.key, peer.clone())).collect(),
        allowed: Allowed::new(networks),
    }
}
