//! What matters of Services and nodes for the addresses of this cluster.

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Node, Service};
use liqo_identity::{AddressKind, NodeFacts, ServiceFacts, ServiceKind};

/// A Service, of whose ports the first counts.
pub(crate) fn service_of(service: &Service) -> ServiceFacts {
    let spec = service.spec.clone().unwrap_or_default();
    let port = spec.ports.unwrap_or_default().into_iter().next();
    let number =
        |number: Option<i32>| number.and_then(|number| u16::try_from(number).ok()).unwrap_or_default();
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let ingress = balancer.and_then(|balancer| balancer.ingress.as_ref()).and_then(|all| all.first());
    let address = |ingress: &LoadBalancerIngress| ingress.hostname.clone().or_else(|| ingress.ip.clone());
    ServiceFacts {
        kind: ServiceKind::parse(spec.type_.as_deref().unwrap_or_default()),
        annotations: service.metadata.annotations.clone().unwrap_or_default(),
        port: number(port.as_ref().map(|port| port.port)),
        node_port: number(port.as_ref().and_then(|port| port.node_port)),
        load_balancer: ingress.and_then(address),
    }
}

/// Nodes; their order does not matter.
pub(crate) fn nodes_of(nodes: &[Node]) -> Vec<NodeFacts> {
    nodes.iter().map(node_of).collect()
}

fn node_of(node: &Node) -> NodeFacts {
    let addresses = node.status.clone().and_then(|status| status.addresses).unwrap_or_default();
    let known = addresses
        .into_iter()
        .filter_map(|address| Some((AddressKind::parse(&address.type_)?, address.address)));
    NodeFacts {
        name: node.metadata.name.clone().unwrap_or_default(),
        labels: node.metadata.labels.clone().unwrap_or_default(),
        addresses: known.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_tells_its_type_first_port_and_address() {
        let service = json!({
            "metadata": {"annotations": {"a": "b"}},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 443, "nodePort": 31770}, {"port": 80}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1", "hostname": "auth.example.org"}]}},
        });
        let expected = ServiceFacts {
            kind: ServiceKind::LoadBalancer,
            annotations: [("a".to_owned(), "b".to_owned())].into(),
            port: 443,
            node_port: 31770,
            load_balancer: Some("auth.example.org".to_owned()),
        };
        assert_eq!(service_of(&serde_json::from_value(service).unwrap()), expected);
        assert_eq!(service_of(&Service::default()), ServiceFacts::default());
    }

    #[test]
    fn a_node_tells_the_addresses_of_kinds_that_are_known() {
        let node = json!({
            "metadata": {"name": "a", "labels": {"k": "v"}},
            "status": {"addresses": [
                {"type": "InternalIP", "address": "172.18.1.1"}, {"type": "New", "address": "x"},
            ]},
        });
        let expected = NodeFacts {
            name: "a".to_owned(),
            labels: [("k".to_owned(), "v".to_owned())].into(),
            addresses: vec![(AddressKind::InternalIp, "172.18.1.1".to_owned())],
        };
        assert_eq!(nodes_of(&[serde_json::from_value(node).unwrap()]), [expected]);
    }
}
