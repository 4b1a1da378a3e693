//! The table of kinds: objects by API group, and how each is described.

pub(crate) mod discovery;
pub(crate) mod net;
pub(crate) mod offloading;
pub(crate) mod sharing;
pub(crate) mod virtualkubelet;

use kube::core::ApiResource;
use liqo_model::Kind;

use crate::KindDescription;

/// The category that shows all kinds which users care about: `kubectl get liqo`.
const LIQO: &[&str] = &["liqo"];

/// The descriptions of all kinds of Liqo.
pub const KINDS: &[KindDescription] = &[
    discovery::FOREIGN_CLUSTER,
    discovery::RESOURCE_REQUEST,
    net::IPAM_STORAGE,
    net::NAT_MAPPING,
    net::NETWORK_CONFIG,
    net::TUNNEL_ENDPOINT,
    offloading::NAMESPACE_OFFLOADING,
    sharing::RESOURCE_OFFER,
    virtualkubelet::NAMESPACE_MAP,
    virtualkubelet::SHADOW_ENDPOINT_SLICE,
    virtualkubelet::SHADOW_POD,
];

/// A type of objects that has a description.
pub trait Described {
    /// The description of the type's kind.
    const DESCRIPTION: KindDescription;
}

/// The description of a kind; none when the kind is one of Kubernetes.
#[must_use]
pub fn description(kind: Kind) -> Option<&'static KindDescription> {
    KINDS.iter().find(|described| described.kind == kind)
}

/// What clients need to know of a kind, be it one of Liqo or of Kubernetes.
#[must_use]
pub fn api_resource(kind: Kind) -> ApiResource {
    ApiResource {
        group: kind.group().to_owned(),
        version: kind.version().to_owned(),
        api_version: kind.api_version(),
        kind: kind.as_str().to_owned(),
        plural: kind.plural().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_name_and_those_of_kubernetes_have_no_description() {
        for described in KINDS {
            let found = description(described.kind).map(|found| found.kind);
            assert_eq!(found, Some(described.kind));
        }
        assert!(description(Kind::Pod).is_none());
    }

    #[test]
    fn every_kind_of_liqo_is_in_the_table_once() {
        let mut in_table: Vec<_> = KINDS.iter().map(|described| described.kind).collect();
        in_table.sort_unstable();
        let of_liqo: Vec<_> =
            Kind::ALL.iter().copied().filter(|kind| kind.group().ends_with(".liqo.io")).collect();
        assert_eq!(in_table, of_liqo);
    }

    #[test]
    fn a_client_finds_kinds_of_liqo_and_of_kubernetes() {
        let expected = ApiResource {
            group: "net.liqo.io".to_owned(),
            version: "v1alpha1".to_owned(),
            api_version: "net.liqo.io/v1alpha1".to_owned(),
            kind: "TunnelEndpoint".to_owned(),
            plural: "tunnelendpoints".to_owned(),
        };
        assert_eq!(crate::TunnelEndpoint::DESCRIPTION.api_resource(), expected);
        assert_eq!(api_resource(Kind::Pod).api_version, "v1");
    }
}
