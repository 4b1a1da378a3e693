//! What Go leaves out, writes as null, or spells in its own way is read; what other versions add does no harm.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn is_refused<T: DeserializeOwned>(value: Value) -> bool {
    serde_json::from_value::<T>(value).is_err()
}

#[test]
fn all_clusters_are_meant_by_terms_that_are_empty_null_or_missing() {
    let expected = NamespaceOffloadingSpec::default();
    for spec in [
        json!({}),
        json!({"clusterSelector": null}),
        json!({"clusterSelector": {}}),
        json!({"clusterSelector": {"nodeSelectorTerms": null}}),
        json!({"clusterSelector": {"nodeSelectorTerms": []}}),
    ] {
        assert_eq!(read::<NamespaceOffloadingSpec>(spec.clone()), expected, "{spec}");
    }
}

#[test]
fn a_selector_of_all_clusters_is_written_so_that_go_can_handle_it() {
    let written = serde_json::to_value(NamespaceOffloadingSpec::default()).unwrap();
    let expected = json!({
        "namespaceMappingStrategy": "DefaultName",
        "podOffloadingStrategy": "LocalAndRemote",
        "clusterSelector": {"nodeSelectorTerms": []},
    });
    assert_eq!(written, expected);
}

#[test]
fn a_peer_is_read_without_what_the_schema_does_not_require() {
    let url = "https://192.0.2.20:31443";
    let expected = ForeignClusterSpec {
        foreign_auth_url: url.to_owned(),
        insecure_skip_tls_verify: true,
        ..ForeignClusterSpec::default()
    };
    assert_eq!(read::<ForeignClusterSpec>(json!({"foreignAuthUrl": url})), expected);
    let nulls = json!({"foreignAuthUrl": url, "clusterIdentity": null, "peeringType": null, "ttl": null});
    assert_eq!(read::<ForeignClusterSpec>(nulls), expected);
    assert!(is_refused::<ForeignClusterSpec>(json!({})));
    assert_eq!(read::<ForeignClusterStatus>(json!({})), ForeignClusterStatus::default());
}

#[test]
fn zero_times_of_go_are_no_times() {
    let condition = json!({"type": "NetworkStatus", "status": "Pending", "lastTransitionTime": null});
    let expected = PeeringCondition {
        condition_type: PeeringConditionType::NetworkStatus,
        status: PeeringConditionStatus::Pending,
        last_transition_time: None,
        reason: String::new(),
        message: String::new(),
    };
    assert_eq!(read::<PeeringCondition>(condition), expected);
    assert_eq!(read::<ConnectionLatency>(json!({"timestamp": null})), ConnectionLatency::default());
    let connection = json!({"connection": {"latency": {"timestamp": null}}});
    assert_eq!(read::<TunnelEndpointStatus>(connection), TunnelEndpointStatus::default());
}

#[test]
fn nil_lists_and_maps_of_go_are_empty() {
    let storage = json!({
        "prefixes": null, "pools": null, "reservedSubnets": null, "clusterSubnets": null,
        "endpointMappings": null, "natMappingsConfigured": null,
        "externalCIDR": "", "podCIDR": "", "serviceCIDR": "",
    });
    assert_eq!(read::<IpamStorageSpec>(storage), IpamStorageSpec::default());
    let template = json!({"template": {"endpoints": null, "ports": null}});
    assert_eq!(read::<ShadowEndpointSliceSpec>(template), ShadowEndpointSliceSpec::default());
    let offer = json!({"clusterId": "x", "resourceQuota": {"hard": null}, "labels": null, "images": null});
    let expected = ResourceOfferSpec { cluster_id: "x".to_owned(), ..ResourceOfferSpec::default() };
    assert_eq!(read::<ResourceOfferSpec>(offer), expected);
}

