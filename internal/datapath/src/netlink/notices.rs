//! Word that something of ours may have changed in the kernel, by whoever's hand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkMessage};
use rtnetlink::packet_route::neighbour::NeighbourState;
use rtnetlink::packet_route::route::{RouteAttribute, RouteMessage};
use rtnetlink::packet_route::rule::RuleAttribute;
use rtnetlink::sys::protocols::NETLINK_NETFILTER;
use rtnetlink::sys::{AsyncSocket as _, AsyncSocketExt as _, SocketAddr, TokioSocket};
use rtnetlink::{MulticastGroup, new_multicast_connection};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{NetlinkError, Scope, Seen};
use crate::network::{Interface, TABLE};

const GROUPS: [MulticastGroup; 5] = [
    MulticastGroup::Link,
    MulticastGroup::Neigh,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv4Rule,
];
/// `NFNLGRP_NFTABLES` of linux/netfilter/nfnetlink.h.
const NFTABLES: u32 = 7;

/// Numbers of our interfaces.
type Known = Arc<Mutex<BTreeSet<u32>>>;

/// Notices until this is dropped. Many of them are one word: nothing queues up.
pub(crate) struct Notices {
    word: Arc<Notify>,
    ours: Known,
    _tasks: JoinSet<()>,
}

impl Notices {
    /// Listens to everything that `scope` looks after.
    pub(crate) fn listen(scope: Scope) -> Result<Self, NetlinkError> {
        let failed = |source| NetlinkError::Open { source };
        let (word, ours) = (Arc::new(Notify::new()), Known::default());
        let mut tasks = JoinSet::new();
        let (connection, _, messages) = new_multicast_connection(&GROUPS).map_err(failed)?;
        tasks.spawn(connection);
        tasks.spawn(watch_routing(messages, word.clone(), ours.clone()));
        if let Scope::Gateway(_) = scope {
            let mut socket = TokioSocket::new(NETLINK_NETFILTER).map_err(failed)?;
            socket.socket_mut().bind(&SocketAddr::new(0, 0)).map_err(failed)?;
            socket.socket_mut().add_membership(NFTABLES).map_err(failed)?;
            tasks.spawn(watch_firewall(socket, word.clone()));
        }
        Ok(Self { word, ours, _tasks: tasks })
    }

    /// Takes note of the numbers of our interfaces.
    pub(crate) fn know(&self, seen: &Seen) {
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner) = seen.indexes().collect();
    }

    /// Waits for word.
    pub(crate) async fn word(&self) {
        self.word.notified().await;
    }
}

async fn watch_routing(
    mut messages: UnboundedReceiver<(NetlinkMessage<RouteNetlinkMessage>, SocketAddr)>,
    word: Arc<Notify>,
    ours: Known,
) {
    while let Some((message, _)) = messages.next().await {
        if let NetlinkPayload::InnerMessage(message) = message.payload
            && concerns(&message, &ours.lock().unwrap_or_else(PoisonError::into_inner))
        {
            word.notify_one();
        }
    }
    // The kernel had more to say than we could hear. What was missed is found by the next regular look.
}

async fn watch_firewall(socket: TokioSocket, word: Arc<Notify>) {
    // A gateway's namespace has no other tables to speak of, so every change is worth a look.
    while socket.recv_from_full().await.is_ok() {
        word.notify_one();
    }
}

/// Whether a message is about something of ours. `ours` are the numbers of our interfaces.
fn concerns(message: &RouteNetlinkMessage, ours: &BTreeSet<u32>) -> bool {
    match message {
        RouteNetlinkMessage::NewLink(link) | RouteNetlinkMessage::DelLink(link) => is_ours(link),
        RouteNetlinkMessage::NewAddress(address) | RouteNetlinkMessage::DelAddress(address) => {
            ours.contains(&address.header.index)
        }
        RouteNetlinkMessage::NewNeighbour(neighbour) | RouteNetlinkMessage::DelNeighbour(neighbour) => {
            // What the kernel learns by itself is no entry of ours.
            let settled = matches!(neighbour.header.state, NeighbourState::Permanent);
            ours.contains(&neighbour.header.ifindex) && settled
        }
        RouteNetlinkMessage::NewRoute(route) | RouteNetlinkMessage::DelRoute(route) => {
            is_our_route(route, ours)
        }
        RouteNetlinkMessage::NewRule(rule) | RouteNetlinkMessage::DelRule(rule) => {
            rule.attributes.contains(&RuleAttribute::Table(TABLE))
        }
        _ => false,
    }
}

fn is_ours(link: &LinkMessage) -> bool {
    let names = [Interface::Tunnel.name(), Interface::Overlay.name()];
    link.attributes
        .iter()
        .any(|attribute| matches!(attribute, LinkAttribute::IfName(name) if names.contains(&name.as_str())))
}

fn is_our_route(route: &RouteMessage, ours: &BTreeSet<u32>) -> bool {
    route.attributes.iter().any(|attribute| match attribute {
        RouteAttribute::Table(table) => *table == TABLE,
        RouteAttribute::Oif(index) => ours.contains(index),
        _ => false,
    })
}
