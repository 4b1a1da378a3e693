//! An object of ours exists and says what it shall.

use liqo_events::Content;
use liqo_model::ObjectKey;
use serde_json::{Map, Value, json};

use super::content::{self, Rendered};
use super::settings::VirtualKubeletSettings;
use super::step::Step;
use super::{merge, owner};

pub(super) fn step(
    key: &ObjectKey,
    content: &Content,
    settings: &VirtualKubeletSettings,
    object: Option<&Value>,
) -> Step {
    if let Content::VirtualNode { .. } = content {
        return content::node(key, content, object);
    }
    match content::render(key, content, settings, object) {
        Err(step) => step,
        Ok(rendered) => match object {
            None => Step::Create(whole(key, rendered)),
            Some(object) if object["metadata"]["deletionTimestamp"].is_string() => {
                Step::Later(format!("{key} is being deleted"))
            }
            Some(object) => changed(&rendered, object),
        },
    }
}

fn whole(key: &ObjectKey, rendered: Rendered) -> Value {
    let Rendered { labels, annotations, owner, fields } = rendered;
    let mut metadata = json!({"name": key.name, "labels": labels});
    if !key.namespace.is_empty() {
        metadata["namespace"] = json!(key.namespace);
    }
    if !annotations.is_empty() {
        metadata["annotations"] = json!(annotations);
    }
    let owner = owner.filter(|(_, owner)| !owner.name.is_empty());
    if let Some((kind, owner)) = owner {
        metadata["ownerReferences"] = json!([owner::reference(kind, &owner)]);
    }
    let mut object = fields;
    object.insert("apiVersion".to_owned(), json!(key.kind.api_version()));
    object.insert("kind".to_owned(), json!(key.kind.as_str()));
    object.insert("metadata".to_owned(), metadata);
    object.into()
}

/// Labels, annotations and owners of others stay; a field of ours is ours whole.
fn changed(rendered: &Rendered, object: &Value) -> Step {
    let mut metadata = Map::new();
    for (name, marks) in [("labels", &rendered.labels), ("annotations", &rendered.annotations)] {
        if !marks.is_empty() {
            metadata.insert(name.to_owned(), json!(marks));
        }
    }
    let known = &object["metadata"]["ownerReferences"];
    let owners = rendered.owner.as_ref().and_then(|(kind, owner)| owner::with(known, *kind, owner));
    metadata.extend(owners.map(|owners| ("ownerReferences".to_owned(), owners)));
    let mut patch = Map::new();
    if !metadata.is_empty() {
        patch.insert("metadata".to_owned(), metadata.into());
    }
    for (name, wanted) in &rendered.fields {
        let change = merge::replacing(&object[name], wanted);
        patch.extend(change.map(|change| (name.clone(), change)));
    }
    Step::Patch(patch.into())
}
