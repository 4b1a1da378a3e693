//! What the kernel holds.

use std::net::Ipv4Addr;

use futures::{Stream, TryStreamExt as _};
use ipnet::Ipv4Net;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::{
    AfSpecInet, AfSpecUnspec, InfoData, InfoKind, InfoVxlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteType};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use rtnetlink::{IpVersion, RouteMessageBuilder};
use rustix::io::Errno;

use super::{Netlink, NetlinkError, Scope, Seen, errno};
use crate::network::{Interface, Link, LinkKind, MAIN, Route, RouteKey, Rule, TABLE};
use crate::overlay::Mac;

/// Value of `rp_filter` with which any route back will do.
const LOOSE: i32 = 2;

impl Netlink {
    /// Reads what is ours.
    pub(crate) async fn read(&self) -> Result<Seen, NetlinkError> {
        let mut seen = Seen::default();
        let mut named = vec![Interface::Overlay];
        if let Scope::Gateway(_) = self.scope {
            named.push(Interface::Tunnel);
        }
        for interface in named {
            if let Some(message) = self.link(interface.name()).await? {
                seen.take_link(interface, &message);
            }
        }
        if let Scope::Gateway(address) = self.scope
            && let Some(message) = self.link_with(address).await?
        {
            seen.take_link(Interface::Uplink, &message);
        }
        self.read_addresses(&mut seen).await?;
        self.read_routes(&mut seen).await?;
        self.read_rules(&mut seen).await?;
        self.read_neighbours(&mut seen).await?;
        self.read_forwards(&mut seen).await?;
        Ok(seen)
    }

    /// The number of an interface of ours; nothing when it is not there.
    pub(super) async fn index_of(&self, interface: Interface) -> Result<Option<u32>, NetlinkError> {
        Ok(self.link(interface.name()).await?.map(|message| message.header.index))
    }

    async fn link(&self, name: &str) -> Result<Option<LinkMessage>, NetlinkError> {
        first(self.handle.link().get().match_name(name).execute(), "links").await
    }

    /// Name of the interface that has the pod's address.
    pub(crate) async fn uplink(&self) -> Result<Option<String>, NetlinkError> {
        let Scope::Gateway(address) = self.scope else { return Ok(None) };
        let link = self.link_with(address).await?;
        Ok(link.and_then(|message| {
            message.attributes.into_iter().find_map(|attribute| match attribute {
                LinkAttribute::IfName(name) => Some(name),
                _ => None,
            })
        }))
    }

    /// The interface that has an address.
    async fn link_with(&self, address: Ipv4Addr) -> Result<Option<LinkMessage>, NetlinkError> {
        let mut request = self.handle.address().get();
        request.message_mut().header.family = AddressFamily::Inet;
        let addresses = all(request.execute(), "addresses").await?;
        let has = |attribute: &AddressAttribute| matches!(attribute, AddressAttribute::Local(local) if *local == address);
        let index = addresses.iter().find(|message| message.attributes.iter().any(has));
        let Some(index) = index.map(|message| message.header.index) else { return Ok(None) };
        first(self.handle.link().get().match_index(index).execute(), "links").await
    }

    async fn read_addresses(&self, seen: &mut Seen) -> Result<(), NetlinkError> {
        for interface in [Interface::Tunnel, Interface::Overlay] {
            let Some(index) = seen.index(interface) else { continue };
            let mut request = self.handle.address().get();
            request.message_mut().header.family = AddressFamily::Inet;
            request.message_mut().header.index = index;
            for message in all(request.execute(), "addresses").await? {
                let local = message.attributes.iter().find_map(|attribute| match attribute {
                    AddressAttribute::Local(std::net::IpAddr::V4(local)) => Some(*local),
                    _ => None,
                });
                let network = local.and_then(|local| Ipv4Net::new(local, message.header.prefix_len).ok());
                seen.network.addresses.extend(network.map(|network| (interface, network)));
            }
        }
        Ok(())
    }

    async fn read_routes(&self, seen: &mut Seen) -> Result<(), NetlinkError> {
        let tables: &[u32] = if matches!(self.scope, Scope::Node) { &[TABLE] } else { &[TABLE, MAIN] };
        for table in tables {
            let request = RouteMessageBuilder::<Ipv4Addr>::new().table_id(*table).build();
            let mut request = self.handle.route().get(request);
            // A filter by these would hide routes that are not plain.
            let header = &mut request.message_mut().header;
            (header.protocol, header.kind) = (RouteProtocol::Unspec, RouteType::Unspec);
            header.scope = rtnetlink::packet_route::route::RouteScope::Universe;
            for message in all(request.execute(), "routes").await? {
                seen.take_route(&message);
            }
        }
        Ok(())
    }

