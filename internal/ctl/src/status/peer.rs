//! The state of peerings, as it is shown.

use liqo_api::{ForeignCluster, ResourceOffer, TunnelEndpoint};
use liqo_model::crd::PeeringConditionType as Kind;
use serde::Serialize;

use super::connection::{Tunnel, tunnel_to};
use super::resources::{Exchanged, exchanged};
use crate::peer::type_of;

/// Everything that `liqoctl status peer` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peers {
    pub(crate) peers: Vec<Peer>,
    /// Names that were asked for and that no peer has.
    pub(crate) not_found: Vec<String>,
}

/// A peering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peer {
    pub(crate) name: String,
    #[serde(rename = "clusterID")]
    pub(crate) cluster_id: String,
    pub(crate) cluster_name: String,
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

/// The peerings of that names, or all of them, by name.
pub(crate) fn peers_of(
    known: &[ForeignCluster],
    names: &[String],
    (endpoints, offers): (&[TunnelEndpoint], &[ResourceOffer]),
) -> Peers {
    let mut peers: Vec<Peer> = known.iter().map(|peer| peer_of(peer, endpoints, offers)).collect();
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    if names.is_empty() {
        return Peers { peers, not_found: Vec::new() };
    }
    let is_known = |name: &&String| !known.iter().any(|peer| peer.metadata.name.as_ref() == Some(*name));
    let not_found = names.iter().filter(is_known).cloned().collect();
    peers.retain(|peer| names.contains(&peer.name));
    Peers { peers, not_found }
}

fn peer_of(peer: &ForeignCluster, endpoints: &[TunnelEndpoint], offers: &[ResourceOffer]) -> Peer {
    let identity = &peer.spec.cluster_identity;
    Peer {
        name: peer.metadata.name.clone().unwrap_or_default(),
        cluster_id: identity.cluster_id.clone(),
        cluster_name: identity.cluster_name.clone(),
        peering_type: type_of(peer),
        outgoing: Part::of(peer, Kind::OutgoingPeering),
        incoming: Part::of(peer, Kind::IncomingPeering),
        authentication: Part::of(peer, Kind::AuthenticationStatus),
        auth_url: peer.spec.foreign_auth_url.clone(),
        proxy_url: peer.spec.foreign_proxy_url.clone(),
        api_server: Part::of(peer, Kind::ApiServerStatus),
        network: Part::of(peer, Kind::NetworkStatus),
        tunnel: tunnel_to(endpoints, &identity.cluster_id),
        resources: exchanged(offers, &identity.cluster_id),
    }
}
