//! Carries [`Op`]s to the kernel and reads back what it holds, by netlink in the network namespace of this process.

mod apply;
mod conntrack;
mod notices;
mod read;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;

use rtnetlink::Handle;
use thiserror::Error;
use tokio::task::JoinHandle;

pub(crate) use conntrack::forget_connections;
pub(crate) use notices::Notices;

use crate::network::{Interface, Network, Op};

/// Why the kernel did not do or tell something.
#[derive(Debug, Error)]
pub(crate) enum NetlinkError {
    #[error("no netlink socket can be opened: check that the pod has the capability NET_ADMIN")]
    Open { source: io::Error },
    #[error("the kernel does not list {what}")]
    Read { what: &'static str, source: rtnetlink::Error },
    #[error("the kernel refused to {op}")]
    Apply { op: Box<Op>, source: rtnetlink::Error },
    #[error("the kernel did not forget connections whose translation changed")]
    Forget { source: io::Error },
    #[error("{op}: the interface is gone")]
    Gone { op: Box<Op> },
}

/// What there is to look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A gateway whose pod has this address.
    Gateway(Ipv4Addr),
    /// A node.
    Node,
}

/// What the kernel holds, and the numbers by which it knows interfaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) network: Network,
    indexes: BTreeMap<Interface, u32>,
}

/// A connection to the kernel.
pub(crate) struct Netlink {
    handle: Handle,
    scope: Scope,
    connection: JoinHandle<()>,
}

impl Netlink {
    /// Opens a connection. Requests are checked strictly, so the kernel filters what it lists.
    pub(crate) fn open(scope: Scope) -> Result<Self, NetlinkError> {
        let opened = rtnetlink::new_connection_with_strict_check();
        let (connection, handle, _) = opened.map_err(|source| NetlinkError::Open { source })?;
        Ok(Self { handle, scope, connection: tokio::spawn(connection) })
    }
}

impl Drop for Netlink {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// The kernel's error number, when it is one.
fn errno(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => Some(-message.raw_code()),
        _ => None,
    }
}