    async fn read_rules(&self, seen: &mut Seen) -> Result<(), NetlinkError> {
        for message in all(self.handle.rule().get(IpVersion::V4).execute(), "policy rules").await? {
            seen.network.rules.extend(rule(&message));
        }
        Ok(())
    }

    async fn read_neighbours(&self, seen: &mut Seen) -> Result<(), NetlinkError> {
        for interface in [Interface::Tunnel, Interface::Overlay] {
            let Some(index) = seen.index(interface) else { continue };
            let mut request = self.handle.neighbours().get().set_address_family(AddressFamily::Inet);
            request.message_mut().attributes.push(NeighbourAttribute::IfIndex(index));
            for message in all(request.execute(), "neighbours").await? {
                // What the kernel learns by itself comes and goes; it learns nothing that matters on these interfaces.
                if message.header.state == NeighbourState::Permanent
                    && let (Some(address), Some(mac)) = (destination(&message), hardware(&message))
                {
                    seen.network.neighbours.insert((interface, address), mac);
                }
            }
        }
        Ok(())
    }

    async fn read_forwards(&self, seen: &mut Seen) -> Result<(), NetlinkError> {
        let Some(index) = seen.index(Interface::Overlay) else { return Ok(()) };
        let mut request = self.handle.neighbours().get().set_address_family(AddressFamily::Bridge);
        request.message_mut().header.ifindex = index;
        for message in all(request.execute(), "forwarding entries").await? {
            if message.header.ifindex == index
                && let (Some(to), Some(mac)) = (destination(&message), hardware(&message))
            {
                seen.network.forwards.insert((mac, to));
            }
        }
        Ok(())
    }
}

/// All of a list; a table that nobody has put a route into does not exist, and is empty.
async fn all<T>(
    stream: impl Stream<Item = Result<T, rtnetlink::Error>>,
    what: &'static str,
) -> Result<Vec<T>, NetlinkError> {
    match stream.try_collect().await {
        Ok(list) => Ok(list),
        Err(error) if is_absence(&error) => Ok(Vec::new()),
        Err(source) => Err(NetlinkError::Read { what, source }),
    }
}

async fn first<T>(
    stream: impl Stream<Item = Result<T, rtnetlink::Error>>,
    what: &'static str,
) -> Result<Option<T>, NetlinkError> {
    Ok(all(stream, what).await?.into_iter().next())
}

fn is_absence(error: &rtnetlink::Error) -> bool {
    let absent = [Errno::NOENT, Errno::NODEV].map(Errno::raw_os_error);
    errno(error).is_some_and(|errno| absent.contains(&errno))
}

impl Seen {
    pub(super) fn index(&self, interface: Interface) -> Option<u32> {
        self.indexes.get(&interface).copied()
    }

    /// The numbers of interfaces that are ours.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> {
        let ours = self.indexes.iter().filter(|(interface, _)| **interface != Interface::Uplink);
        ours.map(|(_, index)| *index)
    }

    pub(super) fn set_index(&mut self, interface: Interface, index: u32) {
        self.indexes.insert(interface, index);
    }

    fn interface(&self, index: u32) -> Option<Interface> {
        self.indexes.iter().find(|(_, known)| **known == index).map(|(interface, _)| *interface)
    }

    fn take_link(&mut self, interface: Interface, message: &LinkMessage) {
        self.set_index(interface, message.header.index);
        self.network.links.insert(interface, link(message));
    }

    fn take_route(&mut self, message: &RouteMessage) {
        let Some((key, mut route, output)) = route(message) else { return };
        route.link = output
            .and_then(|index| self.interface(index))
            .filter(|interface| *interface != Interface::Uplink);
        let made_by_kernel = message.header.protocol == RouteProtocol::Kernel;
        let is_ours = key.table == TABLE || (key.table == MAIN && route.link.is_some() && !made_by_kernel);
        if is_ours {
            self.network.routes.insert(key, route);
        }
    }
}

fn link(message: &LinkMessage) -> Link {
    let flags = message.header.flags;
    let mut link = Link {
        kind: LinkKind::Foreign,
        mtu: None,
        mac: None,
        up: Some(flags.contains(LinkFlags::Up)),
        arp: Some(!flags.contains(LinkFlags::Noarp)),
        forwarding: None,
        loose: None,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Mtu(mtu) => link.mtu = Some(*mtu),
            LinkAttribute::Address(bytes) => link.mac = <[u8; 6]>::try_from(bytes.as_slice()).ok().map(Mac),
            LinkAttribute::LinkInfo(infos) => link.kind = kind(infos),
            LinkAttribute::AfSpecUnspec(families) => {
                if let Some((forwarding, loose)) = settings(families) {
                    (link.forwarding, link.loose) = (Some(forwarding), Some(loose));
                }
            }
            _ => {}
        }
    }
    link
}