#[test]
fn defaults_of_the_schema_hold_for_objects_that_are_older() {
    assert_eq!(read::<ResourceOfferStatus>(json!({})), ResourceOfferStatus::default());
    assert_eq!(read::<ResourceRequestStatus>(json!({})).offer_state, OfferState::None);
    assert_eq!(read::<ShadowPodStatus>(json!({})).phase, ShadowPodPhase::Unknown);
    assert_eq!(read::<EndpointPort>(json!({"port": 80})).protocol, "TCP");
    assert!(!read::<NetworkConfigStatus>(json!({})).processed);
}

#[test]
fn values_of_other_versions_do_not_hide_the_object() {
    let spec = json!({"foreignAuthUrl": "https://a.b", "peeringType": "Sideways", "incomingPeeringEnabled": "Maybe"});
    let spec: ForeignClusterSpec = read(spec);
    assert_eq!(spec.peering_type, PeeringType::Unrecognised);
    assert_eq!(spec.incoming_peering_enabled, PeeringEnabled::Unrecognised);
    let status: ResourceOfferStatus = read(json!({"phase": "Haggling", "virtualKubeletStatus": ""}));
    assert_eq!(status.phase, OfferPhase::Unrecognised);
    assert_eq!(status.virtual_kubelet_status, VirtualKubeletStatus::Unrecognised);
    assert_eq!(read::<ShadowPodStatus>(json!({"phase": "Paused"})).phase, ShadowPodPhase::Unknown);
    let requirement = json!({"key": "a", "operator": "Near", "values": ["b"]});
    assert_eq!(read::<NodeSelectorRequirement>(requirement).operator, NodeSelectorOperator::Unrecognised);
}

#[test]
fn an_unrecognised_value_is_never_written() {
    assert!(serde_json::to_value(PeeringType::Unrecognised).is_err());
    let spec =
        ForeignClusterSpec { peering_type: PeeringType::Unrecognised, ..ForeignClusterSpec::default() };
    assert!(serde_json::to_value(spec).is_err());
}

#[test]
fn unknown_fields_do_no_harm() {
    let spec: NamespaceMapSpec = read(json!({"desiredMapping": {"a": "b"}, "new": {"x": [1]}}));
    assert_eq!(spec.desired_mapping, [("a".to_owned(), "b".to_owned())].into());
}

#[test]
fn quantities_are_read_as_numbers_too() {
    let quota: ResourceQuotaSpec = read(json!({"hard": {"cpu": 2, "memory": "1Gi", "pods": 1.5}}));
    let texts: Vec<_> = quota.hard.values().map(Quantity::as_str).collect();
    assert_eq!(texts, ["2", "1Gi", "1.5"]);
    assert!(is_refused::<Quantity>(json!(true)));
    assert!(is_refused::<Quantity>(json!(null)));
}

#[test]
fn a_network_is_remapped_or_not() {
    let cidr = |value| read::<RemappedCidr>(value).cidr().map(str::to_owned);
    assert_eq!(cidr(json!("10.92.0.0/16")), Some("10.92.0.0/16".to_owned()));
    assert_eq!(cidr(json!("None")), None);
    assert_eq!(cidr(json!("")), None);
    assert_eq!(serde_json::to_value(RemappedCidr::default()).unwrap(), json!("None"));
    let status: NetworkConfigStatus = read(json!({"processed": true, "podCIDRNAT": "None"}));
    assert_eq!(status.pod_cidr_nat, Some(RemappedCidr::new(None)));
    assert_eq!(status.external_cidr_nat, None);
}

#[test]
fn what_an_object_cannot_do_without_is_demanded() {
    let identity = json!({"clusterID": "x", "clusterName": "y"});
    assert!(is_refused::<ResourceRequestSpec>(json!({"clusterIdentity": identity})));
    assert!(is_refused::<ClusterIdentity>(json!({"clusterID": "x"})));
    assert!(is_refused::<NetworkConfigSpec>(json!({"cluster": identity, "podCIDR": "10.0.0.0/8"})));
    assert!(is_refused::<PeeringCondition>(json!({"status": "None"})));
}
