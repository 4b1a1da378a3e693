//! Where peers reach the authentication service of this cluster.

use std::collections::BTreeMap;

use liqo_api::annotations::{OVERRIDE_ADDRESS, OVERRIDE_PORT};
use liqo_api::labels::{TYPE, TYPE_VIRTUAL_NODE};

use super::{NodeFacts, in_url, preferred};
use crate::Error;

/// Port that a URL of the scheme has anyway.
const HTTPS: u16 = 443;

/// Type of a Service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceKind {
    /// Reached from inside of the cluster.
    #[default]
    ClusterIp,
    /// Reached by the addresses of nodes.
    NodePort,
    /// Reached by an address of its own.
    LoadBalancer,
}

impl ServiceKind {
    /// Reads `spec.type` of a Service; what is unknown is reached from nowhere else.
    pub fn parse(text: &str) -> Self {
        match text {
            "NodePort" => Self::NodePort,
            "LoadBalancer" => Self::LoadBalancer,
            _ => Self::ClusterIp,
        }
    }
}

/// What matters of the Service `liqo-auth`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its type.
    pub kind: ServiceKind,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its first port, 0 when it has none.
    pub port: u16,
    /// The node port of it, 0 when it has none.
    pub node_port: u16,
    /// Name or address of its load balancer, the name when it has both.
    pub load_balancer: Option<String>,
}

/// The URL of the authentication service: what the annotations of the Service say, else what its type gives.
///
/// # Errors
///
/// [`Error::AdvertiseAuth`] with what the Service lacks.
pub fn home_auth_url(service: &ServiceFacts, nodes: &[NodeFacts]) -> Result<String, Error> {
    let host = in_url(&host(service, nodes)?);
    let port = port(service)?;
    Ok(if port == HTTPS { format!("https://{host}") } else { format!("https://{host}:{port}") })
}

fn host(service: &ServiceFacts, nodes: &[NodeFacts]) -> Result<String, Error> {
    if let Some(given) = given(service, OVERRIDE_ADDRESS) {
        let bare = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://")).unwrap_or(given);
        return Ok(bare.trim_end_matches('/').to_owned());
    }
    match service.kind {
        ServiceKind::LoadBalancer => service
            .load_balancer
            .clone()
            .filter(|address| !address.is_empty())
            .ok_or(lacks("its load balancer has no address yet")),
        ServiceKind::NodePort => {
            let physical = nodes
                .iter()
                .filter(|node| node.labels.get(TYPE).is_none_or(|kind| kind != TYPE_VIRTUAL_NODE));
            preferred(physical).map(str::to_owned).ok_or(lacks("no node has an address"))
        }
        ServiceKind::ClusterIp => Err(lacks("it is of type ClusterIP and has no address for them")),
    }
}

fn port(service: &ServiceFacts) -> Result<u16, Error> {
    if let Some(given) = given(service, OVERRIDE_PORT) {
        return given
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or(lacks("the port in its annotation is no port"));
    }
    let port = match service.kind {
        ServiceKind::LoadBalancer => service.port,
        ServiceKind::NodePort => service.node_port,
        ServiceKind::ClusterIp => {
            return Err(lacks("it is of type ClusterIP and has no port for them"));
        }
    };
    if port == 0 { Err(lacks("it has no port for them yet")) } else { Ok(port) }
}

fn given<'a>(service: &'a ServiceFacts, annotation: &str) -> Option<&'a str> {
    service.annotations.get(annotation).map(String::as_str).filter(|text| !text.is_empty())
}

fn lacks(reason: &'static str) -> Error {
    Error::AdvertiseAuth { reason, address: OVERRIDE_ADDRESS, port: OVERRIDE_PORT }
}

#[cfg(test)]
mod tests {
    use super::super::node;
    use super::*;

    fn service(kind: &str, annotations: &[(&str, &str)]) -> ServiceFacts {
        let annotations = annotations.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        ServiceFacts {
            kind: ServiceKind::parse(kind),
            annotations: annotations.collect(),
            port: 443,
            node_port: 30443,
            load_balancer: None,
        }
    }

    fn nodes() -> Vec<NodeFacts> {
        vec![
            node("liqo-milan", (TYPE, TYPE_VIRTUAL_NODE), &[("ExternalIP", "198.51.100.9")]),
            node("b", ("x", ""), &[("InternalIP", "172.18.1.2")]),
            node("a", ("x", ""), &[("InternalIP", "172.18.1.1")]),
        ]
    }

    #[test]
    fn a_node_port_is_reached_at_the_same_physical_node_every_time() {
        let mut nodes = nodes();
        for _ in 0..nodes.len() {
            nodes.rotate_left(1);
            assert_eq!(home_auth_url(&service("NodePort", &[]), &nodes).unwrap(), "https://172.18.1.1:30443");
        }
        assert!(home_auth_url(&service("NodePort", &[]), &nodes[..0]).is_err());
    }

    #[test]
    fn a_load_balancer_is_reached_at_its_own_address() {
        let mut service = service("LoadBalancer", &[]);
        let waiting = home_auth_url(&service, &nodes()).unwrap_err().to_string();
        assert!(waiting.contains("its load balancer has no address yet"), "{waiting}");
        service.load_balancer = Some("auth.example.org".to_owned());
        assert_eq!(home_auth_url(&service, &nodes()).unwrap(), "https://auth.example.org");
        service.port = 8443;
        service.load_balancer = Some("2001:db8::1".to_owned());
        assert_eq!(home_auth_url(&service, &nodes()).unwrap(), "https://[2001:db8::1]:8443");
    }

    #[test]
    fn annotations_win() {
        let both = [(OVERRIDE_ADDRESS, "https://auth.example.org/"), (OVERRIDE_PORT, "443")];
        assert_eq!(home_auth_url(&service("ClusterIP", &both), &[]).unwrap(), "https://auth.example.org");
        let address = [(OVERRIDE_ADDRESS, "auth.example.org")];
        assert_eq!(
            home_auth_url(&service("NodePort", &address), &[]).unwrap(),
            "https://auth.example.org:30443"
        );
        let port = [(OVERRIDE_PORT, "31000")];
        assert_eq!(home_auth_url(&service("NodePort", &port), &nodes()).unwrap(), "https://172.18.1.1:31000");
    }

    #[test]
    fn what_is_lacking_is_named() {
        let cases = [
            (service("ClusterIP", &[]), "has no address"),
            (service("ClusterIP", &[(OVERRIDE_ADDRESS, "x.example.org")]), "has no port"),
            (service("NodePort", &[(OVERRIDE_PORT, "70000")]), "is no port"),
            (ServiceFacts { node_port: 0, ..service("NodePort", &[]) }, "no port for them yet"),
        ];
        for (service, expected) in cases {
            let said = home_auth_url(&service, &nodes()).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
