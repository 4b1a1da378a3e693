//! Reads what is shown.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use liqo_api::labels::{APP_NAME, GATEWAY, IPAM_STORAGE, TRUE};
use liqo_api::names::VIRTUAL_KUBELET;
use liqo_identity::{NodeFacts, advertised_api_server};

use super::component::{Component, DAEMON_SET, DEPLOYMENT, labels};
use super::home::{Home, ManagerFlags, Network, gateway_of};
use super::overview::{NamespaceCheck, Overview};
use super::peer::{Found, Peers, peers_of};
use crate::cluster::Cluster;
use crate::{CtlError, local, report, version};

const MANAGER: &str = "liqo-controller-manager";
const GATEWAY_DEPLOYMENT: &str = "liqo-gateway";
const ROUTE: &str = "liqo-route";

/// The state of Liqo in the namespace.
pub(crate) async fn overview(cluster: &Cluster, namespace: &str) -> Result<Overview, CtlError> {
    let exists = cluster.of_cluster::<Namespace>().get(namespace).await?.is_some();
    let check = NamespaceCheck { name: namespace.to_owned(), exists };
    if !exists {
        return Ok(Overview { namespace: check, components: Vec::new(), home: None });
    }
    let manager = cluster.within::<Deployment>(namespace).get(MANAGER).await?;
    let flags = ManagerFlags::of(manager.as_ref());
    let mut components = vec![deployment(cluster, (namespace, MANAGER), manager).await?];
    if flags.internal_network {
        let gateway = cluster.within::<Deployment>(namespace).get(GATEWAY_DEPLOYMENT).await?;
        components.push(deployment(cluster, (namespace, GATEWAY_DEPLOYMENT), gateway).await?);
        components.push(route(cluster, namespace).await?);
    }
    for found in cluster.everywhere::<Deployment>().list(&format!("{APP_NAME}={VIRTUAL_KUBELET}")).await? {
        let tenant = found.metadata.namespace.clone().unwrap_or_default();
        components.push(deployment(cluster, (&tenant, VIRTUAL_KUBELET), Some(found)).await?);
    }
    let home = Some(home(cluster, namespace, flags).await?);
    Ok(Overview { namespace: check, components, home })
}

async fn deployment(
    cluster: &Cluster,
    (namespace, name): (&str, &str),
    found: Option<Deployment>,
) -> Result<Component, CtlError> {
    let Some(found) = found else { return Ok(Component::missing(DEPLOYMENT, namespace, name)) };
    let pods = pods(cluster, namespace, found.spec.as_ref().map(|spec| &spec.selector)).await?;
    Ok(Component::of_deployment(&found, &pods))
}

async fn route(cluster: &Cluster, namespace: &str) -> Result<Component, CtlError> {
    let Some(found) = cluster.within::<DaemonSet>(namespace).get(ROUTE).await? else {
        return Ok(Component::missing(DAEMON_SET, namespace, ROUTE));
    };
    let pods = pods(cluster, namespace, found.spec.as_ref().map(|spec| &spec.selector)).await?;
    Ok(Component::of_daemon_set(&found, &pods))
}

/// Pods that the selector chooses; none when it has no labels, which would choose all of them.
async fn pods(
    cluster: &Cluster,
    namespace: &str,
    selector: Option<&LabelSelector>,
) -> Result<Vec<Pod>, CtlError> {
    match selector.map(labels) {
        Some(labels) if !labels.is_empty() => cluster.within::<Pod>(namespace).list(&labels).await,
        _ => Ok(Vec::new()),
    }
}

/// What is known of this cluster. What cannot be found out is told beside what can.
async fn home(cluster: &Cluster, namespace: &str, flags: ManagerFlags) -> Result<Home, CtlError> {
    let mut faults = Vec::new();
    let identity = kept(local::identity(cluster, namespace).await, &mut faults);
    let auth_url = kept(local::auth_url(cluster, namespace).await, &mut faults);
    let nodes = local::nodes_of(&cluster.of_cluster::<Node>().list("").await?);
    let (network, gateway) = if flags.internal_network {
        fabric(cluster, (namespace, &nodes), &mut faults).await?
    } else {
        (None, None)
    };
    let api_server = advertised_api_server(flags.api_server.as_deref(), &nodes).map_err(CtlError::Address);
    Ok(Home {
        cluster_id: identity.as_ref().map(|identity| identity.id.to_string()).unwrap_or_default(),
        cluster_name: identity.map(|identity| identity.name.to_string()).unwrap_or_default(),
        cluster_labels: flags.cluster_labels,
        internal_network: flags.internal_network,
        network,
        gateway,
        auth_url,
        api_server_url: kept(api_server, &mut faults),
        faults,
    })
}

async fn fabric(
    cluster: &Cluster,
    (namespace, nodes): (&str, &[NodeFacts]),
    faults: &mut Vec<String>,
) -> Result<(Option<Network>, Option<String>), CtlError> {
    let storages = match cluster.ipam_storages().list(&format!("{IPAM_STORAGE}={TRUE}")).await {
        // Everything else is still worth showing.
        Err(error @ CtlError::NotInstalled { .. }) => {
            faults.push(report(&error));
            return Ok((None, None));
        }
        found => found?,
    };
    let services = cluster.within::<Service>(namespace).list(&format!("{GATEWAY}={TRUE}")).await?;
    let mut told = |error| faults.push(error);
    let network = Network::of(&storages).map_err(&mut told).ok();
    Ok((network, gateway_of(&services, nodes).map_err(told).ok()))
}

fn kept<T>(found: Result<T, CtlError>, faults: &mut Vec<String>) -> Option<T> {
    found.map_err(|error| faults.push(report(&error))).ok()
}

/// The state of peerings.
pub(crate) async fn peers(cluster: &Cluster, names: &[String], namespace: &str) -> Result<Peers, CtlError> {
    let known = cluster.foreign_clusters().list("").await?;
    let endpoints = cluster.tunnel_endpoints().list("").await?;
    let offers = cluster.resource_offers().list("").await?;
    let version = version::installed(cluster, namespace).await;
    Ok(peers_of(Found { peers: &known, endpoints: &endpoints, offers: &offers, version }, names))
}

/// Whether Liqo takes care of the network in this cluster.
pub(crate) async fn has_network(cluster: &Cluster, namespace: &str) -> Result<bool, CtlError> {
    let manager = cluster.within::<Deployment>(namespace).get(MANAGER).await?;
    Ok(ManagerFlags::of(manager.as_ref()).internal_network)
}
