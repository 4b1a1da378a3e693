//! The tunnel to a peer, as it is shown.

use liqo_api::TunnelEndpoint;
use liqo_api::labels::PEER_CLUSTER_ID;
use liqo_model::crd::RemappedCidr;
use serde::Serialize;

/// A network and how the other side sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Seen {
    pub(crate) original: String,
    /// Nothing when it is used as it is.
    pub(crate) remapped: Option<String>,
}

/// Networks of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Networks {
    #[serde(rename = "podCIDR")]
    pub(crate) pods: Seen,
    #[serde(rename = "externalCIDR")]
    pub(crate) external: Seen,
}

/// The tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tunnel {
    pub(crate) local: Networks,
    pub(crate) remote: Networks,
    #[serde(rename = "localGatewayIP")]
    pub(crate) local_gateway: String,
    #[serde(rename = "remoteGatewayIP")]
    pub(crate) remote_gateway: String,
    /// Empty as long as the gateway has not said anything.
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) latency: String,
}

/// The tunnel to the peer of that ID.
pub(crate) fn tunnel_to(endpoints: &[TunnelEndpoint], peer: &str) -> Option<Tunnel> {
    let to_peer = |endpoint: &&TunnelEndpoint| {
        endpoint
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(PEER_CLUSTER_ID))
            .is_some_and(|id| id == peer)
    };
    let endpoint = endpoints.iter().find(to_peer)?;
    let (spec, status) = (&endpoint.spec, endpoint.status.clone().unwrap_or_default());
    let seen = |original: &str, remapped: &RemappedCidr| Seen {
        original: original.to_owned(),
        remapped: remapped.cidr().map(str::to_owned),
    };
    let used = status.connection.peer_configuration.get("endpointIP");
    Some(Tunnel {
        local: Networks {
            pods: seen(&spec.local_pod_cidr, &spec.local_nat_pod_cidr),
            external: seen(&spec.local_external_cidr, &spec.local_nat_external_cidr),
        },
        remote: Networks {
            pods: seen(&spec.remote_pod_cidr, &spec.remote_nat_pod_cidr),
            external: seen(&spec.remote_external_cidr, &spec.remote_nat_external_cidr),
        },
        local_gateway: status.gateway_ip.clone(),
        remote_gateway: used.unwrap_or(&spec.endpoint_ip).clone(),
        status: status.connection.status.map(|status| format!("{status:?}")).unwrap_or_default(),
        message: status.connection.status_message,
        latency: status.connection.latency.value,
    })
}
