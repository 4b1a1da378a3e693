//! A kind of objects as the API server addresses it.

/// A resource of the API.
///
/// `liqo_model::Kind` holds only kinds that the log knows; here are the kinds that are reflected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version without its group.
    pub version: &'static str,
    /// Kind as in `kind`.
    pub kind: &'static str,
    /// Name in paths of the API.
    pub plural: &'static str,
}

impl Resource {
    /// ConfigMaps.
    pub const CONFIG_MAP: Self = Self::core("ConfigMap", "configmaps");
    /// EndpointSlices.
    pub const ENDPOINT_SLICE: Self = Self::of("discovery.k8s.io", "EndpointSlice", "endpointslices");
    /// Ingresses.
    pub const INGRESS: Self = Self::of("networking.k8s.io", "Ingress", "ingresses");
    /// Nodes.
    pub const NODE: Self = Self::core("Node", "nodes");
    /// PersistentVolumeClaims.
    pub const PERSISTENT_VOLUME_CLAIM: Self = Self::core("PersistentVolumeClaim", "persistentvolumeclaims");
    /// Pods.
    pub const POD: Self = Self::core("Pod", "pods");
    /// Secrets.
    pub const SECRET: Self = Self::core("Secret", "secrets");
    /// Services.
    pub const SERVICE: Self = Self::core("Service", "services");
    /// ServiceAccounts.
    pub const SERVICE_ACCOUNT: Self = Self::core("ServiceAccount", "serviceaccounts");
    /// ShadowEndpointSlices.
    pub const SHADOW_ENDPOINT_SLICE: Self = Self::liqo("ShadowEndpointSlice", "shadowendpointslices");
    /// ShadowPods.
    pub const SHADOW_POD: Self = Self::liqo("ShadowPod", "shadowpods");

    const fn core(kind: &'static str, plural: &'static str) -> Self {
        Self::of("", kind, plural)
    }

    const fn of(group: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self { group, version: "v1", kind, plural }
    }

    const fn liqo(kind: &'static str, plural: &'static str) -> Self {
        Self { group: "virtualkubelet.liqo.io", version: "v1alpha1", kind, plural }
    }

    /// `group/version` as in `apiVersion`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

#[cfg(test)]
mod tests {
    use liqo_model::Kind;

    use super::*;

    #[test]
    fn resources_agree_with_the_kinds_of_the_log() {
        let both = [
            (Resource::CONFIG_MAP, Kind::ConfigMap),
            (Resource::NODE, Kind::Node),
            (Resource::POD, Kind::Pod),
            (Resource::SECRET, Kind::Secret),
            (Resource::SHADOW_POD, Kind::ShadowPod),
            (Resource::SHADOW_ENDPOINT_SLICE, Kind::ShadowEndpointSlice),
        ];
        for (resource, kind) in both {
            assert_eq!(resource.api_version(), kind.api_version());
            assert_eq!((resource.kind, resource.plural), (kind.as_str(), kind.plural()));
        }
    }
}
