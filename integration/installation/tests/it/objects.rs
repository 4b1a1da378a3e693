//! The objects of the manifests.

use std::path::Path;

use serde_json::Value;

/// Every object of the manifests but the custom resource definitions.
pub(crate) fn all() -> Vec<Value> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let directories = ["rbac", "manifests"].map(|name| std::fs::read_dir(deploy.join(name)).unwrap());
    let files = directories.into_iter().flatten().map(|entry| std::fs::read_to_string(entry.unwrap().path()));
    files.flat_map(|text| serde_saphyr::from_multiple::<Value>(&text.unwrap()).unwrap()).collect()
}

pub(crate) fn of_kind(kind: &str) -> Vec<Value> {
    all().into_iter().filter(|object| object["kind"] == kind).collect()
}

pub(crate) fn named(kind: &str, name: &str) -> Value {
    let found = of_kind(kind).into_iter().find(|object| self::name(object) == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

pub(crate) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// The strings of a list; none for a list that is not there.
pub(crate) fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}
