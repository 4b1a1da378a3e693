//! Steps, carried out.

use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::link::{AfSpecInet, AfSpecUnspec, InetDevConf, LinkAttribute};
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::route::{RouteMessage, RouteProtocol, RouteScope, RouteType};
use rtnetlink::packet_route::rule::{RuleAction, RuleMessage};
use rtnetlink::{AddressMessageBuilder, LinkUnspec, LinkVxlan, RouteMessageBuilder};
use rustix::io::Errno;

use super::{Netlink, NetlinkError, Seen, errno};
use crate::network::{Interface, Link, LinkChange, LinkKind, Op, Route, RouteKey, Rule, TABLE};
use crate::overlay::Mac;

/// What the kernel says of something that is already as it should be.
const THERE: [Errno; 1] = [Errno::EXIST];
const GONE: [Errno; 4] = [Errno::NOENT, Errno::SRCH, Errno::NODEV, Errno::ADDRNOTAVAIL];

impl Netlink {
    /// Does one step. What is already so is no error.
    pub(crate) async fn apply(&self, op: &Op, seen: &mut Seen) -> Result<(), NetlinkError> {
        let index =
            |interface| seen.index(interface).ok_or_else(|| NetlinkError::Gone { op: Box::new(op.clone()) });
        let done = match op {
            Op::CreateLink(interface, link) => return self.create(op, *interface, link, seen).await,
            Op::DeleteLink(interface) => self.handle.link().del(index(*interface)?).execute().await,
            Op::ChangeLink(interface, change) => self.change(index(*interface)?, *change).await,
            Op::AddAddress(interface, address) => {
                let ip = IpAddr::V4(address.addr());
                self.handle.address().add(index(*interface)?, ip, address.prefix_len()).execute().await
            }
            Op::DeleteAddress(interface, address) => {
                let message = AddressMessageBuilder::<Ipv4Addr>::new()
                    .index(index(*interface)?)
                    .address(address.addr(), address.prefix_len());
                self.handle.address().del(message.build()).execute().await
            }
            Op::AddRoute(key, route) | Op::ReplaceRoute(key, route) => {
                let request = self.handle.route().add(route_message(key, route, route_index(route, index)?));
                let replaces = matches!(op, Op::ReplaceRoute(..));
                if replaces { request.replace().execute().await } else { request.execute().await }
            }
            Op::DeleteRoute(key, _) => self.handle.route().del(route_of_any_kind(key)).execute().await,
            Op::AddRule(rule) => {
                let mut request = self.handle.rule().add();
                *request.message_mut() = rule_message(&self.handle, rule);
                request.execute().await
            }
            Op::DeleteRule(rule) => self.handle.rule().del(rule_message(&self.handle, rule)).execute().await,
            Op::PutNeighbour(interface, address, mac) => {
                let request = self.handle.neighbours().add(index(*interface)?, IpAddr::V4(*address));
                request.link_layer_address(&mac.0).state(NeighbourState::Permanent).replace().execute().await
            }
            Op::DeleteNeighbour(interface, address) => {
                let message = neighbour(index(*interface)?, *address);
                self.handle.neighbours().del(message).execute().await
            }
            Op::PutForward(mac, to) => {
                let mut request = self.handle.neighbours().add_bridge(index(Interface::Overlay)?, &mac.0);
                *request.message_mut() = forward(index(Interface::Overlay)?, *mac, *to);
                request.replace().execute().await
            }
            Op::DeleteForward(mac, to) => {
                let message = forward(index(Interface::Overlay)?, *mac, *to);
                self.handle.neighbours().del(message).execute().await
            }
        };
        settled(op, done)
    }

    /// Makes an interface, and learns its number.
    async fn create(
        &self,
        op: &Op,
        interface: Interface,
        link: &Link,
        seen: &mut Seen,
    ) -> Result<(), NetlinkError> {
        let LinkKind::Vxlan { vni, port, local } = link.kind else {
            return Err(NetlinkError::Gone { op: Box::new(op.clone()) });
        };
        // Packets inside have checksums of their own; one more of the outer packet costs, and finds nothing more.
        let mut message =
            LinkVxlan::new(interface.name(), vni).port(port).local(local).learning(false).udp_csum(false);
        if let Some(mac) = link.mac {
            message = message.address(mac.0.to_vec());
        }
        if let Some(mtu) = link.mtu {
            message = message.mtu(mtu);
        }
        settled(op, self.handle.link().add(message.build()).execute().await)?;
        let index =
            self.index_of(interface).await?.ok_or_else(|| NetlinkError::Gone { op: Box::new(op.clone()) })?;
        seen.set_index(interface, index);
        Ok(())
    }

