//! The outbound thread: packets of the kernel become messages to peers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::allowed::addresses;
use super::peers::{Peer, Table};
use super::session::{LONGEST_HANDSHAKE, OVERHEAD, Step};
use super::socket::TunnelSocket;
use super::tun::{LONGEST, ReadBatch};
use super::tunnel::{Reason, Shared, is_fatal};

/// Bytes of messages that the kernel takes at a time: what one UDP datagram could carry.
const MOST_BYTES: usize = 65_507;
/// Reads before the thread looks whether it should stop.
const READS: usize = 64;

/// Runs until it is told to stop.
///
/// # Errors
///
/// When the device is gone.
pub(super) fn run(shared: &Shared) -> io::Result<()> {
    let mut batch = ReadBatch::new();
    let mut outgoing = Outgoing::new(shared.socket.most_segments());
    while shared.wait_for(&shared.tun)? {
        for _ in 0..READS {
            match shared.tun.read(&mut batch) {
                Ok(count) => carry(shared, &batch, count, &mut outgoing),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => shared.drops.count(Reason::Malformed),
            }
        }
        outgoing.flush(shared);
    }
    Ok(())
}

/// Seals the packets of one read. Packets to one peer that follow each other share one look at its session.
fn carry(shared: &Shared, batch: &ReadBatch, count: usize, outgoing: &mut Outgoing) {
    let table = shared.peers.table();
    let mut number = 0;
    while number < count {
        let Some(peer) = owner(&table, batch.packet(number)) else {
            shared.drops.count(Reason::NoPeer);
            number += 1;
            continue;
        };
        let mut session = peer.session();
        while number < count
            && owner(&table, batch.packet(number)).is_some_and(|next| Arc::ptr_eq(next, peer))
        {
            match session.seal(batch.packet(number), outgoing.room()) {
                Step::Send(length) => outgoing.push(shared, peer, length),
                Step::Nothing => {}
                Step::Deliver(_) | Step::Refuse => shared.drops.count(Reason::Malformed),
            }
            number += 1;
        }
    }
}

fn owner<'a>(table: &'a Table, packet: &[u8]) -> Option<&'a Arc<Peer>> {
    let (_, to) = addresses(packet)?;
    table.owner(to)
}

/// Messages to one peer, of one length but the last, that the kernel takes together.
struct Outgoing {
    buffer: Vec<u8>,
    filled: usize,
    count: usize,
    segment: usize,
    /// Whether the last message is a short one, after which no other can follow.
    complete: bool,
    peer: Option<Arc<Peer>>,
    most_segments: usize,
}

impl Outgoing {
    fn new(most_segments: usize) -> Self {
        let room = MOST_BYTES + LONGEST + OVERHEAD.max(LONGEST_HANDSHAKE);
        Self {
            buffer: vec![0; room],
            filled: 0,
            count: 0,
            segment: 0,
            complete: false,
            peer: None,
            most_segments,
        }
    }

    /// Where the next message is written before [`Self::push`].
    fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }

    /// Takes in the message of so many bytes in [`Self::room`].
    fn push(&mut self, shared: &Shared, peer: &Arc<Peer>, length: usize) {
        let same_peer = self.peer.as_ref().is_some_and(|known| Arc::ptr_eq(known, peer));
        let fits = same_peer
            && !self.complete
            && length <= self.segment
            && self.count < self.most_segments
            && self.filled + length <= MOST_BYTES;
        if !fits {
            let start = self.filled;
            self.flush(shared);
            self.buffer.copy_within(start..start + length, 0);
            (self.peer, self.segment) = (Some(peer.clone()), length);
        }
        self.filled += length;
        self.count += 1;
        self.complete = length < self.segment;
    }

    fn flush(&mut self, shared: &Shared) {
        if let Some(peer) = self.peer.take() {
            send(shared, &shared.socket, &peer, &self.buffer[..self.filled], self.segment);
        }
        (self.filled, self.count, self.complete) = (0, 0, false);
    }
}

/// Sends messages to where the peer is. A peer whose address is not known gets nothing.
pub(super) fn send(shared: &Shared, socket: &TunnelSocket, peer: &Peer, messages: &[u8], segment: usize) {
    let Some(to) = peer.endpoint.get() else { return shared.drops.count(Reason::NoEndpoint) };
    match socket.send(to, messages, segment) {
        Ok(()) => {
            peer.sent_bytes.fetch_add(messages.len() as u64, Ordering::Relaxed);
        }
        Err(_) => shared.drops.count(Reason::NotSent),
    }
}
