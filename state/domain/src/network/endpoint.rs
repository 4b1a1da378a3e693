//! Where peers reach our gateway.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §A.3.5. Here an override counts also where the Service alone would
//! not say enough.

use std::collections::BTreeMap;

use liqo_events::{Facts, NodeFacts, Seq, ServiceFacts};
use liqo_model::{Kind, ObjectKey};

use super::gateway::active_gateway;
use crate::state::State;

/// The Service in front of the gateway, and its port.
const SERVICE: &str = "liqo-gateway";
const PORT: &str = "wireguard";

const OVERRIDE_ADDRESS: &str = "liqo.io/override-address";
const OVERRIDE_PORT: &str = "liqo.io/override-port";
const NODE_ADDRESS: &str = "net.liqo.io/gatewayNodeIP";

/// Where our gateway is.
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    /// The observation of the Service.
    pub(super) seen: Seq,
}

/// The endpoint of our gateway; nothing while it is not known. `told` is what the peer was told before: it stays as long
/// as it is right, because each change interrupts the tunnel.
pub(super) fn endpoint(state: &State, told: Option<&str>) -> Option<Endpoint> {
    let namespace = state.started.as_ref()?.body.namespace.as_str();
    let service = state.objects.get(&ObjectKey::local(Kind::Service, namespace, SERVICE))?;
    let Facts::Service(facts) = &service.facts else { return None };
    let annotation = |name: &str| facts.annotations.get(name).filter(|value| !value.is_empty());
    let (host, port) = of_kind(state, facts, told);
    let host = annotation(OVERRIDE_ADDRESS).cloned().or(host)?;
    let port = match annotation(OVERRIDE_PORT) {
        Some(text) => text.parse().ok(),
        None => port,
    };
    Some(Endpoint { host, port: port.filter(|port| *port != 0)?, seen: service.seen })
}

/// Address and port that follow from the kind of the Service.
fn of_kind(state: &State, facts: &ServiceFacts, told: Option<&str>) -> (Option<String>, Option<u16>) {
    let port = facts.ports.iter().find(|port| port.name == PORT);
    match facts.kind.as_str() {
        "LoadBalancer" => (facts.ingress.first().cloned(), port.map(|port| port.port)),
        "NodePort" => {
            let annotated =
                facts.annotations.get(NODE_ADDRESS).filter(|address| !address.is_empty()).cloned();
            (annotated.or_else(|| node_address(state, told)), port.map(|port| port.node_port))
        }
        _ => (None, None),
    }
}

/// The address of a node, each of which has the port: the one that was told before while that node works, else the one
/// that the gateway is on, else the first.
fn node_address(state: &State, told: Option<&str>) -> Option<String> {
    state.local_list(Kind::Pod)?;
    let nodes: BTreeMap<&str, &str> = state
        .local(Kind::Node)
        .filter(|(_, object)| !object.deleting)
        .filter_map(|(key, object)| match &object.facts {
            Facts::Node(node) if node.ready && !node.is_virtual => Some((key.name.as_str(), internal(node)?)),
            _ => None,
        })
        .collect();
    let of_told = told.filter(|told| nodes.values().any(|address| address == told));
    let of_gateway = || active_gateway(state).and_then(|gateway| nodes.get(gateway.node.as_str()).copied());
    let first = || nodes.values().next().copied();
    of_told.or_else(of_gateway).or_else(first).map(str::to_owned)
}

fn internal(node: &NodeFacts) -> Option<&str> {
    let mut internal = node.addresses.iter().filter(|(kind, _)| kind == "InternalIP");
    internal
        .find(|(_, address)| address.parse::<std::net::Ipv4Addr>().is_ok())
        .map(|(_, address)| address.as_str())
}