    async fn change(&self, index: u32, change: LinkChange) -> Result<(), rtnetlink::Error> {
        let message = LinkUnspec::new_with_index(index);
        let message = match change {
            LinkChange::Mtu(mtu) => message.mtu(mtu),
            LinkChange::Mac(mac) => message.address(mac.0.to_vec()),
            LinkChange::ArpOff => message.arp(false),
            LinkChange::Up => message.up(),
            LinkChange::Forwarding => {
                message.append_extra_attribute(setting(|settings| settings.forwarding = 1))
            }
            LinkChange::Loose => message.append_extra_attribute(setting(|settings| settings.rp_filter = 2)),
        };
        self.handle.link().set(message.build()).execute().await
    }
}

/// Settings of an interface that would otherwise be files in /proc/sys, which a pod cannot write.
fn setting(set: impl FnOnce(&mut InetDevConf)) -> LinkAttribute {
    let mut settings = InetDevConf::default();
    set(&mut settings);
    LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet(vec![AfSpecInet::DevConfRequest(settings)])])
}

fn settled(op: &Op, done: Result<(), rtnetlink::Error>) -> Result<(), NetlinkError> {
    let Err(source) = done else { return Ok(()) };
    let fine: &[Errno] = match op {
        Op::AddAddress(..) | Op::AddRule(..) => &THERE,
        Op::DeleteLink(..)
        | Op::DeleteAddress(..)
        | Op::DeleteRoute(..)
        | Op::DeleteRule(..)
        | Op::DeleteNeighbour(..)
        | Op::DeleteForward(..) => &GONE,
        // A link or a route in the way is not ours, and a setting is set or not.
        Op::CreateLink(..)
        | Op::ChangeLink(..)
        | Op::AddRoute(..)
        | Op::ReplaceRoute(..)
        | Op::PutNeighbour(..)
        | Op::PutForward(..) => &[],
    };
    let errno = errno(&source);
    if fine.iter().any(|fine| errno == Some(fine.raw_os_error())) {
        return Ok(());
    }
    Err(NetlinkError::Apply { op: Box::new(op.clone()), source })
}

/// The number of the interface that a route leads to.
fn route_index(
    route: &Route,
    index: impl Fn(Interface) -> Result<u32, NetlinkError>,
) -> Result<Option<u32>, NetlinkError> {
    route.link.map(index).transpose()
}

fn route_message(key: &RouteKey, route: &Route, index: Option<u32>) -> RouteMessage {
    let scope = if route.via.is_some() { RouteScope::Universe } else { RouteScope::Link };
    let mut builder = RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(key.to.network(), key.to.prefix_len())
        .table_id(key.table)
        .protocol(RouteProtocol::Static)
        .kind(RouteType::Unicast)
        .scope(scope);
    if let Some(index) = index {
        builder = builder.output_interface(index);
    }
    if let Some(via) = route.via {
        builder = builder.gateway(via).onlink();
    }
    if let Some(source) = route.source {
        builder = builder.pref_source(source);
    }
    builder.build()
}

/// What names a route, whatever else it says: somebody may have put one of another kind into our table.
fn route_of_any_kind(key: &RouteKey) -> RouteMessage {
    let mut builder = RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(key.to.network(), key.to.prefix_len())
        .table_id(key.table)
        .protocol(RouteProtocol::Unspec)
        .kind(RouteType::Unspec)
        .scope(RouteScope::NoWhere);
    if key.metric != 0 {
        builder = builder.priority(key.metric);
    }
    builder.build()
}

fn rule_message(handle: &rtnetlink::Handle, rule: &Rule) -> RuleMessage {
    let mut request =
        handle.rule().add().v4().table_id(TABLE).priority(rule.priority).action(RuleAction::ToTable);
    if let Some(to) = rule.to {
        request = request.destination_prefix(to.network(), to.prefix_len());
    }
    if let Some(from) = rule.from {
        request = request.source_prefix(from.network(), from.prefix_len());
    }
    if let Some(input) = rule.input {
        request = request.input_interface(input.name());
    }
    request.message_mut().clone()
}

fn neighbour(index: u32, address: Ipv4Addr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.ifindex = index;
    message.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet(address)));
    message
}

fn forward(index: u32, mac: Mac, to: Ipv4Addr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = index;
    message.header.state = NeighbourState::Permanent;
    message.header.flags = NeighbourFlags::Own;
    message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()));
    message.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet(to)));
    message
}
