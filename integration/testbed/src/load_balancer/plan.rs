//! Which Service gets which address, and which node it leads to: a pure function of what the API server shows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;

/// Nodes with this label never get traffic (a well-known label of Kubernetes).
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// The label by which an EndpointSlice names its Service.
const SERVICE: &str = "kubernetes.io/service-name";

/// What the API server shows.
#[derive(Default)]
pub(super) struct View {
    pub services: Vec<Arc<Service>>,
    pub nodes: Vec<Arc<Node>>,
    pub slices: Vec<Arc<EndpointSlice>>,
}

/// A change to the status of one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatusChange {
    pub namespace: String,
    pub name: String,
    /// The address it gets, none to take it back.
    pub address: Option<Ipv4Addr>,
}

/// What should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Differences between the statuses as they are and as they should be.
    pub changes: Vec<StatusChange>,
    /// Where each address leads: to a node, or to nobody.
    pub routes: BTreeMap<Ipv4Addr, Option<Ipv4Addr>>,
}

/// Plans all addresses. A Service keeps the address that it has; a new one gets the one it asks for
/// (`spec.loadBalancerIP`) when that is free, else the lowest free one; when the pool is empty it stays pending.
pub(super) fn plan(view: &View, pool: Ipv4Net) -> Plan {
    let mut plan = Plan::default();
    let mut services: Vec<&Service> = view.services.iter().map(AsRef::as_ref).collect();
    // By age, so that of two Services with one address (an edited status) the elder keeps it.
    services.sort_by_key(|s| (s.metadata.creation_timestamp.clone(), s.metadata.uid.clone()));
    let mut taken = BTreeSet::new();
    let mut without = Vec::new();
    for service in services {
        let current = address(service).filter(|a| pool.contains(a));
        match (wants(service), current) {
            (true, Some(address)) if taken.insert(address) => {
                plan.routes.insert(address, target(view, service));
            }
            (true, _) => without.push(service),
            (false, Some(_)) => plan.changes.push(change(service, None)),
            (false, None) => {}
        }
    }
    for service in without {
        let asked = service.spec.as_ref().and_then(|s| s.load_balancer_ip.as_ref()?.parse().ok());
        let free = |a: &Ipv4Addr| pool.contains(a) && !taken.contains(a) && !is_router(*a);
        if let Some(address) = asked.filter(free).or_else(|| pool.hosts().find(free)) {
            taken.insert(address);
            plan.routes.insert(address, target(view, service));
            plan.changes.push(change(service, Some(address)));
        }
    }
    plan
}

/// The inside of a router has the last address of its cluster, which is in the pool (see `AddressPlan`).
fn is_router(address: Ipv4Addr) -> bool {
    address.octets()[3] == 254
}

fn change(service: &Service, address: Option<Ipv4Addr>) -> StatusChange {
    StatusChange {
        namespace: service.metadata.namespace.clone().unwrap_or_default(),
        name: service.metadata.name.clone().unwrap_or_default(),
        address,
    }
}

fn wants(service: &Service) -> bool {
    service.metadata.deletion_timestamp.is_none()
        && service.spec.as_ref().is_some_and(|spec| {
            spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none()
        })
}

fn address(service: &Service) -> Option<Ipv4Addr> {
    service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?.ip.as_ref()?.parse().ok()
}

/// The first ready node; with `externalTrafficPolicy: Local` the first that runs a ready endpoint.
fn target(view: &View, service: &Service) -> Option<Ipv4Addr> {
    let local = service.spec.as_ref().and_then(|s| s.external_traffic_policy.as_deref()) == Some("Local");
    let hosts = local.then(|| endpoint_nodes(view, service));
    let mut candidates: Vec<&Node> = view.nodes.iter().map(AsRef::as_ref).filter(|n| usable(n)).collect();
    candidates.sort_by_key(|n| n.metadata.name.clone());
    candidates
        .into_iter()
        .find(|node| match (&hosts, &node.metadata.name) {
            (Some(hosts), Some(name)) => hosts.contains(name.as_str()),
            (hosts, _) => hosts.is_none(),
        })
        .and_then(internal_address)
}

fn usable(node: &Node) -> bool {
    let excluded = node.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(EXCLUDED));
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    !excluded
        && internal_address(node).is_some()
        && conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

fn internal_address(node: &Node) -> Option<Ipv4Addr> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().find(|a| a.type_ == "InternalIP")?.address.parse().ok()
}

