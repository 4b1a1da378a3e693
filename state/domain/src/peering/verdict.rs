//! Which ForeignClusters can be worked with.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.1 step 2.

use super::conditions::Said;
use super::view::{Peer, View};

/// What the condition of a ForeignCluster that can be worked with is.
const SUCCESS: &str = "Success";

/// Whether the object can be worked with, and why not.
pub(super) fn verdict(view: &View<'_>, peer: &Peer<'_>) -> Said {
    if peer.facts.cluster_id == view.home.id {
        return Said::new("Error", "LocalCluster", "spec.clusterIdentity.clusterID is this cluster's own ID");
    }
    if let Some(first) = elder(view, peer) {
        let message =
            format!("ForeignCluster {first} has the same cluster ID and is older; delete one of the two");
        return Said::new("Error", "ClusterIDRepetition", message);
    }
    if !is_url(&peer.facts.proxy_url) {
        let message = "spec.foreignProxyUrl is no URL: write it as http://HOST:PORT";
        return Said::new("Error", "InvalidProxyURL", message);
    }
    Said::new(SUCCESS, "ForeignClusterProcessable", "the ForeignCluster can be worked with")
}

/// Whether the object can be worked with.
pub(super) fn is_processable(verdict: &Said) -> bool {
    verdict.status == SUCCESS
}

/// Whether another ForeignCluster is about the same peer, or this one about no peer at all.
pub(super) fn is_spare(view: &View<'_>, peer: &Peer<'_>) -> bool {
    peer.facts.cluster_id == view.home.id || elder(view, peer).is_some()
}

/// The name of an older ForeignCluster with the same ID.
pub(super) fn elder<'a>(view: &View<'a>, peer: &Peer<'_>) -> Option<&'a str> {
    let first = view.peers.get(&peer.facts.cluster_id)?;
    (first.key != peer.key).then_some(first.key.name.as_str())
}

/// An empty one is allowed: no proxy.
fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    text.is_empty() || host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
}
