//! The state of peerings, as it is shown.

use std::collections::{BTreeMap, BTreeSet};

use liqo_api::labels::REPLICATION_ORIGIN;
use liqo_api::{ForeignCluster, ResourceOffer, TunnelEndpoint};
use liqo_model::crd::PeeringConditionType as Kind;
use serde::Serialize;

use super::connection::{Tunnel, tunnel_to};
use super::resources::{Exchanged, exchanged};
use crate::known::meant;
use crate::peer::type_of;
use crate::version::Number;

/// Annotation in which a cluster tells its version.
const VERSION: &str = "liqo.io/version";

/// Everything that `liqoctl status peer` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peers {
    /// Version of Liqo in this cluster, if it can be told.
    pub(crate) version: Option<String>,
    pub(crate) peers: Vec<Peer>,
    /// Names that were asked for and that no peer has.
    pub(crate) not_found: Vec<String>,
    /// What may have been meant by each of them.
    #[serde(skip)]
    pub(crate) meant: BTreeMap<String, String>,
}

/// A peering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peer {
    pub(crate) name: String,
    #[serde(rename = "clusterID")]
    pub(crate) cluster_id: String,
    pub(crate) cluster_name: String,
    /// Version of Liqo in the peer; nothing of one that does not tell it, as Liqo 0.8.3 does not.
    pub(crate) version: Option<String>,
    #[serde(rename = "type")]
    pub(crate) peering_type: &'static str,
    pub(crate) outgoing: Part,
    pub(crate) incoming: Part,
    pub(crate) authentication: Part,
    #[serde(rename = "authURL")]
    pub(crate) auth_url: String,
    #[serde(rename = "authProxyURL")]
    pub(crate) proxy_url: String,
    pub(crate) api_server: Part,
    pub(crate) network: Part,
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) resources: Exchanged,
    /// What an administrator should look at, though it works.
    pub(crate) warnings: Vec<String>,
}

/// One part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Part {
    fn of(peer: &ForeignCluster, kind: Kind) -> Self {
        let conditions =
            peer.status.as_ref().map(|status| status.peering_conditions.as_slice()).unwrap_or_default();
        match conditions.iter().find(|condition| condition.condition_type == kind) {
            None => Self { status: "None".to_owned(), ..Self::default() },
            Some(condition) => Self {
                status: format!("{:?}", condition.status),
                reason: condition.reason.clone(),
                message: condition.message.clone(),
            },
        }
    }

    /// Whether there is nothing to be said about it.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.status.as_str(), "Established" | "None" | "External" | "Success")
    }
}

/// What is read of all peers.
pub(crate) struct Found<'a> {
    pub(crate) peers: &'a [ForeignCluster],
    pub(crate) endpoints: &'a [TunnelEndpoint],
    pub(crate) offers: &'a [ResourceOffer],
    /// Version of Liqo in this cluster.
    pub(crate) version: Option<String>,
}

/// The peerings of these names, or all of them, by name.
pub(crate) fn peers_of(found: Found<'_>, names: &[String]) -> Peers {
    let mut peers: Vec<Peer> = found.peers.iter().map(|peer| peer_of(peer, &found)).collect();
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    let known: BTreeSet<String> = peers.iter().map(|peer| peer.name.clone()).collect();
    let not_found: Vec<String> = names.iter().filter(|name| !known.contains(*name)).cloned().collect();
    let meant = not_found.iter().map(|name| (name.clone(), meant(name, found.peers))).collect();
    peers.retain(|peer| names.is_empty() || names.contains(&peer.name));
    Peers { version: found.version, peers, not_found, meant }
}

fn peer_of(peer: &ForeignCluster, found: &Found<'_>) -> Peer {
    let identity = &peer.spec.cluster_identity;
    let version = version_of(found.offers, &identity.cluster_id);
    let warnings = apart(found.version.as_deref(), version.as_deref()).into_iter().collect();
    Peer {
        name: peer.metadata.name.clone().unwrap_or_default(),
        cluster_id: identity.cluster_id.clone(),
        cluster_name: identity.cluster_name.clone(),
        version,
        peering_type: type_of(peer),
        outgoing: Part::of(peer, Kind::OutgoingPeering),
        incoming: Part::of(peer, Kind::IncomingPeering),
        authentication: Part::of(peer, Kind::AuthenticationStatus),
        auth_url: peer.spec.foreign_auth_url.clone(),
        proxy_url: peer.spec.foreign_proxy_url.clone(),
        api_server: Part::of(peer, Kind::ApiServerStatus),
        network: Part::of(peer, Kind::NetworkStatus),
        tunnel: tunnel_to(found.endpoints, &identity.cluster_id),
        resources: exchanged(found.offers, &identity.cluster_id),
        warnings,
    }
}

/// The version that a peer tells in an annotation of its offer, whose copy is here.
fn version_of(offers: &[ResourceOffer], peer: &str) -> Option<String> {
    let from_peer = |offer: &&ResourceOffer| {
        let labels = offer.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get(REPLICATION_ORIGIN)).is_some_and(|origin| origin == peer)
    };
    let told = |offer: &ResourceOffer| offer.metadata.annotations.as_ref()?.get(VERSION).cloned();
    offers.iter().filter(from_peer).find_map(told)
}

/// That two versions differ by more than a patch release; nothing when they do not, or one of them is no release.
fn apart(here: Option<&str>, there: Option<&str>) -> Option<String> {
    let (own, other) = (Number::parse(here?)?, Number::parse(there?)?);
    own.is_apart(&other).then(|| {
        let (here, there) = (here.unwrap_or_default(), there.unwrap_or_default());
        format!(
            "Liqo {there} there and {here} here are more than a patch release apart: upgrade the older one"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_where_both_are_known() {
        assert_eq!(apart(Some("v0.1.0"), Some("0.1.9")), None);
        assert_eq!(apart(Some("v0.1.0"), None), None);
        assert_eq!(apart(None, Some("v0.1.0")), None);
        assert_eq!(apart(Some("dev"), Some("v0.1.0")), None);
        let warning = apart(Some("v0.1.0"), Some("v0.2.0")).unwrap();
        assert!(warning.starts_with("Liqo v0.2.0 there and v0.1.0 here are more than"), "{warning}");
    }
}
