//! Whether each peer is there, from the messages of the connection check. Pure; time comes in.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use jiff::Timestamp;
use liqo_model::ClusterId;

use super::{Message, MessageType, PORT};

/// Between two questions to a peer, as in Go's gateway.
const INTERVAL: Duration = Duration::from_secs(2);
/// A peer that did not answer for so many intervals is gone.
const LOST_INTERVALS: u32 = 5;
/// Questions that may still be answered: those of the time after which the peer is gone anyway, and one more.
const MOST_OPEN: usize = LOST_INTERVALS as usize + 1;

/// The time, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Of the wall clock, which goes into messages.
    pub wall: Timestamp,
    /// Since any fixed moment, of a clock that never goes back, which judges.
    pub monotonic: Duration,
}

/// Whether a peer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has not answered yet.
    Connecting,
    /// It answers.
    Connected,
    /// It does not answer, or no more.
    Error,
}

/// A peer, as the check sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether it is there.
    pub status: Status,
    /// Time that the last answer took; nothing while there is none.
    pub round_trip: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Peer {
    address: Ipv4Addr,
    health: Health,
    /// Questions without an answer, oldest first: the time in the message, and when it was sent.
    open: VecDeque<(Timestamp, Duration)>,
    next_question: Duration,
    /// When it was last heard, or when checking began.
    heard: Duration,
}

impl Peer {
    fn new(address: Ipv4Addr, now: Now) -> Self {
        Self {
            address,
            health: Health { status: Status::Connecting, round_trip: None },
            open: VecDeque::with_capacity(MOST_OPEN),
            next_question: now.monotonic,
            heard: now.monotonic,
        }
    }

    /// When it counts as gone.
    fn lost_at(&self) -> Duration {
        self.heard + INTERVAL * LOST_INTERVALS + self.health.round_trip.unwrap_or_default()
    }

    /// An answer: it counts when the question is open, so that nobody can answer what was not asked, or twice.
    fn answered(&mut self, asked: Timestamp, now: Now) {
        let Some(index) = self.open.iter().position(|(time, _)| *time == asked) else { return };
        let Some((_, sent)) = self.open.drain(..=index).next_back() else { return };
        self.heard = now.monotonic;
        let round_trip = Some(now.monotonic.saturating_sub(sent));
        self.health = Health { status: Status::Connected, round_trip };
    }

    fn question(&mut self, id: &ClusterId, now: Now) -> Option<(SocketAddrV4, Vec<u8>)> {
        if now.monotonic < self.next_question {
            return None;
        }
        // After a pause of the process one question is due, not all that were missed.
        self.next_question = now.monotonic + INTERVAL;
        if self.open.len() == MOST_OPEN {
            self.open.pop_front();
        }
        self.open.push_back((now.wall, now.monotonic));
        let datagram = Message::ping(id.as_str(), now.wall).encode();
        Some((SocketAddrV4::new(self.address, PORT), datagram))
    }

    fn judge(&mut self, now: Now) {
        if now.monotonic > self.lost_at() {
            self.health = Health { status: Status::Error, round_trip: None };
        }
    }
}

/// All checks of a gateway.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    peers: BTreeMap<ClusterId, Peer>,
}

impl Checker {
    /// Checks these peers at these addresses. What is known of a peer whose address stays is kept.
    pub fn set_peers(&mut self, peers: &BTreeMap<ClusterId, Ipv4Addr>, now: Now) {
        self.peers.retain(|id, peer| peers.get(id) == Some(&peer.address));
        for (id, address) in peers {
            self.peers.entry(id.clone()).or_insert_with(|| Peer::new(*address, now));
        }
    }

    /// Takes a datagram in. Returns the answer to a question; it goes back to where the question came from.
    pub fn received(&mut self, from: SocketAddrV4, datagram: &[u8], now: Now) -> Option<Vec<u8>> {
        let message = Message::parse(datagram)?;
        match message.message_type {
            MessageType::Ping => Some(message.pong().encode()),
            MessageType::Pong => {
                let peer = self.peers.get_mut(&ClusterId::from(message.cluster_id.as_str()))?;
                // Another peer cannot answer for this one: the tunnel has checked the address.
                if peer.address == *from.ip() {
                    peer.answered(message.at()?, now);
                }
                None
            }
        }
    }

    /// Judges who is gone, and returns the questions that are due.
    pub fn tick(&mut self, now: Now) -> Vec<(SocketAddrV4, Vec<u8>)> {
        let mut due = Vec::new();
        for (id, peer) in &mut self.peers {
            peer.judge(now);
            due.extend(peer.question(id, now));
        }
        due
    }

    /// When [`Self::tick`] has something to do, by the monotonic clock; nothing without peers.
    pub fn next_tick(&self) -> Option<Duration> {
        self.peers.values().map(|peer| peer.next_question).min()
    }

    /// What is known of each peer.
    pub fn health(&self) -> BTreeMap<ClusterId, Health> {
        self.peers.iter().map(|(id, peer)| (id.clone(), peer.health)).collect()
    }
}
