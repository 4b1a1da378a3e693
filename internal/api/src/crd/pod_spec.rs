//! The schema of a pod's spec as Kubernetes defines it, for ShadowPods.
//!
//! Types are checked where they are known, so a mistake is refused when the ShadowPod is written. Every object in it
//! keeps fields that are not known: the two clusters of a peering and this definition can be of three versions of
//! Kubernetes, and a field that were dropped on the way would change what the pod does without anybody noticing. Whether
//! a field is allowed is for the API server that gets the pod to say. (The definition of Liqo 0.8.3 drops them.)

use k8s_openapi::api::core::v1::{
    ConfigMapEnvSource, ConfigMapKeySelector, ConfigMapProjection, ConfigMapVolumeSource, Container,
    ContainerPort, EphemeralContainer, HostAlias, LocalObjectReference, NodeSelector, NodeSelectorTerm,
    ObjectFieldSelector, PodSpec, ResourceFieldSelector, ResourceRequirements, SecretEnvSource,
    SecretKeySelector, SecretProjection, TopologySpreadConstraint, TypedLocalObjectReference,
};
use k8s_openapi::apimachinery::pkg::api::resource;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use liqo_model::crd::Quantity;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::nodes::{self, Node};
use crate::Error;

/// How server-side apply merges a list or a map.
const LIST_TYPE: &str = "x-kubernetes-list-type";
const LIST_MAP_KEYS: &str = "x-kubernetes-list-map-keys";
const MAP_TYPE: &str = "x-kubernetes-map-type";

/// The schema.
///
/// # Errors
/// [`Error::PodSchema`] when k8s-openapi lacks something that is amended here.
pub(super) fn schema() -> Result<Node, Error> {
    let mut types = Types::all();
    amend(&mut types)?;
    let mut schema = Value::Object(types.get(&name_of::<PodSpec>())?.clone());
    types.write_out(&mut schema)?;
    nodes::for_each(&mut schema, &mut finish);
    match schema {
        Value::Object(node) => Ok(node),
        _ => Err(Error::PodSchema { name: name_of::<PodSpec>() }),
    }
}

/// Adds what k8s-openapi leaves out of its schemas, and takes away what it adds.
fn amend(types: &mut Types) -> Result<(), Error> {
    for (of, field, keys) in merged_by_key() {
        let list = types.field(&of, field)?;
        list.insert(LIST_TYPE.to_owned(), "map".into());
        list.insert(LIST_MAP_KEYS.to_owned(), json!(keys));
    }
    // A key that may be missing needs a default.
    types.field(&name_of::<ContainerPort>(), "protocol")?.insert("default".to_owned(), "TCP".into());
    let label_keys = types.field(&name_of::<TopologySpreadConstraint>(), "matchLabelKeys")?;
    label_keys.insert(LIST_TYPE.to_owned(), "atomic".into());
    types.field(&name_of::<PodSpec>(), "nodeSelector")?.insert(MAP_TYPE.to_owned(), "atomic".into());
    for name in replaced_as_a_whole() {
        types.get_mut(&name)?.insert(MAP_TYPE.to_owned(), "atomic".into());
    }
    for (of, field) in not_required() {
        types.do_not_require(&of, field)?;
    }
    let quantity = Quantity::json_schema(&mut SchemaGenerator::default());
    if let Value::Object(quantity) = quantity.to_value() {
        *types.get_mut(&name_of::<resource::Quantity>())? = quantity;
    }
    Ok(())
}