fn endpoint_nodes<'a>(view: &'a View, service: &Service) -> BTreeSet<&'a str> {
    let of_service = |slice: &&'a Arc<EndpointSlice>| {
        slice.metadata.namespace == service.metadata.namespace
            && slice.metadata.labels.as_ref().and_then(|l| l.get(SERVICE)) == service.metadata.name.as_ref()
    };
    view.slices
        .iter()
        .filter(of_service)
        .flat_map(|slice| slice.endpoints.iter())
        .filter(|endpoint| endpoint.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true))
        .filter_map(|endpoint| endpoint.node_name.as_deref())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn service(name: &str, spec: Value, ingress: Option<&str>) -> Arc<Service> {
        let ingress: Vec<Value> = ingress.into_iter().map(|ip| json!({"ip": ip})).collect();
        let object = json!({
            "metadata": {"name": name, "namespace": "default", "uid": name},
            "spec": spec,
            "status": {"loadBalancer": {"ingress": ingress}},
        });
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn balanced(name: &str, ingress: Option<&str>) -> Arc<Service> {
        service(name, json!({"type": "LoadBalancer"}), ingress)
    }

    fn node(name: &str, address: &str, ready: &str) -> Arc<Node> {
        let object = json!({
            "metadata": {"name": name},
            "status": {
                "conditions": [{"type": "Ready", "status": ready}],
                "addresses": [{"type": "InternalIP", "address": address}],
            },
        });
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn pool() -> Ipv4Net {
        "172.30.1.192/30".parse().unwrap()
    }

    fn ip(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_kept_and_a_new_service_gets_the_lowest_free_one() {
        let view = View {
            services: vec![balanced("new", None), balanced("old", Some("172.30.1.193"))],
            nodes: vec![node("b", "172.30.1.2", "True"), node("a", "172.30.1.1", "False")],
            ..View::default()
        };
        let plan = plan(&view, pool());
        let expected = StatusChange {
            namespace: "default".into(),
            name: "new".into(),
            address: Some(ip("172.30.1.194")),
        };
        assert_eq!(plan.changes, [expected]);
        let to_ready = Some(ip("172.30.1.2"));
        assert_eq!(
            plan.routes,
            BTreeMap::from([(ip("172.30.1.193"), to_ready), (ip("172.30.1.194"), to_ready)])
        );
    }

    #[test]
    fn an_empty_pool_leaves_a_service_pending() {
        let services = vec![
            balanced("a", Some("172.30.1.193")),
            balanced("b", Some("172.30.1.194")),
            balanced("c", None),
        ];
        assert_eq!(plan(&View { services, ..View::default() }, pool()).changes, []);
    }

    #[test]
    fn two_services_never_share_an_address() {
        let services = vec![balanced("a", Some("172.30.1.193")), balanced("b", Some("172.30.1.193"))];
        let plan = plan(&View { services, ..View::default() }, pool());
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(plan.changes[0].address, Some(ip("172.30.1.194")));
    }

    #[test]
    fn a_service_that_is_no_longer_balanced_gives_its_address_back() {
        let services = vec![service("a", json!({"type": "ClusterIP"}), Some("172.30.1.193"))];
        let plan = plan(&View { services, ..View::default() }, pool());
        assert_eq!(plan.changes[0].address, None);
        assert!(plan.routes.is_empty());
    }

    #[test]
    fn a_class_is_somebody_elses() {
        let spec = json!({"type": "LoadBalancer", "loadBalancerClass": "other/one"});
        let services = vec![service("a", spec, None)];
        assert_eq!(plan(&View { services, ..View::default() }, pool()), Plan::default());
    }

    #[test]
    fn local_traffic_goes_to_a_node_with_an_endpoint() {
        let slice = json!({
            "metadata": {"name": "s", "namespace": "default", "labels": {SERVICE: "a"}},
            "addressType": "IPv4",
            "endpoints": [
                {"addresses": ["10.200.0.9"], "nodeName": "a", "conditions": {"ready": false}},
                {"addresses": ["10.200.1.9"], "nodeName": "b", "conditions": {"ready": true}},
            ],
        });
        let spec = json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local"});
        let mut view = View {
            services: vec![service("a", spec, Some("172.30.1.193"))],
            nodes: vec![node("a", "172.30.1.1", "True"), node("b", "172.30.1.2", "True")],
            slices: vec![Arc::new(serde_json::from_value(slice).unwrap())],
        };
        assert_eq!(plan(&view, pool()).routes[&ip("172.30.1.193")], Some(ip("172.30.1.2")));
        view.slices.clear();
        assert_eq!(plan(&view, pool()).routes[&ip("172.30.1.193")], None);
    }
}
