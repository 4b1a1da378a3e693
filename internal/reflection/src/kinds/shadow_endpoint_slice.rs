//! ShadowEndpointSlices of a consumer become EndpointSlices in this cluster, ready only while the consumer is
//! reached.

use std::net::IpAddr;

use liqo_api::labels::{MANAGED_BY, MANAGED_BY_SHADOW_ENDPOINT_SLICE, ORIGIN};
use serde_json::{Value, json};

use crate::difference::{Field, Mode};
use crate::metadata::Metadata;
use crate::{Forged, ReflectError, Resource, Tenant, Why, fields};

/// Fields of the EndpointSlice that are ours.
pub const FIELDS: &[Field] = &[
    Field { path: "/metadata/ownerReferences", mode: Mode::Members(&["uid"], &[]) },
    Field::given("/addressType"),
    Field::whole("/endpoints"),
    Field::given("/ports"),
];

/// The EndpointSlice of a ShadowEndpointSlice.
///
/// Addresses outside of the consumer's networks are left out, whatever the consumer says: see [`foreign`].
///
/// # Errors
///
/// [`ReflectError::ReadObject`] when the endpoints are no list.
pub fn endpoint_slice(
    shadow: &Value,
    existing: Option<&Value>,
    tenant: &Tenant<'_>,
) -> Result<Forged, ReflectError> {
    if fields::label(shadow, ORIGIN) != Some(tenant.consumer.as_str()) {
        return Ok(Forged::Skip(Why::ForeignOrigin));
    }
    if fields::is_terminating(shadow) {
        return Ok(Forged::Skip(Why::Terminating));
    }
    let is_ours = |slice: &Value| fields::label(slice, MANAGED_BY) == Some(MANAGED_BY_SHADOW_ENDPOINT_SLICE);
    if existing.is_some_and(|existing| !is_ours(existing)) {
        return Ok(Forged::Skip(Why::NotOurs));
    }
    let kind = fields::text(shadow, "/spec/template/addressType");
    if existing.is_some_and(|existing| fields::text(existing, "/addressType") != kind) {
        return Ok(Forged::Absent(Why::Immutable("addressType")));
    }
    let endpoints = fields::list(shadow, "/spec/template/endpoints")?.iter();
    let endpoints: Vec<Value> = endpoints.filter_map(|endpoint| published(endpoint, tenant)).collect();
    let metadata = Metadata::copied(shadow);
    let metadata = metadata.with_label(MANAGED_BY, MANAGED_BY_SHADOW_ENDPOINT_SLICE).owned_by(shadow);
    let mut body = fields::object(Resource::ENDPOINT_SLICE, metadata.into_value());
    body.insert("addressType".to_owned(), kind.into());
    body.insert("endpoints".to_owned(), endpoints.into());
    body.insert("ports".to_owned(), fields::list(shadow, "/spec/template/ports")?.into());
    Ok(Forged::Object(body.into()))
}

/// Addresses of the slice that are outside of the consumer's networks, in order. They would lead traffic of this
/// cluster's pods to places that the consumer has no business with.
#[must_use]
pub fn foreign(shadow: &Value, tenant: &Tenant<'_>) -> Vec<String> {
    let endpoints = fields::items(shadow, "/spec/template/endpoints").iter();
    let addresses = endpoints.flat_map(|endpoint| fields::items(endpoint, "/addresses"));
    let foreign = addresses.filter(|address| !is_of(address, tenant));
    foreign.map(|address| address.as_str().map_or_else(|| address.to_string(), str::to_owned)).collect()
}

/// The endpoint with the addresses that may be published, or nothing when there is none.
fn published(endpoint: &Value, tenant: &Tenant<'_>) -> Option<Value> {
    let addresses: Vec<&Value> =
        fields::items(endpoint, "/addresses").iter().filter(|address| is_of(address, tenant)).collect();
    if addresses.is_empty() {
        return None;
    }
    // Ready unless it says that it is not, as Kubernetes reads it.
    let is_ready = endpoint.pointer("/conditions/ready") != Some(&Value::Bool(false));
    let mut published = endpoint.as_object()?.clone();
    published.insert("addresses".to_owned(), json!(addresses));
    published.insert("conditions".to_owned(), json!({"ready": is_ready && tenant.is_reachable}));
    Some(published.into())
}

fn is_of(address: &Value, tenant: &Tenant<'_>) -> bool {
    let Some(networks) = tenant.networks else { return true };
    let address: Option<IpAddr> = address.as_str().and_then(|text| text.parse().ok());
    address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
}
