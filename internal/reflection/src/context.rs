//! What a transform has to know beside the objects.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use liqo_model::{ClusterId, ClusterName, NamespaceName};
use thiserror::Error;

/// A cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Its ID.
    pub id: ClusterId,
    /// Its name.
    pub name: ClusterName,
}

/// Nothing is known of how the two clusters see each other's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the address translation of the peer is not known")]
pub struct TranslationUnavailable;

/// How addresses of one cluster are seen in the other. Answers from what is known; asks nobody.
pub trait AddressTranslation {
    /// An address of the home cluster, or one that it reaches, as the remote cluster reaches it.
    ///
    /// Nothing when there is no mapping for it, or none yet.
    ///
    /// # Errors
    ///
    /// [`TranslationUnavailable`] when no mapping at all is known, as just after a start.
    fn to_remote(&self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable>;

    /// The address of a remote pod as the home cluster reaches it. Nothing when it is outside of the peer's pod
    /// network.
    ///
    /// # Errors
    ///
    /// [`TranslationUnavailable`] when the networks of the peer are not known.
    fn to_home(&self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable>;
}

/// Where remote pods find the API server of their home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeApiServer {
    /// Host name, which the certificate of the API server must hold.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Address that the default host name gets in the pods; nothing when users gave an address of their own.
    pub alias: Option<IpAddr>,
}

impl HomeApiServer {
    /// Host name by which pods know the API server. Its certificate holds it, but not the translated address.
    pub const DEFAULT_HOST: &str = "kubernetes.default";

    /// The Service of the API server, at the address at which the remote cluster reaches it.
    #[must_use]
    pub fn service(translated: IpAddr, port: u16) -> Self {
        Self { host: Self::DEFAULT_HOST.to_owned(), port, alias: Some(translated) }
    }

    /// An address that users gave.
    #[must_use]
    pub fn given(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, alias: None }
    }
}

/// Whether remote pods may talk to the API server of their home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApiServerSupport {
    /// They get no tokens; what asks for one is left out of their volumes.
    #[default]
    Disabled,
    /// They get tokens of their home, which somebody keeps in a remote Secret.
    TokenApi(HomeApiServer),
}

/// What a transform of a virtual kubelet has to know: one pair of clusters, one pair of namespaces.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The cluster whose objects are reflected.
    pub home: &'a Cluster,
    /// The cluster that they are reflected to.
    pub remote: &'a Cluster,
    /// Name of the node that stands for the remote cluster.
    pub virtual_node: &'a str,
    /// Name of the namespace in the remote cluster.
    pub remote_namespace: &'a NamespaceName,
    /// Address of the virtual kubelet, which is the host address of its pods.
    pub node_ip: IpAddr,
    /// How addresses are translated; nothing when address reflection is switched off.
    pub addresses: Option<&'a dyn AddressTranslation>,
    /// Whether pods may talk to the API server of their home.
    pub api_server: &'a ApiServerSupport,
    /// Services of the home namespace that carry the skip annotation, whose endpoints are then skipped too.
    pub skipped_services: &'a BTreeSet<String>,
}

/// What a transform of a provider has to know of the consumer whose object it is.
#[derive(Clone, Copy, Debug)]
pub struct Tenant<'a> {
    /// The consumer that the namespace belongs to.
    pub consumer: &'a ClusterId,
    /// Whether its network and its API server are reached.
    pub is_reachable: bool,
    /// Networks that its endpoints may be in; nothing when Liqo does not manage the network.
    pub networks: Option<&'a [IpNet]>,
}
