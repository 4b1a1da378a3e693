//! The steps from what the kernel holds to what it is to hold.

use super::{Interface, Link, LinkChange, LinkKind, Network, Op};

/// The steps, in an order in which each finds what it needs and no packet takes a wrong way meanwhile: first what is
/// missing, from links up to rules, then what is too much, from rules down.
///
/// Only what is in `actual` is ever removed, and `actual` holds only what is ours. What is on an interface that somebody
/// else has to make first is left for the next time.
pub fn plan(desired: &Network, actual: &Network) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut actual = actual.clone();
    for (interface, link) in &desired.links {
        plan_link(*interface, link, &mut actual, &mut ops);
    }
    let is_there = |interface: &Interface| actual.links.contains_key(interface);
    let reachable = reachable(desired, is_there);
    additions(&reachable, &actual, &mut ops);
    removals(desired, &actual, &mut ops);
    ops
}

/// Makes the link as desired, and in `actual` notes what is then there.
fn plan_link(interface: Interface, desired: &Link, actual: &mut Network, ops: &mut Vec<Op>) {
    let found = actual.links.get(&interface).copied();
    let is_ours_to_make = matches!(desired.kind, LinkKind::Vxlan { .. });
    let current = match found {
        None if is_ours_to_make => create(interface, desired, ops),
        None => return,
        Some(found) if is_ours_to_make && found.kind != desired.kind => {
            ops.push(Op::DeleteLink(interface));
            forget(interface, actual);
            create(interface, desired, ops)
        }
        Some(found) => found,
    };
    ops.extend(changes(desired, &current).into_iter().map(|change| Op::ChangeLink(interface, change)));
    actual.links.insert(interface, *desired);
}

/// Plans a new link, and says how the kernel makes it.
fn create(interface: Interface, desired: &Link, ops: &mut Vec<Op>) -> Link {
    ops.push(Op::CreateLink(interface, *desired));
    Link { up: Some(false), arp: Some(true), forwarding: Some(false), loose: Some(false), ..*desired }
}

/// What goes with a link that is removed.
fn forget(interface: Interface, actual: &mut Network) {
    actual.addresses.retain(|(on, _)| *on != interface);
    actual.neighbours.retain(|(on, _), _| *on != interface);
    actual.routes.retain(|_, route| route.link != Some(interface));
    if interface == Interface::Overlay {
        actual.forwards.clear();
    }
}

/// Settings that differ, the state last: everything else is so before the first packet.
fn changes(desired: &Link, current: &Link) -> Vec<LinkChange> {
    let differs = |wanted: Option<bool>, is: Option<bool>| wanted.is_some() && wanted != is;
    let mtu = desired.mtu.filter(|mtu| current.mtu != Some(*mtu)).map(LinkChange::Mtu);
    let mac = desired.mac.filter(|mac| current.mac != Some(*mac)).map(LinkChange::Mac);
    let arp = differs(desired.arp, current.arp).then_some(LinkChange::ArpOff);
    let forwarding = differs(desired.forwarding, current.forwarding).then_some(LinkChange::Forwarding);
    let loose = differs(desired.loose, current.loose).then_some(LinkChange::Loose);
    let up = differs(desired.up, current.up).then_some(LinkChange::Up);
    [mtu, mac, arp, forwarding, loose, up].into_iter().flatten().collect()
}

/// What is desired on interfaces that are there.
fn reachable(desired: &Network, is_there: impl Fn(&Interface) -> bool) -> Network {
    let mut reachable = desired.clone();
    reachable.addresses.retain(|(interface, _)| is_there(interface));
    reachable.neighbours.retain(|(interface, _), _| is_there(interface));
    reachable.routes.retain(|_, route| route.link.as_ref().is_none_or(&is_there));
    if !is_there(&Interface::Overlay) {
        reachable.forwards.clear();
    }
    reachable
}

fn additions(desired: &Network, actual: &Network, ops: &mut Vec<Op>) {
    let addresses = desired.addresses.difference(&actual.addresses);
    ops.extend(addresses.map(|(interface, address)| Op::AddAddress(*interface, *address)));
    let forwards = desired.forwards.difference(&actual.forwards);
    ops.extend(forwards.map(|(mac, to)| Op::PutForward(*mac, *to)));
    for (key @ (interface, address), mac) in &desired.neighbours {
        if actual.neighbours.get(key) != Some(mac) {
            ops.push(Op::PutNeighbour(*interface, *address, *mac));
        }
    }
    for (key, route) in &desired.routes {
        match actual.routes.get(key) {
            None => ops.push(Op::AddRoute(*key, *route)),
            Some(found) if found != route => ops.push(Op::ReplaceRoute(*key, *route)),
            Some(_) => {}
        }
    }
    ops.extend(desired.rules.difference(&actual.rules).map(|rule| Op::AddRule(*rule)));
}

fn removals(desired: &Network, actual: &Network, ops: &mut Vec<Op>) {
    ops.extend(actual.rules.difference(&desired.rules).map(|rule| Op::DeleteRule(*rule)));
    let routes = actual.routes.iter().filter(|(key, _)| !desired.routes.contains_key(key));
    ops.extend(routes.map(|(key, route)| Op::DeleteRoute(*key, *route)));
    let neighbours = actual.neighbours.keys().filter(|key| !desired.neighbours.contains_key(key));
    ops.extend(neighbours.map(|(interface, address)| Op::DeleteNeighbour(*interface, *address)));
    // Where a frame goes was replaced when the address is still wanted, so nothing of the old entry is left.
    let is_wanted = |mac| desired.forwards.iter().any(|(wanted, _)| *wanted == mac);
    let forwards = actual.forwards.difference(&desired.forwards).filter(|(mac, _)| !is_wanted(*mac));
    ops.extend(forwards.map(|(mac, to)| Op::DeleteForward(*mac, *to)));
    let addresses = actual.addresses.difference(&desired.addresses);
    ops.extend(addresses.map(|(interface, address)| Op::DeleteAddress(*interface, *address)));
}