/// Lists whose items have keys: type, field, keys.
fn merged_by_key() -> [(String, &'static str, &'static [&'static str]); 6] {
    [
        (name_of::<Container>(), "ports", &["containerPort", "protocol"]),
        (name_of::<EphemeralContainer>(), "ports", &["containerPort", "protocol"]),
        (name_of::<PodSpec>(), "resourceClaims", &["name"]),
        (name_of::<PodSpec>(), "schedulingGates", &["name"]),
        (name_of::<PodSpec>(), "topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
        (name_of::<ResourceRequirements>(), "claims", &["name"]),
    ]
}

/// Types whose fields belong together, so that nobody can own one of them alone.
fn replaced_as_a_whole() -> [String; 14] {
    [
        name_of::<ConfigMapEnvSource>(),
        name_of::<ConfigMapKeySelector>(),
        name_of::<ConfigMapProjection>(),
        name_of::<ConfigMapVolumeSource>(),
        name_of::<LabelSelector>(),
        name_of::<LocalObjectReference>(),
        name_of::<NodeSelector>(),
        name_of::<NodeSelectorTerm>(),
        name_of::<ObjectFieldSelector>(),
        name_of::<ResourceFieldSelector>(),
        name_of::<SecretEnvSource>(),
        name_of::<SecretKeySelector>(),
        name_of::<SecretProjection>(),
        name_of::<TypedLocalObjectReference>(),
    ]
}

/// Fields that k8s-openapi requires and that a pod may lack: names that are empty, which Go leaves out, and what only
/// newer versions of Kubernetes require.
fn not_required() -> [(String, &'static str); 9] {
    [
        (name_of::<ConfigMapEnvSource>(), "name"),
        (name_of::<ConfigMapKeySelector>(), "name"),
        (name_of::<ConfigMapProjection>(), "name"),
        (name_of::<ConfigMapVolumeSource>(), "name"),
        (name_of::<HostAlias>(), "ip"),
        (name_of::<LocalObjectReference>(), "name"),
        (name_of::<SecretEnvSource>(), "name"),
        (name_of::<SecretKeySelector>(), "name"),
        (name_of::<SecretProjection>(), "name"),
    ]
}

/// What is left to do at a node. Descriptions would make the definition too large to be applied by `kubectl`, and
/// `kubectl explain pod.spec` has them.
fn finish(node: &mut Node) {
    node.remove("description");
    if node.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        node.remove("required");
    }
    if node.get("type").is_some_and(|name| name == "object") && !node.contains_key("additionalProperties") {
        node.insert("x-kubernetes-preserve-unknown-fields".to_owned(), true.into());
    }
    nodes::spell_int_or_string(node);
}

fn name_of<T: JsonSchema>() -> String {
    T::schema_name().into_owned()
}

/// The types that a pod's spec is made of, by name. They refer to each other.
struct Types(Node);

impl Types {
    fn all() -> Self {
        let mut generator = SchemaSettings::openapi3().into_generator();
        generator.subschema_for::<PodSpec>();
        Self(generator.take_definitions(false))
    }

    fn get(&self, name: &str) -> Result<&Node, Error> {
        let found = self.0.get(name).and_then(Value::as_object);
        found.ok_or_else(|| Error::PodSchema { name: name.to_owned() })
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut Node, Error> {
        let found = self.0.get_mut(name).and_then(Value::as_object_mut);
        found.ok_or_else(|| Error::PodSchema { name: name.to_owned() })
    }

    fn field(&mut self, of: &str, name: &str) -> Result<&mut Node, Error> {
        let properties = self.get_mut(of)?.get_mut("properties").and_then(Value::as_object_mut);
        let field = properties.and_then(|properties| properties.get_mut(name)?.as_object_mut());
        field.ok_or_else(|| Error::PodSchema { name: format!("{of}.{name}") })
    }

    fn do_not_require(&mut self, of: &str, name: &str) -> Result<(), Error> {
        let fields = self.get_mut(of)?.get_mut("required").and_then(Value::as_array_mut);
        let position = fields.as_ref().and_then(|fields| fields.iter().position(|field| field == name));
        let (Some(fields), Some(position)) = (fields, position) else {
            return Err(Error::PodSchema { name: format!("required {of}.{name}") });
        };
        fields.remove(position);
        Ok(())
    }

    /// Puts each type where a node below `schema` refers to it; no type of a pod contains itself.
    fn write_out(&self, schema: &mut Value) -> Result<(), Error> {
        let mut result = Ok(());
        nodes::for_each(schema, &mut |node| {
            let reference = node.remove("$ref");
            let name = reference.as_ref().and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            match name.map(|name| self.get(name)) {
                Some(Ok(found)) => node.extend(found.clone()),
                Some(Err(error)) => result = Err(error),
                None => {}
            }
        });
        result
    }
}
