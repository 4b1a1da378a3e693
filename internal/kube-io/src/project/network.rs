//! What two clusters tell each other about their networks: NetworkConfigs, TunnelEndpoints, and the IpamStorage.

use liqo_api::{finalizers, names};
use liqo_events::{
    ClusterSubnets, Facts, IpamStorageFacts, Labels, NetworkConfigFacts, TunnelEndpointFacts, TunnelSpec,
};
use liqo_model::ClusterId;

use super::fields::{Fields, Read};
use super::{Reader, replication};

pub(super) fn network_config(object: &Reader<'_>) -> Read<Facts> {
    let backend: Labels = object.texts("spec.backend_config")?;
    let setting = |key: &str| backend.get(key).unwrap_or_default().to_owned();
    Ok(Facts::NetworkConfig(NetworkConfigFacts {
        replication: replication::read(object)?,
        cluster_id: object.named("spec.cluster.clusterID")?,
        pod_cidr: object.named("spec.podCIDR")?,
        external_cidr: object.named("spec.externalCIDR")?,
        endpoint: object.named("spec.endpointIP")?,
        public_key: setting(names::PUBLIC_KEY),
        port: setting(names::PORT),
        processed: object.flag("status.processed", false)?,
        pod_cidr_nat: object.named("status.podCIDRNAT")?,
        external_cidr_nat: object.named("status.externalCIDRNAT")?,
        finalizer: object.finalizers()?.contains(&finalizers::NETWORK_CONFIG),
    }))
}

pub(super) fn tunnel_endpoint(object: &Reader<'_>) -> Read<Facts> {
    Ok(Facts::TunnelEndpoint(TunnelEndpointFacts {
        spec: tunnel_spec(object)?,
        connection: object.named("status.connection.status")?,
        latency: object.named("status.connection.latency.value")?,
        gateway: object.named("status.gatewayIP")?,
    }))
}

fn tunnel_spec(object: &Fields<'_>) -> Read<TunnelSpec> {
    let backend: Labels = object.texts("spec.backend_config")?;
    let setting = |key: &str| backend.get(key).unwrap_or_default().to_owned();
    let text = |key: &str| object.text(&format!("spec.{key}")).map(str::to_owned);
    Ok(TunnelSpec {
        cluster_id: object.named("spec.clusterIdentity.clusterID")?,
        cluster_name: object.named("spec.clusterIdentity.clusterName")?,
        local_pod_cidr: text("localPodCIDR")?,
        local_external_cidr: text("localExternalCIDR")?,
        local_nat_pod_cidr: text("localNATPodCIDR")?,
        local_nat_external_cidr: text("localNATExternalCIDR")?,
        remote_pod_cidr: text("remotePodCIDR")?,
        remote_external_cidr: text("remoteExternalCIDR")?,
        remote_nat_pod_cidr: text("remoteNATPodCIDR")?,
        remote_nat_external_cidr: text("remoteNATExternalCIDR")?,
        endpoint: text("endpointIP")?,
        public_key: setting(names::PUBLIC_KEY),
        port: setting(names::PORT),
    })
}

pub(super) fn ipam_storage(object: &Reader<'_>) -> Read<Facts> {
    let listed = |path| {
        let items = object.items(path)?;
        items.iter().map(|item| item.itself().map(str::to_owned)).collect::<Read<Vec<_>>>()
    };
    let clusters = object.entries("spec.clusterSubnets")?.into_iter();
    Ok(Facts::IpamStorage(IpamStorageFacts {
        pod_cidr: object.named("spec.podCIDR")?,
        service_cidr: object.named("spec.serviceCIDR")?,
        external_cidr: object.named("spec.externalCIDR")?,
        reserved: listed("spec.reservedSubnets")?,
        pools: listed("spec.pools")?,
        clusters: clusters.map(|(id, of)| Ok((ClusterId::from(id), subnets(&of)?))).collect::<Read<_>>()?,
    }))
}

fn subnets(of: &Fields<'_>) -> Read<ClusterSubnets> {
    Ok(ClusterSubnets {
        local_nat_pod_cidr: of.named("localNATPodCIDR")?,
        local_nat_external_cidr: of.named("localNATExternalCIDR")?,
        remote_pod_cidr: of.named("remotePodCIDR")?,
        remote_external_cidr: of.named("remoteExternalCIDR")?,
    })
}
