//! Tests of the registry.

use std::collections::BTreeSet;

use super::*;

#[test]
fn names_flags_and_workers_are_those_of_version_0_8_3() {
    let known = [
        ("Pod", "pod-reflection-workers", 10, true),
        ("Service", "service-reflection-workers", 3, true),
        ("EndpointSlice", "endpointslice-reflection-workers", 10, true),
        ("Ingress", "ingress-reflection-workers", 3, false),
        ("ConfigMap", "configmap-reflection-workers", 3, true),
        ("Secret", "secret-reflection-workers", 3, true),
        ("ServiceAccount", "service-account-reflection-workers", 3, false),
        ("PersistentVolumeClaim", "persistentvolumeclaim-reflection-workers", 3, false),
    ];
    let ours: Vec<_> = REFLECTORS
        .iter()
        .map(|reflector| {
            (reflector.name, reflector.workers_flag(), reflector.workers, reflector.is_reflected())
        })
        .collect();
    let known: Vec<_> =
        known.map(|(name, flag, workers, ready)| (name, flag.to_owned(), workers, ready)).into();
    assert_eq!(ours, known);
    assert_eq!(reflector("ConfigMap").unwrap().event_source(), "liqo-configmap-reflection");
    assert!(reflector("Event").is_none());
}

#[test]
fn the_skip_annotation_counts_for_all_but_pods_tokens_and_claims() {
    let ignoring = REFLECTORS.iter().filter(|reflector| !reflector.honours_skip);
    let names: Vec<_> = ignoring.map(|reflector| reflector.name).collect();
    assert_eq!(names, ["Pod", "ServiceAccount", "PersistentVolumeClaim"]);
}

#[test]
fn remote_access_is_what_version_0_8_3_grants_for_reflection() {
    let all = REFLECTORS.iter().flat_map(|reflector| reflector.remote_access);
    let resources: BTreeSet<_> =
        all.map(|access| (access.group, access.resource, access.verbs.len())).collect();
    let granted = [
        ("", "configmaps", 7),
        ("", "persistentvolumeclaims", 7),
        ("", "pods", 3),
        ("", "secrets", 7),
        ("", "services", 7),
        ("networking.k8s.io", "ingresses", 7),
        ("virtualkubelet.liqo.io", "shadowendpointslices", 7),
        ("virtualkubelet.liqo.io", "shadowpods", 7),
    ];
    assert_eq!(resources, BTreeSet::from(granted));
}

#[test]
fn home_access_changes_pods_and_volumes_only() {
    let writes = |access: &&Access| access.verbs.iter().any(|verb| !["get", "list", "watch"].contains(verb));
    let all = REFLECTORS.iter().flat_map(|reflector| reflector.home_access);
    let written: BTreeSet<_> = all.filter(writes).map(|access| access.resource).collect();
    let expected =
        ["persistentvolumeclaims", "persistentvolumes", "pods", "pods/status", "serviceaccounts/token"];
    assert_eq!(written, BTreeSet::from(expected));
}
