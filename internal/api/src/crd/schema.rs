//! The schema of a kind, in the form that the API server demands.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::core::schema::{OptionalEnum, StructuralSchemaRewriter};
use liqo_model::crd::{EMBEDDED_SCHEMA, POD_SPEC};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{Schema, json_schema};
use serde_json::Value;

use super::nodes::{self, Node};
use super::pod_spec;
use crate::Error;
use crate::description::{KindDescription, SpecSchema};

/// The schema of the objects of a kind.
pub(super) fn of(described: &KindDescription) -> Result<JSONSchemaProps, Error> {
    let mut generator = generator();
    let mut schema = object(described, &mut generator);
    for transform in generator.transforms_mut() {
        transform.transform(&mut schema);
    }
    let mut schema = schema.to_value();
    nodes::for_each(&mut schema, &mut finish);
    embed_pod_spec(&mut schema)?;
    serde_json::from_value(schema).map_err(|source| Error::Schema { kind: described.kind, source })
}

/// References are not allowed in a definition, so all types are written where they are used.
fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.with_transform(StructuralSchemaRewriter).with_transform(OptionalEnum).into_generator()
}

fn object(described: &KindDescription, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "description": described.summary,
        "type": "object",
        "properties": {
            "apiVersion": {"description": "Group and version of the API that the object is written for.", "type": "string"},
            "kind": {"description": "Kind of the object.", "type": "string"},
            "metadata": {"type": "object"},
        },
    });
    let (spec, required) = match described.spec {
        SpecSchema::Optional(spec) => (spec, false),
        SpecSchema::Required(spec) => (spec, true),
    };
    let parts =
        [Some(("spec", spec(generator))), described.status.map(|status| ("status", status(generator)))];
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let parts = parts.into_iter().flatten();
        properties.extend(parts.map(|(name, part)| (name.to_owned(), part.to_value())));
    }
    if required {
        schema.insert("required".to_owned(), vec!["spec"].into());
    }
    schema
}

/// What is left to do at a node.
///
/// Nothing is nullable: the API server removes a null from a field that is not, and Go writes nulls where it means
/// nothing. Lines of a doc comment are wrapped where the source is, so they are joined.
fn finish(node: &mut Node) {
    node.remove("nullable");
    nodes::spell_int_or_string(node);
    if let Some(Value::String(text)) = node.get_mut("description") {
        *text =
            text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
}

/// Puts the schema of a pod's spec where a type of the model asks for it; the description stays that of the model.
fn embed_pod_spec(schema: &mut Value) -> Result<(), Error> {
    let mut result = Ok(());
    nodes::for_each(schema, &mut |node| {
        if node.get(EMBEDDED_SCHEMA).is_some_and(|name| name == POD_SPEC) {
            node.remove(EMBEDDED_SCHEMA);
            match pod_spec::schema() {
                Ok(pod) => node.extend(pod),
                Err(error) => result = Err(error),
            }
        }
    });
    result
}
