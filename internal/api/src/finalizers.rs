//! Finalizers of Liqo 0.8.3: what keeps an object until somebody has cleaned up.

/// On ForeignClusters and on the origins of replicated objects: a copy in the peer may exist.
pub const REPLICATOR: &str = "crdReplicator.liqo.io";
/// On ForeignClusters: the API server of the peer is being checked.
pub const API_SERVER_CHECKER: &str = "APIServerChecker.liqo.io";
/// On ResourceOffers in the consumer: the virtual kubelet may exist.
pub const VIRTUAL_KUBELET: &str = "liqo.io/virtualkubelet";
/// On ResourceOffers in the consumer: the virtual node may exist.
pub const NODE: &str = "liqo.io/node";
/// On virtual nodes: a NamespaceMap of that peer may exist.
pub const VIRTUAL_NODE: &str = "virtualnode-controller.liqo.io/finalizer";
/// On NamespaceMaps in the provider: remote namespaces may exist.
pub const NAMESPACE_MAP: &str = "namespacemap-controller.liqo.io/finalizer";
/// On NamespaceOffloadings: remote namespaces may exist.
pub const NAMESPACE_OFFLOADING: &str = "namespaceoffloading-controller.liqo.io/finalizer";
/// On NetworkConfigs, origins and replicas: the TunnelEndpoint and its addresses may exist.
pub const NETWORK_CONFIG: &str = "tunnelendpointcreator.net.liqo.io";
/// On TunnelEndpoints: the tunnel may exist.
pub const GATEWAY: &str = "liqo-gateway.net.liqo.io";

/// On TunnelEndpoints: routes may exist on the node whose agent has this address.
#[must_use]
pub fn route(agent_ip: &str) -> String {
    format!("liqo-route.{agent_ip}.net.liqo.io")
}

/// The finalizer is one of [`route`], whatever the address: those of nodes that are gone have to be found too.
#[must_use]
pub fn is_route(finalizer: &str) -> bool {
    let address = finalizer.strip_prefix("liqo-route.").and_then(|rest| rest.strip_suffix(".net.liqo.io"));
    address.is_some_and(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finalizers_of_routes_are_known_again() {
        assert_eq!(route("172.18.1.1"), "liqo-route.172.18.1.1.net.liqo.io");
        assert!(is_route(&route("172.18.1.1")));
        for other in [GATEWAY, NETWORK_CONFIG, "liqo-route..net.liqo.io", "liqo-route.net.liqo.io"] {
            assert!(!is_route(other), "{other}");
        }
    }
}
