//! An object with the part of its metadata that every kind has.

use liqo_events::{UnixMillis, parse_rfc3339};
use liqo_model::{ClusterRef, Kind, ObjectKey, ResourceVersion, Uid};
use serde_json::Value;
use thiserror::Error;

use super::Tree;

/// Something that an API server sent in place of an object.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("what the API server sent is no object: {field} is missing or no text")]
pub struct Unreadable {
    /// The field without which there is no object.
    pub field: &'static str,
}

/// One object, its metadata read and the rest as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct RawObject {
    /// `metadata.namespace`; empty for cluster-scoped kinds.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.resourceVersion`.
    pub resource_version: ResourceVersion,
    /// `metadata.generation`; 0 where the kind has none.
    pub generation: i64,
    /// `metadata.creationTimestamp`; 1970 when it is missing or no moment.
    pub created_at: UnixMillis,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// Something in it is nested deeper than is read, so the body must not be copied anywhere.
    pub too_deep: bool,
    /// The whole object but `metadata.managedFields`.
    pub body: Value,
}

impl RawObject {
    /// Reads the metadata of an object.
    pub(crate) fn from_tree(tree: Tree) -> Result<Self, Unreadable> {
        let Tree { body, too_deep } = tree;
        let metadata = &body["metadata"];
        let required = |key: &str, field| match metadata[key].as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(Unreadable { field }),
        };
        let created = metadata["creationTimestamp"].as_str().and_then(parse_rfc3339);
        Ok(Self {
            namespace: metadata["namespace"].as_str().unwrap_or_default().to_owned(),
            name: required("name", "metadata.name")?,
            uid: required("uid", "metadata.uid")?.into(),
            resource_version: required("resourceVersion", "metadata.resourceVersion")?.into(),
            generation: metadata["generation"].as_i64().unwrap_or_default(),
            created_at: created.unwrap_or_default(),
            deleting: metadata["deletionTimestamp"].is_string(),
            too_deep,
            body,
        })
    }

    /// The object's name among all that the process knows.
    pub fn key(&self, cluster: &ClusterRef, kind: Kind) -> ObjectKey {
        ObjectKey {
            cluster: cluster.clone(),
            kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<RawObject, Unreadable> {
        RawObject::from_tree(Tree { body, too_deep: false })
    }

    #[test]
    fn metadata_is_read() {
        let body = json!({"metadata": {
            "name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "1970-01-01T00:00:01Z", "deletionTimestamp": "2026-01-01T00:00:00Z",
        }});
        let expected = RawObject {
            namespace: "n".to_owned(),
            name: "a".to_owned(),
            uid: "u".into(),
            resource_version: "7".into(),
            generation: 3,
            created_at: UnixMillis(1000),
            deleting: true,
            too_deep: false,
            body: body.clone(),
        };
        assert_eq!(read(body), Ok(expected));
    }

    #[test]
    fn what_has_no_name_no_life_or_no_version_is_no_object() {
        let full = json!({"metadata": {"name": "a", "uid": "u", "resourceVersion": "7"}});
        assert!(read(full.clone()).is_ok());
        let fields = ["metadata.name", "metadata.uid", "metadata.resourceVersion"];
        for (key, field) in ["name", "uid", "resourceVersion"].into_iter().zip(fields) {
            for wrong in [Value::Null, json!(""), json!(7), json!({})] {
                let mut body = full.clone();
                body["metadata"][key] = wrong;
                assert_eq!(read(body), Err(Unreadable { field }));
            }
        }
        for body in [Value::Null, json!([]), json!("x"), json!({"metadata": 3})] {
            assert_eq!(read(body), Err(Unreadable { field: "metadata.name" }));
        }
    }
}
