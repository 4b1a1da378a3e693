//! What becomes of NamespaceOffloadings.

use serde_json::{Value, json};

use super::cluster::{Cluster, request};
use crate::answer::{Admission, Refusal};
use crate::webhook::Webhook;

fn offloading(mapping: &str, pods: &str) -> Value {
    json!({
        "apiVersion": "offloading.liqo.io/v1alpha1", "kind": "NamespaceOffloading",
        "metadata": {"name": "offloading", "namespace": "demo"},
        "spec": {
            "namespaceMappingStrategy": mapping, "podOffloadingStrategy": pods,
            "clusterSelector": {"nodeSelectorTerms": []},
        },
    })
}

async fn asked(name: Value, old: Option<Value>, new: Value) -> Result<Admission, Refusal> {
    let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
    let mut request = request(Webhook::NamespaceOffloading, operation, "demo");
    request["name"] = name;
    request["object"] = new;
    request["oldObject"] = old.unwrap_or_default();
    Cluster::new().asked(Webhook::NamespaceOffloading, request).await
}

#[tokio::test]
async fn a_namespace_has_one_of_a_fixed_name() {
    let new = || offloading("DefaultName", "LocalAndRemote");
    for name in [json!("offloading"), json!(null), json!("")] {
        assert_eq!(asked(name, None, new()).await, Ok(Admission::unchanged()));
    }
    let mut generated = new();
    generated["metadata"] = json!({"generateName": "offloading-"});
    for (name, object) in [(json!("other"), new()), (json!(null), generated)] {
        let refused = asked(name, None, object).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Forbidden(text) if text.contains("\"offloading\"")), "{refused}");
    }
    assert!(matches!(asked(json!(null), None, json!(3)).await, Err(Refusal::Forbidden(_))));
    let wrong = json!({"metadata": {"name": "offloading"}, "spec": {"podOffloadingStrategy": []}});
    assert!(matches!(asked(json!(null), None, wrong).await, Err(Refusal::Malformed(_))));
}

#[tokio::test]
async fn the_mapping_is_fixed_and_pods_that_exist_stay() {
    let both = || offloading("DefaultName", "LocalAndRemote");
    let remote = || offloading("DefaultName", "Remote");
    let without = json!({"metadata": {"name": "offloading"}, "spec": {}});
    for (old, new, warned) in [
        (both(), both(), false),
        (without.clone(), both(), false),
        (remote(), both(), false),
        (both(), remote(), true),
        (without, remote(), true),
        (remote(), offloading("DefaultName", "Local"), true),
    ] {
        let admission = asked(json!("offloading"), Some(old), new).await.unwrap();
        assert_eq!((admission.patch, admission.warning.is_some()), (vec![], warned));
    }
    let refused =
        asked(json!("offloading"), Some(both()), offloading("EnforceSameName", "LocalAndRemote")).await;
    let message = refused.unwrap_err().message();
    assert!(message.starts_with("spec.namespaceMappingStrategy cannot be changed"), "{message}");
}
