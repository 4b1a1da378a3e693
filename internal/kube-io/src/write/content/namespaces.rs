//! Maps of namespaces, and the namespaces that extend those of a consumer.

use liqo_api::{annotations, labels};
use liqo_events::OwnedBy;
use liqo_model::{ClusterId, Kind, NamespaceName, ObjectKey};
use serde_json::{Value, json};

use super::peering::replicated;
use super::{Rendered, Rendering};
use crate::write::step::Step;

/// Its mappings are written one by one, so they are not part of this.
pub(super) fn map(remote: &ClusterId, owner: &OwnedBy, object: Option<&Value>) -> Rendered {
    let mut rendered = replicated(remote).owned_by(Kind::Node, owner);
    rendered.labels.insert(labels::REMOTE_CLUSTER_ID.to_owned(), remote.to_string());
    if object.is_none() { rendered.with("spec", json!({})) } else { rendered }
}

/// Never taken from somebody else: whoever may write in it could read what is there.
pub(super) fn remote(
    key: &ObjectKey,
    (origin, map): (&ClusterId, &str),
    original: &NamespaceName,
    object: Option<&Value>,
) -> Rendering {
    if let Some(object) = object {
        let metadata = &object["metadata"];
        let known = metadata["labels"][labels::REMOTE_CLUSTER_ID].as_str();
        let managed = metadata["annotations"][annotations::MANAGED_BY_NAMESPACE_MAP].as_str();
        if known != Some(origin.as_str()) || managed != Some(map) {
            return Err(Step::Park(format!(
                "{key} exists and does not extend a namespace of {origin}; delete it or choose another name"
            )));
        }
    }
    let mut rendered = Rendered::labelled([(labels::REMOTE_CLUSTER_ID, origin.as_str())]);
    rendered.annotations = [
        (annotations::MANAGED_BY_NAMESPACE_MAP.to_owned(), map.to_owned()),
        (annotations::ORIGINAL_NAME.to_owned(), original.to_string()),
    ]
    .into();
    Ok(rendered)
}
