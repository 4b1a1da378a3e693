//! The kinds of objects that Liqo watches or writes, with the number that each has in the log for ever.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $group:literal, $version:literal, $plural:literal;)*) => {
        /// A kind of Kubernetes objects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$doc])* $name = $code,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number that stands for the kind in the log; never used for another kind.
            pub fn code(self) -> u16 {
                self as u16
            }

            /// The kind of a number, or nothing when a newer version wrote it.
            pub fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The kind as Kubernetes spells it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The API group; empty for the core group.
            pub fn group(self) -> &'static str {
                match self { $(Self::$name => $group,)* }
            }

            /// The API version without its group.
            pub fn version(self) -> &'static str {
                match self { $(Self::$name => $version,)* }
            }

            /// The resource name in paths of the API.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$name => $plural,)* }
            }
        }
    };
}

// Append only: a number is in logs on disks that a later version has to read.
kinds! {
    /// A configuration map; of these only those that Liqo itself owns are watched.
    ConfigMap = 1, "", "v1", "configmaps";
    /// A namespace.
    Namespace = 2, "", "v1", "namespaces";
    /// A node, real or virtual.
    Node = 3, "", "v1", "nodes";
    /// A pod.
    Pod = 4, "", "v1", "pods";
    /// A secret; bodies never leave the adapter.
    Secret = 5, "", "v1", "secrets";
    /// A lease.
    Lease = 6, "coordination.k8s.io", "v1", "leases";
    /// A service.
    Service = 7, "", "v1", "services";
    /// A service account.
    ServiceAccount = 8, "", "v1", "serviceaccounts";
    /// Endpoints of a service.
    EndpointSlice = 9, "discovery.k8s.io", "v1", "endpointslices";
    /// Rights in a namespace.
    RoleBinding = 10, "rbac.authorization.k8s.io", "v1", "rolebindings";
    /// Rights everywhere.
    ClusterRoleBinding = 11, "rbac.authorization.k8s.io", "v1", "clusterrolebindings";
    /// A deployment.
    Deployment = 12, "apps", "v1", "deployments";
    /// A request for a certificate.
    CertificateSigningRequest = 13, "certificates.k8s.io", "v1", "certificatesigningrequests";
    /// A way in from outside.
    Ingress = 14, "networking.k8s.io", "v1", "ingresses";
    /// A remote cluster that this one knows.
    ForeignCluster = 20, "discovery.liqo.io", "v1alpha1", "foreignclusters";
    /// A consumer's wish for resources.
    ResourceRequest = 21, "discovery.liqo.io", "v1alpha1", "resourcerequests";
    /// A provider's answer to it.
    ResourceOffer = 22, "sharing.liqo.io", "v1alpha1", "resourceoffers";
    /// Network parameters that two clusters exchange.
    NetworkConfig = 23, "net.liqo.io", "v1alpha1", "networkconfigs";
    /// One end of a tunnel.
    TunnelEndpoint = 24, "net.liqo.io", "v1alpha1", "tunnelendpoints";
    /// The mirror of address management.
    IpamStorage = 25, "net.liqo.io", "v1alpha1", "ipamstorages";
    /// Address mappings towards one peer.
    NatMapping = 26, "net.liqo.io", "v1alpha1", "natmappings";
    /// A user's wish to extend a namespace.
    NamespaceOffloading = 27, "offloading.liqo.io", "v1alpha1", "namespaceoffloadings";
    /// Local to remote namespaces for one peer.
    NamespaceMap = 28, "virtualkubelet.liqo.io", "v1alpha1", "namespacemaps";
    /// A pod that a provider runs for a consumer.
    ShadowPod = 29, "virtualkubelet.liqo.io", "v1alpha1", "shadowpods";
    /// Endpoints that a provider publishes for a consumer.
    ShadowEndpointSlice = 30, "virtualkubelet.liqo.io", "v1alpha1", "shadowendpointslices";
}

impl Kind {
    /// The kind with that spelling, whatever its case; also its resource name, as users type it.
    pub fn from_name(name: &str) -> Option<Self> {
        let wanted = name.to_ascii_lowercase();
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(&wanted) || kind.plural() == wanted)
    }

    /// `group/version` as in `apiVersion`.
    pub fn api_version(self) -> String {
        if self.group().is_empty() {
            self.version().to_owned()
        } else {
            format!("{}/{}", self.group(), self.version())
        }
    }

    /// Whether objects of the kind have no namespace.
    pub fn is_cluster_scoped(self) -> bool {
        matches!(
            self,
            Self::Namespace
                | Self::Node
                | Self::ClusterRoleBinding
                | Self::CertificateSigningRequest
                | Self::ForeignCluster
                | Self::IpamStorage
                | Self::NatMapping
        )
    }
}

/// Its name for people, its number for the log: the place in the list above is neither.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.as_str())
        } else {
            serializer.serialize_u16(self.code())
        }
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let name = String::deserialize(deserializer)?;
            let known = Self::ALL.iter().copied().find(|kind| kind.as_str() == name);
            known.ok_or_else(|| D::Error::custom(format!("{name:?} is no kind that this version knows")))
        } else {
            let code = u16::deserialize(deserializer)?;
            Self::from_code(code)
                .ok_or_else(|| D::Error::custom(format!("kind {code} is of a newer version")))
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
        }
        assert_eq!(Kind::from_code(9999), None);
    }

    #[test]
    fn a_kind_is_its_name_in_json() {
        assert_eq!(serde_json::to_string(&Kind::NamespaceMap).unwrap(), "\"NamespaceMap\"");
        assert_eq!(serde_json::from_str::<Kind>("\"NamespaceMap\"").unwrap(), Kind::NamespaceMap);
        assert!(serde_json::from_str::<Kind>("\"Thing\"").is_err());
    }

    #[test]
    fn a_kind_is_found_as_users_type_it() {
        assert_eq!(Kind::from_name("foreigncluster"), Some(Kind::ForeignCluster));
        assert_eq!(Kind::from_name("ForeignClusters"), Some(Kind::ForeignCluster));
        assert_eq!(Kind::from_name("thing"), None);
    }
}
