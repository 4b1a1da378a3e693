//! Who this cluster is, which networks it has, and where peers reach it.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Service};
use liqo_api::IpamStorage;
use liqo_api::annotations::{GATEWAY_NODE_IP, OVERRIDE_ADDRESS, OVERRIDE_PORT};
use liqo_api::labels::{GATEWAY, TRUE, TYPE, TYPE_VIRTUAL_NODE};
use liqo_identity::{AddressKind, NodeFacts, ServiceKind};
use serde::Serialize;

use crate::local::service_of;

/// Flags of the controller manager that say something about the cluster.
const CLUSTER_LABELS: &str = "--cluster-labels";
const API_SERVER: &str = "--advertise-api-server-address";
const NO_NETWORK: &str = "--disable-internal-network";

/// What is known of this cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Home {
    #[serde(rename = "clusterID")]
    pub(crate) cluster_id: String,
    pub(crate) cluster_name: String,
    pub(crate) cluster_labels: BTreeMap<String, String>,
    /// Whether Liqo takes care of the network.
    pub(crate) internal_network: bool,
    pub(crate) network: Option<Network>,
    /// `udp://address:port` of the gateway.
    #[serde(rename = "networkGateway")]
    pub(crate) gateway: Option<String>,
    #[serde(rename = "authenticationURL")]
    pub(crate) auth_url: Option<String>,
    #[serde(rename = "apiServerURL")]
    pub(crate) api_server_url: Option<String>,
    /// What could not be found out.
    pub(crate) faults: Vec<String>,
}

/// Networks of this cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Network {
    #[serde(rename = "podCIDR")]
    pub(crate) pod_cidr: String,
    #[serde(rename = "serviceCIDR")]
    pub(crate) service_cidr: String,
    #[serde(rename = "externalCIDR")]
    pub(crate) external_cidr: String,
    #[serde(rename = "reservedSubnets")]
    pub(crate) reserved_subnets: Vec<String>,
}

impl Network {
    /// As address management keeps it, of which there is one object.
    pub(crate) fn of(storages: &[IpamStorage]) -> Result<Self, String> {
        let [storage] = storages else {
            return Err(match storages.len() {
                0 => "there is no IpamStorage yet: the controller manager makes it".to_owned(),
                several => {
                    format!("there are {several} IpamStorage objects, and one is right: see their dates")
                }
            });
        };
        let spec = &storage.spec;
        Ok(Self {
            pod_cidr: spec.pod_cidr.clone(),
            service_cidr: spec.service_cidr.clone(),
            external_cidr: spec.external_cidr.clone(),
            reserved_subnets: spec.reserved_subnets.clone(),
        })
    }
}

/// What the flags of the controller manager say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ManagerFlags {
    pub(crate) cluster_labels: BTreeMap<String, String>,
    pub(crate) api_server: Option<String>,
    pub(crate) internal_network: bool,
}

impl ManagerFlags {
    pub(crate) fn of(manager: Option<&Deployment>) -> Self {
        let pod = manager.and_then(|manager| manager.spec.as_ref()?.template.spec.as_ref());
        let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
        let words: Vec<&str> = containers.iter().flat_map(words).collect();
        let pairs = flag(&words, CLUSTER_LABELS).unwrap_or_default();
        let label = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self {
            cluster_labels: pairs.split(',').filter_map(label).collect(),
            api_server: flag(&words, API_SERVER).filter(|text| !text.is_empty()).map(str::to_owned),
            internal_network: !is_set(&words, NO_NETWORK),
        }
    }
}

fn words(container: &Container) -> impl Iterator<Item = &str> {
    container.command.iter().chain(&container.args).flatten().map(String::as_str)
}

/// The value of a flag, behind `=` or in the next word.
fn flag<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(name)? {
        "" => words.get(at + 1).copied(),
        rest => rest.strip_prefix('='),
    })
}

/// Whether a flag without a value is given.
fn is_set(words: &[&str], name: &str) -> bool {
    words.iter().any(|word| word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest == "=true"))
}

