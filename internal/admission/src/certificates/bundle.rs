//! What a webhook configuration has to say about whom to trust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The JSON patch that lets every webhook of a configuration, Mutating or Validating, that is reached by a Service trust
/// this bundle, PEM; nothing when they do. It applies only to the version that it was made for.
#[must_use]
pub fn bundle_patch(configuration: &Value, bundle: &str) -> Option<Value> {
    let bundle = STANDARD.encode(bundle);
    let webhooks = configuration.get("webhooks").and_then(Value::as_array);
    let mut patch: Vec<Value> = Vec::new();
    for (place, webhook) in webhooks.into_iter().flatten().enumerate() {
        let is_served = webhook.pointer("/clientConfig/service").is_some_and(Value::is_object);
        let known = webhook.pointer("/clientConfig/caBundle").and_then(Value::as_str);
        if is_served && known != Some(bundle.as_str()) {
            let path = format!("/webhooks/{place}/clientConfig/caBundle");
            patch.push(json!({"op": "add", "path": path, "value": bundle}));
        }
    }
    if patch.is_empty() {
        return None;
    }
    let version = configuration.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
    patch.insert(0, json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}));
    Some(Value::Array(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(name: &str, bundle: Option<&str>) -> Value {
        let mut webhook = json!({
            "name": name,
            "clientConfig": {"service": {"name": "liqo-controller-manager", "namespace": "liqo", "port": 9443}},
        });
        if let Some(bundle) = bundle {
            webhook["clientConfig"]["caBundle"] = STANDARD.encode(bundle).into();
        }
        webhook
    }

    #[test]
    fn only_what_differs_is_written() {
        let elsewhere = json!({"name": "x", "clientConfig": {"url": "https://elsewhere.example"}});
        let mut configuration = json!({
            "metadata": {"name": "liqo-webhook", "resourceVersion": "3460"},
            "webhooks": [webhook("a", Some("new")), webhook("b", Some("old")), webhook("c", None), elsewhere],
        });
        let patch = bundle_patch(&configuration, "new").unwrap();
        let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
        json_patch::patch(&mut configuration, &patch).unwrap();
        let expected = STANDARD.encode("new");
        for place in 0..3 {
            assert_eq!(configuration["webhooks"][place]["clientConfig"]["caBundle"], expected.as_str());
        }
        assert_eq!(configuration["webhooks"][3]["clientConfig"], json!({"url": "https://elsewhere.example"}));
        assert_eq!(bundle_patch(&configuration, "new"), None);
    }

    #[test]
    fn a_patch_is_for_one_version_alone() {
        let configuration = |version: &str| json!({"metadata": {"resourceVersion": version}, "webhooks": [webhook("a", None)]});
        let patch: json_patch::Patch =
            serde_json::from_value(bundle_patch(&configuration("1"), "new").unwrap()).unwrap();
        assert!(json_patch::patch(&mut configuration("2"), &patch).is_err());
        assert_eq!(bundle_patch(&json!({}), "new"), None);
    }
}