/// Forwarding, and whether any route back will do.
fn settings(families: &[AfSpecUnspec]) -> Option<(bool, bool)> {
    families.iter().find_map(|family| {
        let AfSpecUnspec::Inet(attributes) = family else { return None };
        attributes.iter().find_map(|attribute| match attribute {
            AfSpecInet::DevConf(settings) => Some((settings.forwarding != 0, settings.rp_filter == LOOSE)),
            _ => None,
        })
    })
}

/// One of our kind, or foreign.
fn kind(infos: &[LinkInfo]) -> LinkKind {
    let is_vxlan = infos.iter().any(|info| matches!(info, LinkInfo::Kind(InfoKind::Vxlan)));
    let data = infos.iter().find_map(|info| match info {
        LinkInfo::Data(InfoData::Vxlan(data)) if is_vxlan => Some(data),
        _ => None,
    });
    data.and_then(|data| vxlan(data)).unwrap_or(LinkKind::Foreign)
}

fn vxlan(data: &[InfoVxlan]) -> Option<LinkKind> {
    let (mut id, mut udp, mut source) = (None, None, None);
    for info in data {
        match info {
            InfoVxlan::Id(vni) => id = Some(*vni),
            InfoVxlan::Port(port) => udp = Some(*port),
            InfoVxlan::Local(local) => source = Some(*local),
            InfoVxlan::Learning(true) | InfoVxlan::CollectMetadata(true) | InfoVxlan::Group(_) => {
                return None;
            }
            _ => {}
        }
    }
    Some(LinkKind::Vxlan { vni: id?, port: udp?, local: source? })
}

fn route(message: &RouteMessage) -> Option<(RouteKey, Route, Option<u32>)> {
    let header = &message.header;
    let mut key = RouteKey { table: u32::from(header.table), to: Ipv4Net::default(), metric: 0 };
    let mut route = Route { link: None, via: None, source: None, plain: header.kind == RouteType::Unicast };
    let (mut output, mut to) = (None, Ipv4Addr::UNSPECIFIED);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(table) => key.table = *table,
            RouteAttribute::Priority(metric) => key.metric = *metric,
            RouteAttribute::Destination(RouteAddress::Inet(address)) => to = *address,
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => route.via = Some(*address),
            RouteAttribute::PrefSource(RouteAddress::Inet(address)) => route.source = Some(*address),
            RouteAttribute::Oif(index) => output = Some(*index),
            RouteAttribute::CacheInfo(_) | RouteAttribute::Uid(_) => {}
            _ => route.plain = false,
        }
    }
    route.plain &= header.tos == 0;
    key.to = Ipv4Net::new(to, header.destination_prefix_length).ok()?;
    Some((key, route, output))
}

/// A rule that leads to our table.
fn rule(message: &RuleMessage) -> Option<Rule> {
    let header = &message.header;
    let mut rule = Rule { priority: 0, from: None, to: None, input: None, plain: true };
    rule.plain &= header.action == RuleAction::ToTable && header.tos == 0 && header.flags.is_empty();
    let mut table = u32::from(header.table);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Table(id) => table = *id,
            RuleAttribute::Priority(priority) => rule.priority = *priority,
            RuleAttribute::Destination(std::net::IpAddr::V4(to)) => {
                rule.to = Ipv4Net::new(*to, header.dst_len).ok();
            }
            RuleAttribute::Source(std::net::IpAddr::V4(from)) => {
                rule.from = Ipv4Net::new(*from, header.src_len).ok();
            }
            RuleAttribute::Iifname(name) if name == Interface::Tunnel.name() => {
                rule.input = Some(Interface::Tunnel);
            }
            // Present in every rule, at these values.
            RuleAttribute::SuppressPrefixLen(u32::MAX) | RuleAttribute::Protocol(_) => {}
            _ => rule.plain = false,
        }
    }
    (table == TABLE).then_some(rule)
}

fn destination(message: &NeighbourMessage) -> Option<Ipv4Addr> {
    message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some(*address),
        // A forwarding entry is of no address family that would tell.
        NeighbourAttribute::Destination(NeighbourAddress::Other(bytes)) => {
            <[u8; 4]>::try_from(bytes.as_slice()).ok().map(Ipv4Addr::from)
        }
        _ => None,
    })
}

fn hardware(message: &NeighbourMessage) -> Option<Mac> {
    message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => <[u8; 6]>::try_from(bytes.as_slice()).ok().map(Mac),
        _ => None,
    })
}
