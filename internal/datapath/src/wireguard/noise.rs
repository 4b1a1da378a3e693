//! Sessions by boringtun's protocol layer, and the gate that finds out for whom a message is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use boringtun::noise::handshake::parse_handshake_anon;
use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::noise::{Packet, Tunn, TunnResult};
use boringtun::x25519;

use super::key::{KeyPair, PublicKey};
use super::session::{Session, Step};

/// Handshake messages a second, of all sources together, above which a sender has to prove its address first. Each costs
/// about a third of a millisecond, so this is a fifth of a core; a thousand peers need eight a second.
const CHEAP_HANDSHAKES: u64 = 500;

/// A session by boringtun.
pub(super) struct Noise(Tunn);

impl Noise {
    /// A session in which the other end knows us by `index`, of which 24 bits count.
    pub(super) fn new(keys: &KeyPair, peer: PublicKey, index: u32, gate: &Gate) -> Self {
        let peer = x25519::PublicKey::from(peer.0);
        let limiter = Some(gate.unlimited.clone());
        Self(Tunn::new(keys.secret().clone(), peer, None, None, index, limiter))
    }
}

impl Session for Noise {
    fn seal(&mut self, packet: &[u8], out: &mut [u8]) -> Step {
        step(self.0.encapsulate(packet, out))
    }

    fn open(&mut self, from: IpAddr, message: &[u8], out: &mut [u8]) -> Step {
        step(self.0.decapsulate(Some(from), message, out))
    }

    fn tick(&mut self, out: &mut [u8]) -> Step {
        step(self.0.update_timers(out))
    }

    fn since_handshake(&self) -> Option<Duration> {
        self.0.time_since_last_handshake()
    }
}

fn step(result: TunnResult<'_>) -> Step {
    match result {
        TunnResult::Done => Step::Nothing,
        TunnResult::WriteToNetwork(message) => Step::Send(message.len()),
        TunnResult::WriteToTunnelV4(packet, _) => Step::Deliver(packet.len()),
        // Liqo has IPv4 networks only: no other source can be the peer's.
        TunnResult::WriteToTunnelV6(..) | TunnResult::Err(_) => Step::Refuse,
    }
}

/// For whom a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// For the session that the other end knows by this index.
    Session(u32),
    /// A handshake with whoever has this key.
    Peer(PublicKey),
    /// The sender has to prove its address first: so many bytes of the buffer are for it.
    Prove(usize),
    /// No good.
    Refused,
}

/// Looks at handshake messages before a session does.
pub(super) struct Gate {
    keys: KeyPair,
    public: x25519::PublicKey,
    limited: RateLimiter,
    /// What sessions are given, since this gate has already counted.
    unlimited: Arc<RateLimiter>,
}

impl Gate {
    pub(super) fn new(keys: &KeyPair) -> Self {
        let public = x25519::PublicKey::from(keys.public().0);
        Self {
            keys: keys.clone(),
            public,
            limited: RateLimiter::new(&public, CHEAP_HANDSHAKES),
            unlimited: Arc::new(RateLimiter::new(&public, u64::MAX)),
        }
    }

    /// Finds out for whom a message is that is no data.
    pub(super) fn admit(&self, from: IpAddr, message: &[u8], out: &mut [u8]) -> Admission {
        match self.limited.verify_packet(Some(from), message, out) {
            Ok(Packet::HandshakeInit(init)) => {
                let half = parse_handshake_anon(self.keys.secret(), &self.public, &init);
                half.map_or(Admission::Refused, |half| Admission::Peer(PublicKey(half.peer_static_public)))
            }
            Ok(Packet::HandshakeResponse(response)) => Admission::Session(response.receiver_idx),
            Ok(Packet::PacketCookieReply(reply)) => Admission::Session(reply.receiver_idx),
            Ok(Packet::PacketData(data)) => Admission::Session(data.receiver_idx),
            Err(TunnResult::WriteToNetwork(proof)) => Admission::Prove(proof.len()),
            Err(_) => Admission::Refused,
        }
    }

    /// Begins to count anew when a second has passed.
    pub(super) fn tick(&self) {
        self.limited.reset_count();
    }
}
