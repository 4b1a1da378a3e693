//! The definitions demand what those of Liqo 0.8.3 demand, no more and no less.
//!
//! The spec of a pod is that of another version of Kubernetes, so it has rules of its own: what Liqo 0.8.3 accepts is
//! accepted, and nothing is dropped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::facts::{Facts, KEEPS_UNKNOWN};

/// Parts of a pod that later versions of Kubernetes do not have any more. The objects that they are in keep them.
const GONE: &[&str] = &[
    // Claims name their source directly since Kubernetes 1.31.
    ".spec.pod.resourceClaims[].source",
    // Volume claims never had devices; their type got rid of them in Kubernetes 1.29.
    ".spec.pod.volumes[].ephemeral.volumeClaimTemplate.spec.resources.claims",
];

type Nodes = BTreeMap<String, String>;

/// The definitions of Liqo 0.8.3, by name. Source: what its clusters serve.
fn recorded() -> BTreeMap<String, Facts> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/definitions");
    let paths = fs::read_dir(directory).expect("the fixtures").map(|entry| entry.expect("an entry").path());
    let facts = |path: &Path| Facts::read(&fs::read_to_string(path).expect("a fixture"));
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    paths.map(|path| (name(&path), facts(&path))).collect()
}

/// The definitions of this crate, by name.
fn ours() -> BTreeMap<String, Facts> {
    let crds = liqo_api::crd::crds().expect("definitions");
    let values = crds.iter().map(|crd| serde_json::to_value(crd).expect("JSON"));
    let name = |value: &serde_json::Value| value["metadata"]["name"].as_str().expect("a name").to_owned();
    values.map(|value| (name(&value), Facts::of(&value))).collect()
}

/// Takes the spec of a pod out of the facts.
fn take_pod(facts: &mut Facts) -> Nodes {
    let is_pod = |path: &str| path == ".spec.pod" || path.starts_with(".spec.pod.");
    let (pod, rest) = std::mem::take(&mut facts.nodes).into_iter().partition(|(path, _)| is_pod(path));
    facts.nodes = rest;
    pod
}

/// The spec of a pod as Liqo 0.8.3 and as this crate define it.
fn pods() -> (Nodes, Nodes) {
    let of = |mut definitions: BTreeMap<String, Facts>| {
        let facts = definitions.get_mut("shadowpods.virtualkubelet.liqo.io").expect("the definition");
        take_pod(facts)
    };
    (of(recorded()), of(ours()))
}

/// The path of the node that a node is in.
fn parent(path: &str) -> &str {
    let end = ["[]", "{}"].iter().find_map(|mark| path.strip_suffix(mark));
    end.unwrap_or_else(|| path.rsplit_once('.').map_or("", |(parent, _)| parent))
}

#[test]
fn definitions_are_those_of_liqo_0_8_3() {
    let (mut recorded, mut ours) = (recorded(), ours());
    for facts in recorded.values_mut().chain(ours.values_mut()) {
        take_pod(facts);
    }
    assert_eq!(ours.keys().collect::<Vec<_>>(), recorded.keys().collect::<Vec<_>>());
    for (name, recorded) in &recorded {
        let (ours, recorded) = (ours[name].lines(), recorded.lines());
        let extra: Vec<_> = ours.difference(&recorded).collect();
        let missing: Vec<_> = recorded.difference(&ours).collect();
        assert!(extra.is_empty() && missing.is_empty(), "{name}: extra {extra:#?}, missing {missing:#?}");
    }
}

#[test]
fn pods_that_liqo_0_8_3_accepts_are_accepted() {
    let (recorded, ours) = pods();
    let without_mark = |text: &str| text.replace(&format!(" {KEEPS_UNKNOWN}"), "");
    let differences: Vec<_> = recorded
        .iter()
        .map(|(path, theirs)| (path, theirs, ours.get(path).map(|found| without_mark(found))))
        .filter(|(_, theirs, found)| found.as_ref() != Some(theirs))
        .filter(|(path, ..)| !GONE.iter().any(|gone| path.starts_with(gone)))
        .collect();
    assert_eq!(differences, []);
    let demanded = |(path, text): &(&String, &String)| {
        text.contains(" required") && !recorded.contains_key(*path) && recorded.contains_key(parent(path))
    };
    assert_eq!(ours.iter().filter(demanded).collect::<Vec<_>>(), []);
    for gone in GONE {
        assert!(recorded.contains_key(*gone) && !ours.contains_key(*gone), "{gone} is no exception any more");
        assert!(ours[parent(gone)].contains(KEEPS_UNKNOWN), "{gone}");
    }
}

#[test]
fn no_object_in_a_pod_loses_fields_of_other_versions_of_kubernetes() {
    let (_, ours) = pods();
    for (path, text) in ours.iter().filter(|(_, text)| text.starts_with("object")) {
        let is_map = ours.contains_key(&format!("{path}{{}}"));
        assert_ne!(text.contains(KEEPS_UNKNOWN), is_map, "{path}: {text}");
    }
}
