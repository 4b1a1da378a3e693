//! Where the other end of each step of a peering is, for messages.

use k8s_openapi::api::core::v1::Secret as SecretObject;
use liqo_api::labels::{CLUSTER_ID, LOCAL_IDENTITY, PEER_CLUSTER_ID, TRUE};
use liqo_api::names::{PORT, VIRTUAL_KUBELET};
use liqo_api::{ForeignCluster, TunnelEndpoint};
use liqo_identity::read_identity;

use super::steps::Step;
use crate::cluster::Cluster;
use crate::debug::plain;
use crate::known::id_of;
use crate::wait::Seen;

/// Finds the other ends of steps. What the user may not read is not told.
pub(crate) struct Endpoints<'a> {
    cluster: &'a Cluster,
    /// It does not change while a command waits.
    api_server: Option<String>,
}

impl<'a> Endpoints<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, api_server: None }
    }

    /// What was seen of a step, with the other end in front.
    pub(crate) async fn named(&mut self, step: Step, peer: &ForeignCluster, said: String) -> String {
        match self.of(step, peer).await {
            Some(end) => format!("{end}: {said}"),
            None => said,
        }
    }

    async fn of(&mut self, step: Step, peer: &ForeignCluster) -> Option<String> {
        match step {
            Step::Authentication | Step::TenantNamespace => authentication(peer),
            Step::Request | Step::Offer | Step::ApiServer => self.api_server(peer).await,
            Step::Network => {
                let labels = format!("{PEER_CLUSTER_ID}={}", id_of(peer));
                let found = self.cluster.tunnel_endpoints().list(&labels).await.ok()?;
                found.first().and_then(gateway)
            }
            Step::Node => kubelet(peer),
        }
    }

    /// What was seen of the end of a peering, which all happens at the API server of the peer.
    pub(crate) async fn told(&mut self, peer: &ForeignCluster, seen: Seen) -> Seen {
        match seen {
            Seen::NotYet(said) => Seen::NotYet(self.named(Step::ApiServer, peer, said).await),
            Seen::Done => Seen::Done,
        }
    }

    /// The API server of the peer, as the peer told it with the identity that it gave.
    async fn api_server(&mut self, peer: &ForeignCluster) -> Option<String> {
        if self.api_server.is_none() {
            self.api_server = self.read_api_server(peer).await;
        }
        self.api_server.clone()
    }

    async fn read_api_server(&self, peer: &ForeignCluster) -> Option<String> {
        let namespace = tenant(peer)?;
        let labels = format!("{CLUSTER_ID}={},{LOCAL_IDENTITY}={TRUE}", id_of(peer));
        let secrets = self.cluster.within::<SecretObject>(namespace).list(&labels).await.ok()?;
        let read = |secret: &SecretObject| {
            let data = secret.data.iter().flatten();
            let data = data.map(|(key, bytes)| (key.clone(), bytes.0.clone())).collect();
            read_identity(&data).ok().map(|identity| plain(&identity.api_server_url))
        };
        secrets.iter().find_map(read)
    }
}

fn authentication(peer: &ForeignCluster) -> Option<String> {
    let (url, proxy) = (plain(&peer.spec.foreign_auth_url), plain(&peer.spec.foreign_proxy_url));
    match (url.is_empty(), proxy.is_empty()) {
        (true, _) => None,
        (false, true) => Some(url),
        (false, false) => Some(format!("{url} through {proxy}")),
    }
}

fn gateway(endpoint: &TunnelEndpoint) -> Option<String> {
    let address = Some(&endpoint.spec.endpoint_ip).filter(|address| !address.is_empty())?;
    let address = if address.contains(':') { format!("[{address}]") } else { address.clone() };
    let port = endpoint.spec.backend_config.get(PORT).map(|port| format!(":{port}")).unwrap_or_default();
    Some(plain(&format!("udp://{address}{port}")))
}

fn kubelet(peer: &ForeignCluster) -> Option<String> {
    tenant(peer).map(|namespace| format!("Deployment {}/{VIRTUAL_KUBELET}", plain(namespace)))
}

/// The namespace here.
fn tenant(peer: &ForeignCluster) -> Option<&str> {
    let name = peer.status.as_ref().map(|status| status.tenant_namespace.local.as_str());
    name.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_other_end_is_told_as_it_is_reached() {
        let peer = |proxy: &str| -> ForeignCluster {
            serde_json::from_value(json!({
                "metadata": {"name": "milan"},
                "spec": {"foreignAuthUrl": "https://a.b", "foreignProxyUrl": proxy},
                "status": {"tenantNamespace": {"local": "liqo-tenant-milan"}},
            }))
            .unwrap()
        };
        assert_eq!(authentication(&peer("")).as_deref(), Some("https://a.b"));
        assert_eq!(authentication(&peer("http://p:1")).as_deref(), Some("https://a.b through http://p:1"));
        assert_eq!(kubelet(&peer("")).as_deref(), Some("Deployment liqo-tenant-milan/virtual-kubelet"));
        let endpoint = |address: &str| -> TunnelEndpoint {
            let mut spec = serde_json::Map::new();
            for field in [
                "localPodCIDR",
                "localExternalCIDR",
                "localNATPodCIDR",
                "localNATExternalCIDR",
                "remotePodCIDR",
                "remoteExternalCIDR",
                "remoteNATPodCIDR",
                "remoteNATExternalCIDR",
            ] {
                spec.insert(field.to_owned(), json!("10.0.0.0/16"));
            }
            spec.insert("clusterIdentity".to_owned(), json!({"clusterID": "1", "clusterName": "milan"}));
            spec.insert("endpointIP".to_owned(), json!(address));
            spec.insert("backendType".to_owned(), json!("wireguard"));
            spec.insert("backend_config".to_owned(), json!({"port": "30426"}));
            serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap()
        };
        assert_eq!(gateway(&endpoint("172.18.2.1")).as_deref(), Some("udp://172.18.2.1:30426"));
        assert_eq!(gateway(&endpoint("2001:db8::1")).as_deref(), Some("udp://[2001:db8::1]:30426"));
        assert_eq!(gateway(&endpoint("")), None);
    }
}
