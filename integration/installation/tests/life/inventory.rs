//! Everything that is in a cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::user::{User, text};

/// Kinds of which the objects come and go, or change, by themselves.
const RESTLESS: [&str; 4] = ["events", "events.events.k8s.io", "componentstatuses", "endpoints"];
/// Kinds that say what somebody does or wants at the moment; that they are there is compared, what they say is not.
const STATE: [&str; 5] = ["Pod", "Lease", "EndpointSlice", "Node", "CertificateSigningRequest"];

/// Names of objects, and what each says beside its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory(BTreeMap<String, Value>);

impl Inventory {
    /// Everything that the API server of a cluster lists.
    pub(crate) fn of(user: &User) -> Self {
        let kinds = user.kubectl("api-resources --verbs=list -o name");
        let kinds: Vec<&str> = kinds.lines().filter(|kind| !RESTLESS.contains(kind)).collect();
        let objects = user.list(&format!("{} --all-namespaces", kinds.join(",")));
        let mut inventory = BTreeMap::new();
        for mut object in objects {
            let name = name(&object);
            // Several of a generated name are as good as any other.
            let place = (1..).map(|nth| format!("{name}{}", "'".repeat(nth - 1)));
            let place = place.into_iter().find(|place| !inventory.contains_key(place)).unwrap_or(name);
            inventory.insert(place, said(&mut object));
        }
        Self(inventory)
    }

    /// What is in this one and not in an earlier one.
    pub(crate) fn more_than(&self, earlier: &Self) -> BTreeSet<String> {
        self.0.keys().filter(|name| !earlier.0.contains_key(*name)).cloned().collect()
    }

    /// Whether something is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What is in both and says something else.
    pub(crate) fn other_than(&self, earlier: &Self) -> Vec<String> {
        let changed = self.0.iter().filter_map(|(name, now)| {
            let before = earlier.0.get(name)?;
            (before != now).then(|| format!("{name}: {before} is now {now}"))
        });
        changed.collect()
    }
}

/// Kind, namespace and name, with a star for what was generated.
fn name(object: &Value) -> String {
    let generated = text(object, "/metadata/generateName");
    let name = match generated {
        "" => text(object, "/metadata/name").to_owned(),
        prefix => format!("{prefix}*"),
    };
    format!("{} {}/{name}", text(object, "/kind"), text(object, "/metadata/namespace"))
}

/// The object without what the API server and the status say.
fn said(object: &mut Value) -> Value {
    if STATE.contains(&text(object, "/kind")) {
        return Value::Null;
    }
    let mut said = object.take();
    let Some(fields) = said.as_object_mut() else { return said };
    fields.remove("status");
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| {
            ["labels", "annotations", "finalizers", "ownerReferences"].contains(&field.as_str())
        });
    }
    said
}
