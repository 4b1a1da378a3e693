//! Reflection labels: which cluster an object comes from and which one it is meant for, and so whose it is.

use liqo_api::labels::{DESTINATION, ORIGIN};
use liqo_model::ClusterId;
use serde_json::Value;

use crate::Context;
use crate::fields;
use crate::names::{ENDPOINT_SLICE_MANAGED_BY, ENDPOINT_SLICE_REFLECTION};

/// The labels that every reflected object carries.
#[must_use]
pub fn reflection(home: &ClusterId, remote: &ClusterId) -> [(&'static str, String); 2] {
    [(ORIGIN, home.to_string()), (DESTINATION, remote.to_string())]
}

/// The selector of everything that one cluster reflects to another one.
#[must_use]
pub fn selector(home: &ClusterId, remote: &ClusterId) -> String {
    format!("{DESTINATION}={remote},{ORIGIN}={home}")
}

/// Whether the object says that it was reflected from one cluster to the other. Both labels have to be right.
#[must_use]
pub fn is_reflected(object: &Value, home: &ClusterId, remote: &ClusterId) -> bool {
    let carries = |key: &str, id: &ClusterId| fields::label(object, key) == Some(id.as_str());
    !home.is_empty() && !remote.is_empty() && carries(ORIGIN, home) && carries(DESTINATION, remote)
}

/// Whether the remote object is one that this home cluster made there.
#[must_use]
pub fn is_ours(remote: &Value, context: &Context<'_>) -> bool {
    is_reflected(remote, &context.home.id, &context.remote.id)
}

/// Whether the slice is a reflected one. The labels alone do not tell: Kubernetes copies those of a reflected Service
/// to the slices that it makes for it.
#[must_use]
pub fn is_reflected_slice(slice: &Value, home: &ClusterId, remote: &ClusterId) -> bool {
    let managed_by = fields::label(slice, ENDPOINT_SLICE_MANAGED_BY);
    managed_by == Some(ENDPOINT_SLICE_REFLECTION) && is_reflected(slice, home, remote)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_ours_when_both_labels_are_right() {
        let (home, remote) = (ClusterId::from("h"), ClusterId::from("r"));
        let cases = [
            (json!({(ORIGIN): "h", (DESTINATION): "r"}), true),
            (json!({(ORIGIN): "h", (DESTINATION): "x"}), false),
            (json!({(ORIGIN): "x", (DESTINATION): "r"}), false),
            (json!({(ORIGIN): "r", (DESTINATION): "h"}), false),
            (json!({(ORIGIN): "h"}), false),
            (json!({(ORIGIN): 1, (DESTINATION): "r"}), false),
            (json!({}), false),
            (json!(null), false),
        ];
        for (labels, expected) in cases {
            let object = json!({"metadata": {"labels": labels}});
            assert_eq!(is_reflected(&object, &home, &remote), expected, "{object}");
        }
        let unknown = json!({"metadata": {"labels": {(ORIGIN): "", (DESTINATION): ""}}});
        assert!(!is_reflected(&unknown, &"".into(), &"".into()));
        assert_eq!(selector(&home, &remote), format!("{DESTINATION}=r,{ORIGIN}=h"));
    }

    #[test]
    fn a_slice_of_a_reflected_service_is_not_a_reflected_slice() {
        let (home, remote) = (ClusterId::from("h"), ClusterId::from("r"));
        let slice = |managed_by: &str| json!({"metadata": {"labels": {(ORIGIN): "h", (DESTINATION): "r", (ENDPOINT_SLICE_MANAGED_BY): managed_by}}});
        assert!(is_reflected_slice(&slice(ENDPOINT_SLICE_REFLECTION), &home, &remote));
        assert!(!is_reflected_slice(&slice("endpointslice-controller.k8s.io"), &home, &remote));
    }
}
