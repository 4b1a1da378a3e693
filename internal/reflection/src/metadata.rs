//! Metadata of a forged object: what is copied from another object and what we add.

use std::collections::BTreeMap;

use liqo_api::annotations::{HOME_UID, SKIP_REFLECTION};
use serde_json::{Map, Value, json};

use crate::names::REFLECTED_KEYS;
use crate::record::Record;
use crate::{Context, Forged, Why, fields, labels};

/// Metadata in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Labels that are copied; those of [`Metadata::own_labels`] win.
    pub(crate) labels: BTreeMap<String, String>,
    /// Annotations that are copied; those of [`Metadata::own_annotations`] win.
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) own_labels: BTreeMap<String, String>,
    pub(crate) own_annotations: BTreeMap<String, String>,
    pub(crate) owner: Option<Value>,
}

impl Metadata {
    /// That of a remote object which stands for an object at home.
    pub(crate) fn reflected(home: &Value, context: &Context<'_>) -> Self {
        let mut metadata = Self::copied(home);
        metadata.namespace = context.remote_namespace.to_string();
        let own = labels::reflection(&context.home.id, &context.remote.id);
        metadata.own_labels.extend(own.map(|(key, id)| (key.to_owned(), id)));
        let uid = fields::text(home, "/metadata/uid");
        if !uid.is_empty() {
            metadata.own_annotations.insert(HOME_UID.to_owned(), uid.to_owned());
        }
        metadata
    }

    /// Name, namespace, labels and annotations of an object.
    pub(crate) fn copied(object: &Value) -> Self {
        let mut annotations = fields::texts(object, "/metadata/annotations");
        // The object may itself be reflected from a third cluster; these two are about it, not about its copy.
        annotations.remove(REFLECTED_KEYS);
        Self {
            name: fields::text(object, "/metadata/name").to_owned(),
            namespace: fields::text(object, "/metadata/namespace").to_owned(),
            labels: fields::texts(object, "/metadata/labels"),
            annotations,
            ..Self::default()
        }
    }

    /// Adds a label that wins over a copied one.
    pub(crate) fn with_label(mut self, key: &str, value: impl Into<String>) -> Self {
        self.own_labels.insert(key.to_owned(), value.into());
        self
    }

    /// Makes the object belong to another one, which controls it.
    pub(crate) fn owned_by(mut self, owner: &Value) -> Self {
        let of = |pointer| fields::text(owner, pointer);
        self.owner = Some(json!({
            "apiVersion": of("/apiVersion"), "kind": of("/kind"), "name": of("/metadata/name"),
            "uid": of("/metadata/uid"), "controller": true, "blockOwnerDeletion": true,
        }));
        self
    }

    pub(crate) fn into_value(mut self) -> Value {
        self.labels.retain(|key, _| !self.own_labels.contains_key(key));
        self.annotations.retain(|key, _| !self.own_annotations.contains_key(key));
        let record = Record {
            labels: self.labels.keys().cloned().collect(),
            annotations: self.annotations.keys().cloned().collect(),
        };
        self.own_annotations.extend(record.text().map(|text| (REFLECTED_KEYS.to_owned(), text)));
        self.labels.append(&mut self.own_labels);
        self.annotations.append(&mut self.own_annotations);
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), self.name.into());
        if !self.namespace.is_empty() {
            metadata.insert("namespace".to_owned(), self.namespace.into());
        }
        metadata.insert("labels".to_owned(), json!(self.labels));
        metadata.insert("annotations".to_owned(), json!(self.annotations));
        metadata.extend(self.owner.map(|owner| ("ownerReferences".to_owned(), json!([owner]))));
        metadata.into()
    }
}

/// What is decided before the content of an object is looked at, the same for all kinds that honour the annotation.
pub(crate) fn gate(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Option<Forged> {
    if existing.is_some_and(|existing| !labels::is_ours(existing, context)) {
        return Some(Forged::Skip(Why::NotOurs));
    }
    fields::annotation(home, SKIP_REFLECTION).map(|_| Forged::Absent(Why::SkipAnnotation))
}

/// Whether the remote object says that it stands for another life of the home object. One without the annotation,
/// which a cluster of another version made, stands for whatever has its name.
pub(crate) fn is_of_other_life(remote: &Value, home: &Value) -> bool {
    let uid = fields::text(home, "/metadata/uid");
    fields::annotation(remote, HOME_UID).is_some_and(|stands_for| stands_for != uid)
}
