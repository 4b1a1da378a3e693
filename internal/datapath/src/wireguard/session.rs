//! What the device loops need of a session with a peer. They know no other thing of the protocol's insides.

use std::net::IpAddr;
use std::time::Duration;

/// Bytes by which a data message is longer than its packet.
pub(super) const OVERHEAD: usize = 32;
/// Bytes of the longest message that is no data: the first of a handshake.
pub(super) const LONGEST_HANDSHAKE: usize = 148;

/// What to do with the bytes that a session wrote at the beginning of the given buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing was written.
    Nothing,
    /// So many bytes are a message for the peer.
    Send(usize),
    /// So many bytes are an IP packet from the peer.
    Deliver(usize),
    /// The message or packet is not good, or there is no session for it: drop it.
    Refuse,
}

/// A session with one peer, over all its handshakes.
pub(super) trait Session: Send {
    /// Seals a packet into `out`, which has room for [`OVERHEAD`] more bytes and for [`LONGEST_HANDSHAKE`]. Without a
    /// session the packet waits, within bounds, and what is to be sent begins a handshake.
    fn seal(&mut self, packet: &[u8], out: &mut [u8]) -> Step;

    /// Opens a message of the peer into `out`, which has the room that [`Self::seal`] needs. After a [`Step::Send`] it is
    /// called again with an empty message, until there is nothing more to send.
    fn open(&mut self, from: IpAddr, message: &[u8], out: &mut [u8]) -> Step;

    /// Does what is due: handshakes, keepalives. Called a few times a second.
    fn tick(&mut self, out: &mut [u8]) -> Step;

    /// Time since the last handshake that succeeded; nothing without a session.
    fn since_handshake(&self) -> Option<Duration>;
}
