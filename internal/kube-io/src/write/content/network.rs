//! What a network consists of: what peers are told, tunnels, and which networks and addresses are in use.

use liqo_api::{labels, names};
use liqo_events::{Content, OwnedBy, TunnelSpec};
use liqo_model::Kind;
use serde_json::{Map, Value, json};

use super::peering::replicated;
use super::{Rendered, Rendering, misplaced, over};

pub(super) fn network_config(content: &Content) -> Rendering {
    let Content::NetworkConfig { remote, remote_name, owner, .. } = content else { return Err(misplaced()) };
    let Content::NetworkConfig { pod_cidr, external_cidr, endpoint, public_key, port, .. } = content else {
        return Err(misplaced());
    };
    let spec = json!({
        "cluster": {"clusterID": remote.as_str(), "clusterName": remote_name.as_str()},
        "podCIDR": pod_cidr,
        "externalCIDR": external_cidr,
        "endpointIP": endpoint,
        "backendType": names::BACKEND_WIREGUARD,
        "backend_config": {names::PUBLIC_KEY: public_key, names::PORT: port.to_string()},
    });
    let mut rendered = replicated(remote).with("spec", spec).owned_by(Kind::ForeignCluster, owner);
    rendered.labels.insert(labels::OWNERSHIP.to_owned(), labels::OWNERSHIP_NETWORK_CONFIG.to_owned());
    Ok(rendered)
}

pub(super) fn tunnel_endpoint(spec: &TunnelSpec, owner: &OwnedBy) -> Rendered {
    let peer = spec.cluster_id.as_str();
    let fields = json!({
        "clusterIdentity": {"clusterID": peer, "clusterName": spec.cluster_name.as_str()},
        "localPodCIDR": spec.local_pod_cidr,
        "localExternalCIDR": spec.local_external_cidr,
        "localNATPodCIDR": spec.local_nat_pod_cidr,
        "localNATExternalCIDR": spec.local_nat_external_cidr,
        "remotePodCIDR": spec.remote_pod_cidr,
        "remoteExternalCIDR": spec.remote_external_cidr,
        "remoteNATPodCIDR": spec.remote_nat_pod_cidr,
        "remoteNATExternalCIDR": spec.remote_nat_external_cidr,
        "endpointIP": spec.endpoint,
        "backendType": names::BACKEND_WIREGUARD,
        "backend_config": {names::PUBLIC_KEY: spec.public_key, names::PORT: spec.port},
    });
    let rendered = Rendered::labelled([(labels::PEER_CLUSTER_ID, peer)]);
    rendered.with("spec", fields).owned_by(Kind::ForeignCluster, owner)
}

pub(super) fn nat_mapping(content: &Content) -> Rendering {
    let Content::NatMapping { remote, pod_cidr, external_cidr, mappings } = content else {
        return Err(misplaced());
    };
    let marks = [(labels::PEER_CLUSTER_ID, remote.as_str()), (labels::NAT_MAPPING, labels::TRUE)];
    Ok(Rendered::labelled(marks).with(
        "spec",
        json!({
            "clusterID": remote.as_str(),
            "podCIDR": pod_cidr,
            "externalCIDR": external_cidr,
            "clusterMappings": mappings,
        }),
    ))
}

/// Prefixes and mappings of endpoints are there because the definition requires them; those of Liqo 0.8.3 stay.
pub(super) fn ipam_storage(content: &Content, object: Option<&Value>) -> Rendering {
    let Content::IpamStorage { pod_cidr, service_cidr, external_cidr, reserved, pools, clusters } = content
    else {
        return Err(misplaced());
    };
    let subnets: Map<String, Value> = clusters
        .iter()
        .map(|(id, of)| {
            let subnets = json!({
                "localNATPodCIDR": of.local_nat_pod_cidr,
                "localNATExternalCIDR": of.local_nat_external_cidr,
                "remotePodCIDR": of.remote_pod_cidr,
                "remoteExternalCIDR": of.remote_external_cidr,
            });
            (id.to_string(), subnets)
        })
        .collect();
    let mut fields = json!({
        "podCIDR": pod_cidr,
        "serviceCIDR": service_cidr,
        "externalCIDR": external_cidr,
        "reservedSubnets": reserved,
        "pools": pools,
        "clusterSubnets": subnets,
    });
    if object.is_none() {
        for required in ["prefixes", "endpointMappings", "natMappingsConfigured"] {
            fields[required] = json!({});
        }
    }
    Ok(Rendered::labelled([(labels::IPAM_STORAGE, labels::TRUE)]).with("spec", over(object, fields)))
}
