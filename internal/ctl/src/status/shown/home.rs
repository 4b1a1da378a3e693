//! What is known of this cluster, as entries of a box.

use crate::debug::plain;
use crate::status::boxes::Entry;
use crate::status::home::{Home, Network};

pub(super) fn entries(home: &Home) -> Vec<Entry> {
    let mut identity = vec![
        Entry::pair("Cluster ID", plain(&home.cluster_id)),
        Entry::pair("Cluster name", plain(&home.cluster_name)),
    ];
    if !home.cluster_labels.is_empty() {
        let label = |(key, value): (&String, &String)| Entry::Pair(plain(key), plain(value));
        identity.push(Entry::group("Cluster labels", home.cluster_labels.iter().map(label).collect()));
    }
    let mut entries = vec![Entry::group("Cluster identity", identity)];
    if !home.internal_network {
        entries.push(Entry::group("Network", vec![Entry::pair("Status", "External")]));
    } else if let Some(network) = &home.network {
        entries.push(Entry::group("Network", network_entries(network)));
    }
    let endpoints = [
        ("Network gateway", &home.gateway),
        ("Authentication URL", &home.auth_url),
        ("Kubernetes API server", &home.api_server_url),
    ];
    let known = |(key, url): (&str, &Option<String>)| url.as_ref().map(|url| Entry::pair(key, plain(url)));
    let endpoints: Vec<Entry> = endpoints.into_iter().filter_map(known).collect();
    if !endpoints.is_empty() {
        entries.push(Entry::group("Endpoints", endpoints));
    }
    entries.extend(home.faults.iter().map(|fault| Entry::Fault(plain(fault))));
    entries
}

fn network_entries(network: &Network) -> Vec<Entry> {
    let mut entries = vec![
        Entry::pair("Pod CIDR", plain(&network.pod_cidr)),
        Entry::pair("Service CIDR", plain(&network.service_cidr)),
        Entry::pair("External CIDR", plain(&network.external_cidr)),
    ];
    if !network.reserved_subnets.is_empty() {
        let subnet = |subnet: &String| Entry::Line(format!("- {}", plain(subnet)));
        entries.push(Entry::group("Reserved Subnets", network.reserved_subnets.iter().map(subnet).collect()));
    }
    entries
}
