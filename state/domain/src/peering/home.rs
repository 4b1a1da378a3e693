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

#[cfg(test)]
mod tests {
    use liqo_events::ServicePort;

    use super::*;

    fn service(kind: &str, annotations: &[(&str, &str)]) -> ServiceFacts {
        ServiceFacts {
            kind: kind.to_owned(),
            ports: vec![ServicePort { port: 443, node_port: 30_443, ..ServicePort::default() }],
            annotations: annotations
                .iter()
                .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
                .collect(),
            ..ServiceFacts::default()
        }
    }

    fn node(addresses: &[(&str, &str)]) -> NodeFacts {
        let addresses = addresses.iter().map(|(kind, address)| ((*kind).to_owned(), (*address).to_owned()));
        NodeFacts { addresses: addresses.collect(), ..NodeFacts::default() }
    }

    fn told(service: &ServiceFacts, nodes: &[(&str, NodeFacts)], told: &str) -> String {
        let nodes = nodes.iter().map(|(name, node)| (*name, node));
        url(service, nodes, told).unwrap_or_else(str::to_owned)
    }

    #[test]
    fn a_node_port_is_reached_at_the_preferred_address_of_the_first_node() {
        let nodes = [
            ("b", node(&[("InternalIP", "172.18.1.2")])),
            ("a", node(&[("Hostname", "a"), ("InternalIP", "172.18.1.1")])),
        ];
        let service = service("NodePort", &[]);
        assert_eq!(told(&service, &nodes, ""), "https://172.18.1.1:30443");
        let kept = "https://172.18.1.2:30443";
        assert_eq!(told(&service, &nodes, kept), kept);
        assert_eq!(told(&service, &nodes, "https://172.18.1.7:30443"), "https://172.18.1.1:30443");
        let outside = [nodes[0].clone(), ("z", node(&[("ExternalIP", "2001:db8::1")]))];
        assert_eq!(told(&service, &outside, ""), "https://[2001:db8::1]:30443");
        assert_eq!(told(&service, &[], kept), "no node has an address");
    }

    #[test]
    fn a_load_balancer_is_reached_at_its_own_address() {
        let mut service = service("LoadBalancer", &[]);
        assert_eq!(told(&service, &[], ""), "its load balancer has no address yet");
        service.ingress = vec!["auth.example.org".to_owned()];
        assert_eq!(told(&service, &[], ""), "https://auth.example.org");
    }

    #[test]
    fn annotations_win() {
        let both = [(OVERRIDE_ADDRESS, "https://auth.example.org/"), (OVERRIDE_PORT, "443")];
        assert_eq!(told(&service("ClusterIP", &both), &[], ""), "https://auth.example.org");
        let address = [(OVERRIDE_ADDRESS, "auth.example.org")];
        assert_eq!(told(&service("NodePort", &address), &[], ""), "https://auth.example.org:30443");
        let wrong = [(OVERRIDE_PORT, "70000")];
        assert_eq!(told(&service("NodePort", &wrong), &[], ""), "the port in its annotation is no port");
    }
}
