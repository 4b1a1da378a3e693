//! Where peers reach the API server of this cluster.

use super::{NodeFacts, in_url, preferred};
use crate::Error;

/// Labels of control-plane nodes; the first that any node has counts.
const CONTROL_PLANE: [&str; 3] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/controlplane",
];
/// Port of API servers unless an address was given.
const PORT: u16 = 6443;
const SCHEME: &str = "https://";

/// The URL of the API server: the address that was given, else that of a control-plane node.
///
/// # Errors
///
/// [`Error::AdvertiseApiServer`] when there is neither, as in clusters whose control plane has no nodes.
pub fn advertised_api_server(given: Option<&str>, nodes: &[NodeFacts]) -> Result<String, Error> {
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        return Ok(with_scheme(given));
    }
    let of_label = |label: &&str| {
        let labelled = nodes.iter().filter(|node| node.labels.contains_key(*label)).collect::<Vec<_>>();
        if labelled.is_empty() { None } else { Some(labelled) }
    };
    let control_plane = CONTROL_PLANE.iter().find_map(of_label).unwrap_or_default();
    let host = preferred(control_plane.into_iter()).ok_or(Error::AdvertiseApiServer)?;
    Ok(format!("{SCHEME}{}:{PORT}", in_url(host)))
}

/// A URL of an API server as it was said, with the scheme that it has anyway.
pub(crate) fn with_scheme(url: &str) -> String {
    if url.starts_with(SCHEME) { url.to_owned() } else { format!("{SCHEME}{url}") }
}

#[cfg(test)]
mod tests {
    use super::super::node;
    use super::*;

    const LABEL: (&str, &str) = (CONTROL_PLANE[0], "");

    fn choose(given: Option<&str>, nodes: &[NodeFacts]) -> Option<String> {
        advertised_api_server(given, nodes).ok()
    }

    #[test]
    fn an_address_that_is_given_wins() {
        let nodes = [node("a", LABEL, &[("InternalIP", "10.0.0.1")])];
        assert_eq!(choose(Some("api.example.org:443"), &nodes).unwrap(), "https://api.example.org:443");
        assert_eq!(choose(Some("https://api.example.org"), &[]).unwrap(), "https://api.example.org");
        assert_eq!(choose(Some(""), &nodes).unwrap(), "https://10.0.0.1:6443");
    }

    #[test]
    fn the_preferred_kind_over_all_nodes_counts_before_the_node() {
        let mut nodes = vec![
            node("a", LABEL, &[("Hostname", "a"), ("InternalIP", "10.0.0.1")]),
            node("c", LABEL, &[("InternalIP", "10.0.0.3"), ("ExternalIP", "198.51.100.3")]),
            node("b", LABEL, &[("ExternalIP", "198.51.100.2")]),
            node("worker", ("x", ""), &[("ExternalDNS", "worker.example.org")]),
        ];
        for _ in 0..nodes.len() {
            nodes.rotate_left(1);
            assert_eq!(choose(None, &nodes).unwrap(), "https://198.51.100.2:6443");
        }
    }

    #[test]
    fn older_labels_count_when_no_node_has_the_newer_one() {
        let old = node("a", (CONTROL_PLANE[1], ""), &[("InternalIP", "10.0.0.1")]);
        let new = node("b", LABEL, &[("InternalIP", "10.0.0.2")]);
        assert_eq!(choose(None, std::slice::from_ref(&old)).unwrap(), "https://10.0.0.1:6443");
        assert_eq!(choose(None, &[old, new]).unwrap(), "https://10.0.0.2:6443");
    }

    #[test]
    fn ipv6_stands_in_brackets_and_no_address_is_an_error() {
        let six = node("a", LABEL, &[("InternalIP", "2001:db8::1")]);
        assert_eq!(choose(None, &[six]).unwrap(), "https://[2001:db8::1]:6443");
        assert_eq!(choose(None, &[]), None);
        assert_eq!(choose(None, &[node("a", LABEL, &[("InternalIP", "")])]), None);
    }
}
