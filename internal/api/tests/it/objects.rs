//! Objects as Liqo 0.8.3 writes them are read without loss, and what is written is what was read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use liqo_api::{
    Described, ForeignCluster, IpamStorage, KINDS, NamespaceMap, NamespaceOffloading, NatMapping,
    NetworkConfig, ResourceOffer, ResourceRequest, ShadowEndpointSlice, ShadowPod, TunnelEndpoint,
};
use liqo_model::crd::{PeeringConditionStatus, PeeringConditionType};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn fixture(singular: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/objects/{singular}.yaml"));
    serde_saphyr::from_str(&fs::read_to_string(path).expect("a fixture")).expect("YAML")
}

fn read<T: Described + DeserializeOwned>() -> T {
    serde_json::from_value(fixture(T::DESCRIPTION.singular)).expect("an object")
}

/// Reads and writes the fixture of a kind, and gives the kind's name.
fn there_and_back<T: Described + DeserializeOwned + Serialize>() -> &'static str {
    let description = T::DESCRIPTION;
    let expected = fixture(description.singular);
    let resource = description.api_resource();
    assert_eq!(expected["apiVersion"], json!(resource.api_version));
    assert_eq!(expected["kind"], json!(resource.kind));
    assert_eq!(serde_json::to_value(read::<T>()).expect("JSON"), expected);
    description.kind.as_str()
}

#[test]
fn objects_of_every_kind_are_read_and_written_without_loss() {
    let kinds = BTreeSet::from([
        there_and_back::<ForeignCluster>(),
        there_and_back::<IpamStorage>(),
        there_and_back::<NamespaceMap>(),
        there_and_back::<NamespaceOffloading>(),
        there_and_back::<NatMapping>(),
        there_and_back::<NetworkConfig>(),
        there_and_back::<ResourceOffer>(),
        there_and_back::<ResourceRequest>(),
        there_and_back::<ShadowEndpointSlice>(),
        there_and_back::<ShadowPod>(),
        there_and_back::<TunnelEndpoint>(),
    ]);
    assert_eq!(kinds, KINDS.iter().map(|described| described.kind.as_str()).collect());
}

#[test]
fn conditions_of_a_peering_are_found_by_type() {
    let status = read::<ForeignCluster>().status.expect("a status");
    for (part, expected) in [
        (PeeringConditionType::NetworkStatus, PeeringConditionStatus::Established),
        (PeeringConditionType::ApiServerStatus, PeeringConditionStatus::Error),
        (PeeringConditionType::OutgoingPeering, PeeringConditionStatus::None),
    ] {
        assert_eq!(status.condition_status(part), expected, "{part:?}");
    }
}

#[test]
fn a_shadow_pod_shows_nothing_of_its_pod_in_a_log() {
    let text = format!("{:?}", read::<ShadowPod>());
    assert!(text.contains("web-0"), "{text}");
    assert!(!text.contains("GREETING") && !text.contains("hello"), "{text}");
}
