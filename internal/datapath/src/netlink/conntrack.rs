//! Makes the kernel forget connections, so that packets of old ones are translated by the rules of now.

use std::io;

use rtnetlink::sys::protocols::NETLINK_NETFILTER;
use rtnetlink::sys::{Socket, SocketAddr};

use super::NetlinkError;

/// `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE`, of linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h.
const DELETE: u16 = (1 << 8) | 2;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const FLAGS: u16 = 0x1 | 0x4;
const AF_INET: u8 = 2;
/// A netlink header and the four bytes with which every message of netfilter begins.
const LENGTH: u8 = 20;

/// Forgets every connection of this namespace. Those that go on are known again with their next packet: translation
/// from address to address gives them the addresses that they had.
pub(crate) fn forget_connections() -> Result<(), NetlinkError> {
    exchange().map_err(|source| NetlinkError::Forget { source })
}

fn exchange() -> io::Result<()> {
    let socket = Socket::new(NETLINK_NETFILTER)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&message(), 0)?;
    let (answer, _) = socket.recv_from_full()?;
    // An acknowledgement is an error message with the number 0 behind its header.
    let number = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match number {
        Some(0) => Ok(()),
        Some(number) => Err(io::Error::from_raw_os_error(-number)),
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    }
}

fn message() -> [u8; LENGTH as usize] {
    let mut message = [0; LENGTH as usize];
    message[0] = LENGTH;
    message[4..6].copy_from_slice(&DELETE.to_ne_bytes());
    message[6..8].copy_from_slice(&FLAGS.to_ne_bytes());
    message[16] = AF_INET;
    message
}
