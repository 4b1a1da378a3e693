//! A peering, as entries of a box.

use std::collections::BTreeMap;

use liqo_model::crd::Quantity;

use crate::debug::plain;
use crate::status::boxes::Entry;
use crate::status::connection::{Networks, Tunnel};
use crate::status::peer::{Part, Peer};
use crate::status::resources::amount;

pub(super) fn entry(peer: &Peer, verbose: bool) -> Entry {
    let mut authentication = part("Status", &peer.authentication);
    if verbose {
        authentication.push(Entry::pair("Auth URL", plain(&peer.auth_url)));
        if !peer.proxy_url.is_empty() {
            authentication.push(Entry::pair("Auth Proxy URL", plain(&peer.proxy_url)));
        }
    }
    let directions = [part("Outgoing", &peer.outgoing), part("Incoming", &peer.incoming)].concat();
    let mut entries = vec![Entry::pair("Type", peer.peering_type)];
    entries.extend(peer.version.as_ref().map(|version| Entry::pair("Version", plain(version))));
    entries.extend(peer.warnings.iter().map(|warning| Entry::Line(format!("! {}", plain(warning)))));
    entries.extend([
        Entry::group("Direction", directions),
        Entry::group("Authentication", authentication),
        Entry::group("API server", part("Status", &peer.api_server)),
        Entry::group("Network", network(peer, verbose)),
    ]);
    entries.extend(peer.tunnel.as_ref().map(connection));
    entries.extend(resources(peer));
    Entry::Group(format!("{} - {}", plain(&peer.name), plain(&peer.cluster_id)), entries)
}

/// A part of the peering; why, when it is neither there nor unwanted.
fn part(key: &str, part: &Part) -> Vec<Entry> {
    let mut entries = vec![Entry::pair(key, plain(&part.status))];
    let told = !part.reason.is_empty() || !part.message.is_empty();
    if told && !part.is_plain() {
        entries.push(Entry::Line(format!("  {}: {}", plain(&part.reason), plain(&part.message))));
    }
    entries
}

fn network(peer: &Peer, verbose: bool) -> Vec<Entry> {
    let mut entries = part("Status", &peer.network);
    if let Some(tunnel) = peer.tunnel.as_ref().filter(|_| verbose) {
        entries.push(Entry::group("Local CIDRs", cidrs(&tunnel.local)));
        entries.push(Entry::group("Remote CIDRs", cidrs(&tunnel.remote)));
    }
    entries
}

fn cidrs(networks: &Networks) -> Vec<Entry> {
    let Networks { pods, external } = networks;
    let pair = |pods: &str, external: &str| {
        vec![Entry::pair("Pod CIDR", plain(pods)), Entry::pair("External CIDR", plain(external))]
    };
    let original = Entry::group("Original", pair(&pods.original, &external.original));
    let remapped = match (&pods.remapped, &external.remapped) {
        (None, None) => Entry::pair("Remapped", "remapping not necessary"),
        (pods, external) => {
            let shown =
                |cidr: &Option<String>| cidr.clone().unwrap_or_else(|| "remapping not necessary".to_owned());
            Entry::group("Remapped", pair(&shown(pods), &shown(external)))
        }
    };
    vec![original, remapped]
}

fn connection(tunnel: &Tunnel) -> Entry {
    let known = |text: &str| if text.is_empty() { "not known yet".to_owned() } else { plain(text) };
    let gateways = vec![
        Entry::pair("Local", known(&tunnel.local_gateway)),
        Entry::pair("Remote", known(&tunnel.remote_gateway)),
    ];
    let mut entries =
        vec![Entry::group("Gateway IPs", gateways), Entry::pair("Status", known(&tunnel.status))];
    if tunnel.status != "Connected" && !tunnel.message.is_empty() {
        entries.push(Entry::Line(format!("  {}", plain(&tunnel.message))));
    }
    if !tunnel.latency.is_empty() {
        entries.push(Entry::pair("Latency", plain(&tunnel.latency)));
    }
    Entry::group("Network connection", entries)
}

fn resources(peer: &Peer) -> Option<Entry> {
    let directions = [("Total acquired", &peer.resources.acquired), ("Total shared", &peer.resources.shared)];
    let known = |(key, amounts): (&str, &Option<BTreeMap<String, Quantity>>)| {
        amounts.as_ref().map(|amounts| Entry::group(key, amounts_of(amounts)))
    };
    let groups: Vec<Entry> = directions.into_iter().filter_map(known).collect();
    (!groups.is_empty()).then(|| Entry::group("Resources", groups))
}

fn amounts_of(amounts: &BTreeMap<String, Quantity>) -> Vec<Entry> {
    let shown = |(resource, quantity): (&String, &Quantity)| {
        amount(resource, quantity).map(|amount| Entry::Pair(plain(resource), plain(&amount)))
    };
    amounts.iter().filter_map(shown).collect()
}
