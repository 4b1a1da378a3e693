//! Where peers reach the authentication service of this cluster.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §4.3. What was told to a peer stays as it is while it is still true: nodes
//! come and go, and lists of them have no order.

use liqo_events::{Facts, NodeFacts, ServiceFacts};
use liqo_model::{Kind, ObjectKey};

use crate::state::State;

/// Name of the Service.
const SERVICE: &str = "liqo-auth";
const OVERRIDE_ADDRESS: &str = "liqo.io/override-address";
const OVERRIDE_PORT: &str = "liqo.io/override-port";
/// Port that a URL of the scheme has anyway.
const HTTPS: u16 = 443;
/// Types of addresses of nodes, the preferred one first.
const PREFERRED: [&str; 5] = ["ExternalDNS", "ExternalIP", "InternalDNS", "InternalIP", "Hostname"];

/// The URL of the authentication service; `told` is the one that a peer knows. Otherwise what is lacking.
pub(super) fn auth_url(state: &State, told: &str) -> Result<String, String> {
    let install = state.started.as_ref().map_or("", |started| started.body.namespace.as_str());
    let key = ObjectKey::local(Kind::Service, install, SERVICE);
    let Some(Facts::Service(service)) = state.objects.get(&key).map(|object| &object.facts) else {
        return Err(format!("Service {install}/{SERVICE} is not there"));
    };
    let nodes = state.local(Kind::Node).filter_map(|(key, object)| match &object.facts {
        Facts::Node(facts) if !facts.is_virtual => Some((key.name.as_str(), facts)),
        _ => None,
    });
    url(service, nodes, told).map_err(|lacks| {
        format!(
            "Service {install}/{SERVICE} cannot be told to peers: {lacks}; annotations {OVERRIDE_ADDRESS} and \
             {OVERRIDE_PORT} say where they reach it"
        )
    })
}

fn url<'a>(
    service: &ServiceFacts,
    nodes: impl Iterator<Item = (&'a str, &'a NodeFacts)>,
    told: &str,
) -> Result<String, &'static str> {
    let port = port(service)?;
    let format = |host: &str| {
        let host =
            if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        if port == HTTPS { format!("https://{host}") } else { format!("https://{host}:{port}") }
    };
    if let Some(given) = given(service, OVERRIDE_ADDRESS) {
        let bare = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://")).unwrap_or(given);
        return Ok(format(bare.trim_end_matches('/')));
    }
    match service.kind.as_str() {
        "LoadBalancer" => {
            let address = service.ingress.iter().find(|address| !address.is_empty());
            address.map(|address| format(address)).ok_or("its load balancer has no address yet")
        }
        "NodePort" => {
            let addresses: Vec<&str> = addresses(nodes);
            let still = addresses.iter().map(|address| format(address)).find(|url| url == told);
            still.or_else(|| addresses.first().map(|first| format(first))).ok_or("no node has an address")
        }
        _ => Err("it is of type ClusterIP and has no address for them"),
    }
}

/// Addresses of nodes, the preferred one first.
fn addresses<'a>(nodes: impl Iterator<Item = (&'a str, &'a NodeFacts)>) -> Vec<&'a str> {
    let rank = |kind: &str| PREFERRED.iter().position(|preferred| *preferred == kind);
    let mut ranked: Vec<_> = nodes
        .flat_map(|(name, node)| {
            let listed = node.addresses.iter().enumerate();
            listed.filter_map(move |(at, (kind, address))| Some(((rank(kind)?, name, at), address.as_str())))
        })
        .filter(|(_, address)| !address.is_empty())
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, address)| address).collect()
}

fn port(service: &ServiceFacts) -> Result<u16, &'static str> {
    if let Some(given) = given(service, OVERRIDE_PORT) {
        let port = given.parse().ok().filter(|port| *port != 0);
        return port.ok_or("the port in its annotation is no port");
    }
    let first = service.ports.first();
    let port = match service.kind.as_str() {
        "LoadBalancer" => first.map(|port| port.port),
        "NodePort" => first.map(|port| port.node_port),
        _ => return Err("it is of type ClusterIP and has no port for them"),
    };
    port.filter(|port| *port != 0).ok_or("it has no port for them yet")
}

fn given<'a>(service: &'a ServiceFacts, annotation: &str) -> Option<&'a str> {
    service.annotations.get(annotation).map(String::as_str).filter(|text| !text.is_empty())
}
