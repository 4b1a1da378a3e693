//! The inbound thread: messages of peers become packets for the kernel.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use quinn_udp::RecvMeta;
use tun_rs::GROTable;

use super::allowed::addresses;
use super::flood::Flood;
use super::noise::Admission;
use super::outbound::send;
use super::peers::{Peer, Table};
use super::session::{LONGEST_HANDSHAKE, OVERHEAD, Session, Step};
use super::tun::{BATCH, HEADROOM, LONGEST};
use super::tunnel::{Reason, Shared, is_fatal};

/// Buffers that one call fills, each with up to 64 messages of one sender.
const BUFFERS: usize = 8;
/// Calls before the thread looks whether it should stop.
const READS: usize = 64;
/// First four bytes of the second message of a handshake, and of a data message.
const RESPONSE: [u8; 4] = [2, 0, 0, 0];
const DATA: [u8; 4] = [4, 0, 0, 0];

/// Runs until it is told to stop.
///
/// # Errors
///
/// When the device or the socket is gone.
pub(super) fn run(shared: &Shared) -> io::Result<()> {
    let mut buffers: [Vec<u8>; BUFFERS] = std::array::from_fn(|_| vec![0; LONGEST]);
    let mut about = [RecvMeta::default(); BUFFERS];
    let mut inbound = Inbound::new(shared);
    while shared.wait_for(&shared.socket)? {
        for _ in 0..READS {
            let mut slices = buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
            let filled = match shared.socket.receive(&mut slices, &mut about) {
                Ok(filled) => filled,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Word of an earlier message that could not be delivered.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error),
            };
            for (buffer, about) in buffers.iter().zip(&about[..filled]) {
                inbound.take(&buffer[..about.len], about.addr, about.stride)?;
            }
            inbound.flush()?;
        }
    }
    Ok(())
}

struct Inbound<'a> {
    shared: &'a Shared,
    table: Arc<Table>,
    flood: Flood,
    began: Instant,
    /// Packets to write, each behind its headroom; the first `number` of them count.
    packets: Vec<Vec<u8>>,
    number: usize,
    joiner: GROTable,
    reply: Vec<u8>,
}

impl<'a> Inbound<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            table: shared.peers.table(),
            flood: Flood::default(),
            began: Instant::now(),
            // Room for what is joined to each: pages that nothing is written to cost nothing.
            packets: (0..BATCH).map(|_| Vec::with_capacity(HEADROOM + LONGEST)).collect(),
            number: 0,
            joiner: GROTable::new(),
            reply: vec![0; LONGEST + OVERHEAD.max(LONGEST_HANDSHAKE)],
        }
    }

    /// Takes in messages of one sender, all of `stride` bytes but the last.
    fn take(&mut self, messages: &[u8], from: SocketAddr, stride: usize) -> io::Result<()> {
        let SocketAddr::V4(from) = from else { return Ok(()) };
        self.table = self.shared.peers.table();
        let table = self.table.clone();
        let mut messages = messages.chunks(stride.max(1)).peekable();
        while let Some(message) = messages.next() {
            let Some(index) = data_index(message) else {
                self.handshake(message, from);
                continue;
            };
            let Some(peer) = table.by_index(index) else {
                self.shared.drops.count(Reason::NoPeer);
                continue;
            };
            let mut session = peer.session();
            let mut genuine = self.open(&mut **session, peer, message, from)?;
            let continues = |next: &&[u8]| data_index(next).is_some_and(|next| next >> 8 == index >> 8);
            while let Some(message) = messages.next_if(continues) {
                genuine |= self.open(&mut **session, peer, message, from)?;
            }
            if genuine && peer.endpoint.get() != Some(from) {
                peer.endpoint.set(from);
            }
        }
        Ok(())
    }

    /// Opens a data message. Says whether it was the peer's.
    fn open(
        &mut self,
        session: &mut dyn Session,
        peer: &Arc<Peer>,
        message: &[u8],
        from: SocketAddrV4,
    ) -> io::Result<bool> {
        let packet = &mut self.packets[self.number];
        packet.resize(HEADROOM + message.len(), 0);
        match session.open(IpAddr::V4(*from.ip()), message, &mut packet[HEADROOM..]) {
            Step::Deliver(length) => {
                packet.truncate(HEADROOM + length);
                let source = addresses(&packet[HEADROOM..]).map(|(source, _)| source);
                let owner = source.and_then(|source| self.table.owner(source));
                if owner.is_some_and(|owner| Arc::ptr_eq(owner, peer)) {
                    self.number += 1;
                } else {
                    self.shared.drops.count(Reason::ForeignSource);
                }
            }
            // A message without a packet says that the other end is there: what waited for it can go.
            Step::Nothing => self.send_waiting(session, peer, from),
            Step::Send(_) | Step::Refuse => {
                self.shared.drops.count(Reason::NotGenuine);
                return Ok(false);
            }
        }
        peer.received_bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
        if self.number == BATCH {
            self.flush()?;
        }
        Ok(true)
    }

    fn send_waiting(&mut self, session: &mut dyn Session, peer: &Peer, from: SocketAddrV4) {
        while let Step::Send(length) = session.open(IpAddr::V4(*from.ip()), &[], &mut self.reply) {
            send(self.shared, &self.shared.socket, peer, &self.reply[..length], length);
        }
    }

    fn handshake(&mut self, message: &[u8], from: SocketAddrV4) {
        let source = IpAddr::V4(*from.ip());
        if !self.flood.admits(source, self.began.elapsed()) {
            return self.shared.drops.count(Reason::Flood);
        }
        let table = self.table.clone();
        let peer = match table.gate.admit(source, message, &mut self.reply) {
            Admission::Session(index) => table.by_index(index),
            Admission::Peer(key) => table.by_key(key),
            Admission::Refused => None,
            Admission::Prove(length) => {
                // Lost on the way is as good as not sent: the sender tries again.
                let _ = self.shared.socket.send(from, &self.reply[..length], length);
                return;
            }
        };
        let Some(peer) = peer else { return self.shared.drops.count(Reason::NoPeer) };
        let mut session = peer.session();
        match session.open(source, message, &mut self.reply) {
            Step::Send(length) => {
                peer.endpoint.set(from);
                peer.received_bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
                send(self.shared, &self.shared.socket, peer, &self.reply[..length], length);
                // The session that we answered with counts when the other end has used it. To send before would begin
                // another handshake, and two ends that both do so never agree.
                if message.starts_with(&RESPONSE) {
                    self.send_waiting(&mut **session, peer, from);
                }
            }
            Step::Nothing => {}
            Step::Deliver(_) | Step::Refuse => self.shared.drops.count(Reason::NotGenuine),
        }
    }

    /// Gives packets to the kernel.
    fn flush(&mut self) -> io::Result<()> {
        if self.number == 0 {
            return Ok(());
        }
        let written = self.shared.tun.write(&mut self.joiner, &mut self.packets[..self.number]);
        self.number = 0;
        match written {
            Err(error) if is_fatal(&error) => Err(error),
            Err(_) => {
                self.shared.drops.count(Reason::NotDelivered);
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}

/// The index of the session that a data message is for; nothing for any other message.
fn data_index(message: &[u8]) -> Option<u32> {
    let rest = message.strip_prefix(&DATA).filter(|_| message.len() >= OVERHEAD)?;
    rest.first_chunk::<4>().map(|index| u32::from_le_bytes(*index))
}
