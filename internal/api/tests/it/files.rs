//! The files in `deploy/crds`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

#[test]
fn deploy_crds_holds_the_definitions_of_the_model() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    let entries = fs::read_dir(directory).expect("run make generate");
    let found: BTreeMap<_, _> = entries
        .map(|entry| entry.expect("an entry"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .map(|(name, path)| (name, fs::read_to_string(path).expect("a text")))
        .collect();
    let expected = liqo_api::crd::files().expect("definitions");
    let differ = |name: &&String| found.get(*name) != expected.get(*name);
    let differing: Vec<_> = expected.keys().chain(found.keys()).filter(differ).collect();
    assert!(differing.is_empty(), "run make generate: the types and deploy/crds differ in {differing:?}");
}

#[test]
fn files_say_what_the_definitions_say() {
    let read =
        |text: &String| serde_saphyr::from_str::<CustomResourceDefinition>(text).expect("a definition");
    let files = liqo_api::crd::files().expect("files");
    let mut written: Vec<_> = files.values().map(read).collect();
    let mut expected = liqo_api::crd::crds().expect("definitions");
    for list in [&mut written, &mut expected] {
        list.sort_by_key(|crd| crd.metadata.name.clone());
    }
    assert_eq!(written, expected);
}

/// `kubectl` and helm read `No` without quotes as a boolean.
#[test]
fn words_that_older_yaml_takes_for_booleans_are_quoted() {
    let files = liqo_api::crd::files().expect("files");
    let text = &files["foreignclusters.discovery.liqo.io.yaml"];
    for (word, quoted) in [("- No\n", "- \"No\"\n"), ("- Yes\n", "- \"Yes\"\n")] {
        assert_eq!((text.matches(word).count(), text.matches(quoted).count()), (0, 2), "{quoted}");
    }
}
