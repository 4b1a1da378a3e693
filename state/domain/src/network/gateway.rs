//! Which gateway is the one that works.

use std::net::Ipv4Addr;

use liqo_events::{Facts, PodFacts};
use liqo_model::{Kind, ObjectKey};

use crate::state::{Object, State};

/// The gateway that peers and nodes are to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveGateway {
    /// Its pod.
    pub pod: ObjectKey,
    /// The node that it is on.
    pub node: String,
    /// Address of the pod.
    pub address: Ipv4Addr,
}

/// The newest gateway that is ready. While none is, the newest that runs: it was, or is about to be, and nodes that
/// know no gateway would let packets out that are meant for peers.
pub fn active_gateway(state: &State) -> Option<ActiveGateway> {
    let namespace = &state.started.as_ref()?.body.namespace;
    let pods = state.local_in(namespace.as_str(), Kind::Pod);
    let running = pods.filter_map(|(key, object)| Some((key, object, running(object)?)));
    let (pod, _, (facts, address)) =
        running.max_by_key(|(key, object, (facts, _))| (facts.ready, object.created_at, &key.name))?;
    Some(ActiveGateway { pod: pod.clone(), node: facts.node.clone(), address })
}

fn running(object: &Object) -> Option<(&PodFacts, Ipv4Addr)> {
    let Facts::Pod(facts) = &object.facts else { return None };
    let is_gateway = facts.labels.get("app.kubernetes.io/name").is_some_and(|name| name == "gateway");
    let is_running = is_gateway && !object.deleting && facts.phase == "Running";
    let address = facts.pod_ips.iter().find_map(|address| address.parse().ok())?;
    is_running.then_some((facts, address))
}