/// Where peers reach the gateway: what annotations of its Service say, else what its type gives. Every node has the port
/// of a NodePort; the controller manager tells peers one of them, and Liqo 0.8.3 that which the gateway is on.
pub(crate) fn gateway_of(services: &[Service], nodes: &[NodeFacts]) -> Result<String, String> {
    let [service] = services else {
        return Err(match services.len() {
            0 => format!("there is no Service with label {GATEWAY}={TRUE}, by which peers reach the gateway"),
            several => format!("there are {several} Services with label {GATEWAY}={TRUE}, and one is right"),
        });
    };
    let facts = service_of(service);
    let given = |key: &str| facts.annotations.get(key).filter(|text| !text.is_empty()).cloned();
    let (address, port) = match facts.kind {
        ServiceKind::LoadBalancer => (facts.load_balancer.clone(), facts.port),
        ServiceKind::NodePort => (given(GATEWAY_NODE_IP).or_else(|| of_a_node(nodes)), facts.node_port),
        ServiceKind::ClusterIp => (None, 0),
    };
    let address = given(OVERRIDE_ADDRESS).or(address);
    let port = given(OVERRIDE_PORT).or((port != 0).then(|| port.to_string()));
    match (address, port) {
        (Some(address), Some(port)) if address.contains(':') => Ok(format!("udp://[{address}]:{port}")),
        (Some(address), Some(port)) => Ok(format!("udp://{address}:{port}")),
        _ => Err("the Service of the gateway has no address for peers yet".to_owned()),
    }
}

/// The address of the physical node whose name comes first.
fn of_a_node(nodes: &[NodeFacts]) -> Option<String> {
    let physical =
        nodes.iter().filter(|node| node.labels.get(TYPE).is_none_or(|kind| kind != TYPE_VIRTUAL_NODE));
    let internal = |node: &NodeFacts| {
        let found = node.addresses.iter().find(|(kind, _)| *kind == AddressKind::InternalIp);
        found.map(|(_, address)| (node.name.clone(), address.clone()))
    };
    physical.filter_map(internal).min().map(|(_, address)| address)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn flags_are_read_in_both_spellings() {
        let manager = |args: Value| -> Deployment {
            serde_json::from_value(json!({
                "metadata": {},
                "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "m", "args": args}]}}},
            }))
            .unwrap()
        };
        let flags = ManagerFlags::of(Some(&manager(json!([
            "--cluster-labels=region=eu,liqo.io/provider=k3s",
            "--advertise-api-server-address",
            "a.example.org:6443",
        ]))));
        assert_eq!(flags.cluster_labels["liqo.io/provider"], "k3s");
        assert_eq!(flags.api_server.as_deref(), Some("a.example.org:6443"));
        assert!(flags.internal_network);
        assert!(!ManagerFlags::of(Some(&manager(json!(["--disable-internal-network"])))).internal_network);
        assert!(
            ManagerFlags::of(Some(&manager(json!(["--disable-internal-network=false"])))).internal_network
        );
        assert!(ManagerFlags::of(None).cluster_labels.is_empty());
    }

    #[test]
    fn the_gateway_is_reached_where_its_service_says() {
        let gateway = |kind: &str, annotations: Value| -> Vec<Service> {
            let ingress = json!({"ingress": [{"ip": "192.0.2.9"}]});
            vec![
                serde_json::from_value(json!({
                    "metadata": {"annotations": annotations},
                    "spec": {"type": kind, "ports": [{"port": 5871, "nodePort": 30426}]},
                    "status": {"loadBalancer": ingress},
                }))
                .unwrap(),
            ]
        };
        let node = |name: &str, kind: &str, address: &str| NodeFacts {
            name: name.to_owned(),
            labels: [(TYPE.to_owned(), kind.to_owned())].into(),
            addresses: vec![(AddressKind::InternalIp, address.to_owned())],
        };
        let nodes = [
            node("b", "", "172.18.1.4"),
            node("a", "", "172.18.1.3"),
            node("0", TYPE_VIRTUAL_NODE, "10.0.0.1"),
        ];
        let reached =
            |kind: &str, annotations: Value| gateway_of(&gateway(kind, annotations), &nodes).unwrap();
        let on_node = json!({"net.liqo.io/gatewayNodeIP": "172.18.1.2"});
        assert_eq!(reached("NodePort", on_node), "udp://172.18.1.2:30426");
        assert_eq!(reached("NodePort", json!({})), "udp://172.18.1.3:30426");
        assert_eq!(reached("LoadBalancer", json!({})), "udp://192.0.2.9:5871");
        let both = json!({"liqo.io/override-address": "2001:db8::1", "liqo.io/override-port": "51820"});
        assert_eq!(reached("ClusterIP", both), "udp://[2001:db8::1]:51820");
        assert!(gateway_of(&gateway("NodePort", json!({})), &nodes[2..]).is_err());
        assert!(gateway_of(&[], &nodes).is_err());
    }
}
