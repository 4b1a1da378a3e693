//! Services: what a user chose of them. Addresses and node ports are the remote cluster's own.

use liqo_api::annotations::FORCE_REMOTE_NODE_PORT;
use liqo_api::labels::TRUE;
use serde_json::{Map, Value, json};

use crate::difference::{Field, Mode};
use crate::metadata::{Metadata, gate};
use crate::{Context, Forged, ReflectError, Resource, Why, fields};

/// Namespace and name of the Service of a cluster's API server.
const API_SERVER: (&str, &str) = ("default", "kubernetes");
/// Value of `clusterIP` of a headless Service.
const HEADLESS: &str = "None";
/// Keys of `spec` that are copied; ports and the cluster address are treated apart.
const COPIED: &[&str] = &[
    "type",
    "selector",
    "externalName",
    "allocateLoadBalancerNodePorts",
    "externalTrafficPolicy",
    "internalTrafficPolicy",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "loadBalancerSourceRanges",
    "publishNotReadyAddresses",
    "sessionAffinity",
];

/// Fields of the remote Service that are ours. Those that are only given are filled in by an API server that knows
/// them even when the home cluster's does not.
pub const FIELDS: &[Field] = &[
    Field::given("/spec/type"),
    Field::whole("/spec/selector"),
    Field { path: "/spec/ports", mode: Mode::Elements(&["port", "protocol"]) },
    Field::given("/spec/clusterIP"),
    Field::whole("/spec/externalName"),
    Field::whole("/spec/allocateLoadBalancerNodePorts"),
    Field::whole("/spec/externalTrafficPolicy"),
    Field::given("/spec/internalTrafficPolicy"),
    Field::given("/spec/ipFamilyPolicy"),
    Field::whole("/spec/loadBalancerClass"),
    Field::whole("/spec/loadBalancerSourceRanges"),
    Field::whole("/spec/publishNotReadyAddresses"),
    Field::given("/spec/sessionAffinity"),
];

/// The remote Service of a Service.
///
/// # Errors
///
/// [`ReflectError::ReadObject`] when the Service has no spec or its ports are no list.
pub fn remote(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Result<Forged, ReflectError> {
    if is_api_server(home) {
        return Ok(Forged::Skip(Why::BuiltIn));
    }
    if let Some(decided) = gate(home, existing, context) {
        return Ok(decided);
    }
    if existing.is_some_and(|existing| needs_other_address(home, existing)) {
        return Ok(Forged::Absent(Why::Immutable("spec.clusterIP")));
    }
    let mut body = fields::object(Resource::SERVICE, Metadata::reflected(home, context).into_value());
    body.insert("spec".to_owned(), spec(home)?);
    Ok(Forged::Object(body.into()))
}

/// Whether this is the Service or the slice of the cluster's API server, which every cluster has.
pub(super) fn is_api_server(object: &Value) -> bool {
    (fields::text(object, "/metadata/namespace"), fields::text(object, "/metadata/name")) == API_SERVER
}

fn spec(home: &Value) -> Result<Value, ReflectError> {
    let chosen = fields::map(home, "/spec")?;
    let mut spec = Map::new();
    fields::copy(chosen, COPIED, &mut spec);
    if is_headless(home) {
        spec.insert("clusterIP".to_owned(), HEADLESS.into());
    }
    let is_forced = fields::annotation(home, FORCE_REMOTE_NODE_PORT) == Some(TRUE);
    let ports = fields::list(home, "/spec/ports")?.iter().map(|port| remote_port(port, is_forced));
    let ports: Vec<Value> = ports.collect();
    if !ports.is_empty() {
        spec.insert("ports".to_owned(), ports.into());
    }
    Ok(spec.into())
}

/// A node port of home is not given, so that the remote cluster allocates one; none at home is none there.
fn remote_port(port: &Value, is_forced: bool) -> Value {
    let mut port = port.clone();
    let has_node_port = port.get("nodePort").and_then(Value::as_i64).is_some_and(|number| number != 0);
    if let Value::Object(fields) = &mut port {
        if !has_node_port {
            fields.insert("nodePort".to_owned(), json!(0));
        } else if !is_forced {
            fields.remove("nodePort");
        }
    }
    port
}

fn is_headless(service: &Value) -> bool {
    fields::text(service, "/spec/clusterIP") == HEADLESS
}

/// A Service with an address cannot become headless, nor the other way round. One that is a name has none of its own.
fn needs_other_address(home: &Value, existing: &Value) -> bool {
    let is_name = |service| fields::text(service, "/spec/type") == "ExternalName";
    !is_name(home) && !is_name(existing) && is_headless(home) != is_headless(existing)
}
