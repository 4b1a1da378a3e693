//! Single labels.

use liqo_api::labels;
use liqo_model::ClusterId;
use serde_json::{Value, json};

use super::step::Step;

/// A ForeignCluster carries its cluster ID.
pub(super) fn cluster_id(id: &ClusterId) -> Step {
    label(labels::CLUSTER_ID, json!(id.as_str()))
}

/// A namespace's pods go through the webhook, or do no more.
pub(super) fn scheduling(enabled: bool) -> Step {
    label(labels::SCHEDULING_ENABLED, if enabled { json!(labels::TRUE) } else { Value::Null })
}

fn label(key: &str, value: Value) -> Step {
    Step::Patch(json!({"metadata": {"labels": {key: value}}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_set_or_taken_away() {
        let patch = |key: &str, value| Step::Patch(json!({"metadata": {"labels": {key: value}}}));
        assert_eq!(cluster_id(&"id-1".into()), patch("discovery.liqo.io/cluster-id", json!("id-1")));
        assert_eq!(scheduling(true), patch("liqo.io/scheduling-enabled", json!("true")));
        assert_eq!(scheduling(false), patch("liqo.io/scheduling-enabled", Value::Null));
    }
}
