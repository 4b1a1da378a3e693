//! What Kubernetes is told of a kind beside its fields.

use kube::core::ApiResource;
use liqo_model::Kind;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// What Kubernetes is told of a kind beside its fields.
#[derive(Clone, Copy, Debug)]
pub struct KindDescription {
    /// The kind, with its group, version, resource name and scope.
    pub kind: Kind,
    /// What the kind is for, as `kubectl explain` says it.
    pub summary: &'static str,
    /// Name of one object in commands.
    pub singular: &'static str,
    /// Abbreviations in commands.
    pub short_names: &'static [&'static str],
    /// Groups of kinds that commands can name.
    pub categories: &'static [&'static str],
    /// What `kubectl get` shows.
    pub columns: &'static [Column],
    pub(crate) spec: SpecSchema,
    /// The schema of the status, when the kind has one; it is then a subresource.
    pub(crate) status: Option<SubSchema>,
}

/// Makes the schema of a spec or of a status.
pub(crate) type SubSchema = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a spec, and whether an object may lack it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SpecSchema {
    /// Objects without a spec are accepted, as Liqo does for most kinds.
    Optional(SubSchema),
    /// They are refused.
    Required(SubSchema),
}

/// The schema of `T`.
pub(crate) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl KindDescription {
    /// What clients need to know of the kind.
    #[must_use]
    pub fn api_resource(&self) -> ApiResource {
        crate::api_resource(self.kind)
    }

    /// Whether objects have a status, which is then a subresource.
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// Name of the definition: `<plural>.<group>`.
    #[must_use]
    pub fn definition_name(&self) -> String {
        format!("{}.{}", self.kind.plural(), self.kind.group())
    }
}

/// A column of `kubectl get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Head of the column.
    pub name: &'static str,
    /// Where the value is.
    pub json_path: &'static str,
    /// How the value is shown: `string` or `date`.
    pub column_type: &'static str,
    /// 0 is always shown, anything above with `-o wide` only.
    pub priority: i32,
}

impl Column {
    /// Time since the object was created.
    pub(crate) const AGE: Self =
        Self { column_type: "date", ..Self::new("Age", ".metadata.creationTimestamp") };
    /// Whether the object is the origin of a replication.
    pub(crate) const LOCAL: Self = Self::new("Local", r".metadata.labels.liqo\.io/replication");

    /// A text that is always shown.
    pub(crate) const fn new(name: &'static str, json_path: &'static str) -> Self {
        Self { name, json_path, column_type: "string", priority: 0 }
    }

    /// A text that `-o wide` shows.
    pub(crate) const fn wide(name: &'static str, json_path: &'static str) -> Self {
        Self::with_priority(name, json_path, 1)
    }

    /// A text of a given priority.
    pub(crate) const fn with_priority(name: &'static str, json_path: &'static str, priority: i32) -> Self {
        Self { priority, ..Self::new(name, json_path) }
    }
}
