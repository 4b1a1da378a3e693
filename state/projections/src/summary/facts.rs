//! The projection of an object in a few words.

use liqo_events::{
    Condition, ContainerPhase, Facts, ForeignClusterFacts, MappingStrategy, NamespaceFacts,
    NamespaceMapFacts, NodeFacts, OffloadingFacts, PeeringType, PodFacts, PodStrategy, Switch,
};

/// What is worth saying of an object, with a colon before it; nothing when only its presence is known.
pub(super) fn in_words(facts: &Facts) -> String {
    let words = match facts {
        Facts::Presence => return String::new(),
        Facts::Malformed(reason) => format!("cannot be read: {reason}"),
        Facts::Oversized(bytes) => format!("its projection takes {bytes} bytes, more than a record may have"),
        Facts::ClusterIdentity(identity) => format!("{} ({})", identity.name, identity.id),
        Facts::ForeignCluster(cluster) => foreign_cluster(cluster),
        Facts::Namespace(namespace) => self::namespace(namespace),
        Facts::Offloading(offloading) => self::offloading(offloading),
        Facts::NamespaceMap(map) => namespace_map(map),
        Facts::Node(node) => self::node(node),
        Facts::Pod(pod) => self::pod(pod),
        Facts::Identity(identity) => {
            format!("identity at {}, namespace {}", identity.peer, identity.remote_namespace)
        }
        Facts::PeerToken(token) => format!("token of {}", token.peer),
        Facts::ResourceRequest(request) => {
            let withdrawn = if request.withdrawn { ", withdrawn" } else { "" };
            format!("of {}, offer {}{withdrawn}", request.cluster_name, said(&request.offer_state))
        }
        Facts::ResourceOffer(offer) => {
            let withdrawn = if offer.withdrawn { ", withdrawn" } else { "" };
            let (phase, kubelet) = (said(&offer.phase), said(&offer.virtual_kubelet));
            format!("of {}, phase {phase}, virtual kubelet {kubelet}{withdrawn}", offer.cluster_id)
        }
        Facts::NetworkConfig(config) => {
            let done = if config.processed { "processed" } else { "not processed yet" };
            format!(
                "for {}, pods {}, endpoint {}, {done}",
                config.cluster_id, config.pod_cidr, config.endpoint
            )
        }
        Facts::TunnelEndpoint(tunnel) => {
            format!("to {}, {}", tunnel.spec.cluster_name, said(&tunnel.connection))
        }
        Facts::IpamStorage(storage) => {
            format!(
                "pods {}, external {}, {} peers",
                storage.pod_cidr,
                storage.external_cidr,
                storage.clusters.len()
            )
        }
        Facts::Service(service) => format!("{}, {} ports", said(&service.kind), service.ports.len()),
        Facts::ShadowPod(shadow) => format!("of {}, phase {}", shadow.reflection.origin, said(&shadow.phase)),
        Facts::Issued(issued) if issued.enrolled => format!("issued to {}, and in use", issued.peer),
        Facts::Issued(issued) => format!("issued to {}", issued.peer),
        Facts::Deployment(deployment) => format!("made with settings {}", said(&deployment.settings)),
        Facts::SigningRequest(request) => {
            format!("by {}, for node {}", request.requester, said(&request.node))
        }
        Facts::Reflected(reflection) if reflection.home_uid.is_empty() => return String::new(),
        Facts::Reflected(reflection) => format!("copy of {}", reflection.home_uid),
    };
    format!(": {words}")
}

fn said(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}

/// `NetworkStatus=Established, OutgoingPeering=Pending`.
pub(super) fn conditions(conditions: &[Condition]) -> String {
    if conditions.is_empty() {
        return "no conditions".to_owned();
    }
    let texts: Vec<String> = conditions.iter().map(|one| format!("{}={}", one.kind, one.status)).collect();
    texts.join(", ")
}

fn foreign_cluster(cluster: &ForeignClusterFacts) -> String {
    let id = if cluster.cluster_id.is_empty() { "not known yet" } else { cluster.cluster_id.as_str() };
    let peering = match cluster.peering_type {
        PeeringType::OutOfBand => "out-of-band",
        PeeringType::InBand => "in-band",
    };
    format!(
        "ID {id}, {peering}, outgoing {}, incoming {}, {}",
        switch(cluster.outgoing),
        switch(cluster.incoming),
        conditions(&cluster.conditions)
    )
}

fn switch(switch: Switch) -> &'static str {
    match switch {
        Switch::Auto => "Auto",
        Switch::No => "No",
        Switch::Yes => "Yes",
        Switch::GivenUp => "given up",
    }
}

fn namespace(namespace: &NamespaceFacts) -> String {
    let scheduling =
        if namespace.scheduling_enabled { "scheduling to peers on" } else { "scheduling to peers off" };
    if namespace.tenant_of.is_empty() {
        scheduling.to_owned()
    } else {
        format!("{scheduling}, tenant namespace of {}", namespace.tenant_of)
    }
}

fn offloading(offloading: &OffloadingFacts) -> String {
    let mapping = match offloading.mapping {
        MappingStrategy::DefaultName => "DefaultName",
        MappingStrategy::EnforceSameName => "EnforceSameName",
    };
    let pods = match offloading.pods {
        PodStrategy::LocalAndRemote => "LocalAndRemote",
        PodStrategy::Local => "Local",
        PodStrategy::Remote => "Remote",
    };
    let phase = if offloading.phase.is_empty() { "no phase" } else { offloading.phase.as_str() };
    let terms = offloading.selector.len();
    format!("{mapping}, pods {pods}, {terms} selector terms, {phase}")
}

fn namespace_map(map: &NamespaceMapFacts) -> String {
    let (desired, current) = (map.desired.len(), map.current.len());
    format!("peer {}, {desired} namespaces wanted, {current} mapped", map.remote_cluster)
}

fn node(node: &NodeFacts) -> String {
    if node.is_virtual { format!("stands for peer {}", node.remote_cluster) } else { "real node".to_owned() }
}

fn pod(pod: &PodFacts) -> String {
    let running =
        pod.containers.iter().filter(|container| matches!(container.phase, ContainerPhase::Running)).count();
    let place = if pod.node.is_empty() { "no node".to_owned() } else { format!("on {}", pod.node) };
    let reason = if pod.reason.is_empty() { String::new() } else { format!(" ({})", pod.reason) };
    format!("{}{reason}, {place}, {running} of {} containers run", pod.phase, pod.containers.len())
}
