//! EndpointSlices of home become ShadowEndpointSlices: endpoints that the remote cluster does not know by itself,
//! with addresses as it reaches them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use liqo_api::annotations::SKIP_REFLECTION;
use serde_json::{Map, Value, json};

use super::service::is_api_server;
use crate::difference::Field;
use crate::metadata::Metadata;
use crate::names::{ENDPOINT_SLICE_MANAGED_BY, ENDPOINT_SLICE_REFLECTION, SERVICE_NAME};
use crate::{AddressTranslation, Context, Forged, ReflectError, Resource, Why, fields, labels};

/// Fields of the ShadowEndpointSlice that are ours.
pub const FIELDS: &[Field] = &[Field::whole("/spec/template")];

/// Before the kind of the object that an endpoint is, so that nobody looks for it in the remote cluster.
const REMOTE_KIND: &str = "Remote";
/// Keys of an endpoint that are copied. The list is closed: a ShadowEndpointSlice of a provider of version 0.8.3
/// holds no others, and what it drops would differ for ever.
const COPIED: &[&str] = &["hostname", "zone"];

/// The ShadowEndpointSlice of an EndpointSlice.
///
/// Endpoints whose addresses have no translation yet are left out: see [`untranslated`].
///
/// # Errors
///
/// [`ReflectError::TranslateAddresses`] when no translation is known at all, and [`ReflectError::ReadObject`] when
/// the endpoints are no list or an address is none.
pub fn remote(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Result<Forged, ReflectError> {
    if let Some(decided) = gate(home, existing, context) {
        return Ok(decided);
    }
    let Some(addresses) = context.addresses else { return Ok(Forged::Skip(Why::NoAddressReflection)) };
    let mut endpoints = Vec::new();
    for endpoint in reflected_endpoints(home, context)? {
        endpoints.extend(remote_endpoint(home, endpoint, addresses, context)?);
    }
    let metadata = Metadata::reflected(home, context);
    let metadata = metadata.with_label(ENDPOINT_SLICE_MANAGED_BY, ENDPOINT_SLICE_REFLECTION);
    let mut template = Map::new();
    fields::copy(fields::map(home, "")?, &["addressType", "ports"], &mut template);
    template.insert("endpoints".to_owned(), endpoints.into());
    let mut body = fields::object(Resource::SHADOW_ENDPOINT_SLICE, metadata.into_value());
    body.insert("spec".to_owned(), json!({"template": template}));
    Ok(Forged::Object(body.into()))
}

/// Addresses of the slice that a mapping has to be asked for, in order and once each.
///
/// # Errors
///
/// As [`remote`].
pub fn untranslated(home: &Value, context: &Context<'_>) -> Result<Vec<IpAddr>, ReflectError> {
    let Some(translation) = context.addresses.filter(|_| gate(home, None, context).is_none()) else {
        return Ok(Vec::new());
    };
    let mut missing = BTreeSet::new();
    for endpoint in reflected_endpoints(home, context)? {
        for address in addresses(home, endpoint)? {
            if translate(home, address, translation)?.is_none() {
                missing.insert(address);
            }
        }
    }
    Ok(missing.into_iter().collect())
}

fn gate(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Option<Forged> {
    let is_ours = |slice| labels::is_reflected_slice(slice, &context.home.id, &context.remote.id);
    if is_api_server(home) {
        return Some(Forged::Skip(Why::BuiltIn));
    }
    if existing.is_some_and(|existing| !is_ours(existing)) {
        return Some(Forged::Skip(Why::NotOurs));
    }
    if fields::annotation(home, SKIP_REFLECTION).is_some() {
        return Some(Forged::Absent(Why::SkipAnnotation));
    }
    let service = fields::label(home, SERVICE_NAME);
    if service.is_some_and(|service| context.skipped_services.contains(service)) {
        return Some(Forged::Absent(Why::ServiceSkipped));
    }
    // Names and addresses of IPv6 cannot be translated. The type never changes, so nothing of ours can be there.
    (fields::text(home, "/addressType") != "IPv4").then_some(Forged::Skip(Why::AddressFamily))
}

/// Endpoints that the remote cluster does not know by itself: pods on this virtual node are its own.
fn reflected_endpoints<'a>(
    home: &'a Value,
    context: &'a Context<'_>,
) -> Result<impl Iterator<Item = &'a Value>, ReflectError> {
    let endpoints = fields::list(home, "/endpoints")?.iter();
    Ok(endpoints.filter(|endpoint| fields::text(endpoint, "/nodeName") != context.virtual_node))
}

/// The endpoint as the remote cluster sees it, or nothing when none of its addresses can be translated.
fn remote_endpoint(
    home: &Value,
    endpoint: &Value,
    translation: &dyn AddressTranslation,
    context: &Context<'_>,
) -> Result<Option<Value>, ReflectError> {
    let mut translated = Vec::new();
    for address in addresses(home, endpoint)? {
        translated.extend(translate(home, address, translation)?.map(|address| address.to_string()));
    }
    if translated.is_empty() {
        return Ok(None);
    }
    let mut remote = Map::new();
    if let Some(fields) = endpoint.as_object() {
        fields::copy(fields, COPIED, &mut remote);
    }
    remote.insert("addresses".to_owned(), json!(translated));
    remote.insert("nodeName".to_owned(), context.home.name.as_str().into());
    let ready = endpoint.pointer("/conditions/ready").filter(|ready| ready.is_boolean());
    remote.insert("conditions".to_owned(), ready.map_or_else(|| json!({}), |ready| json!({"ready": ready})));
    if let Some(zones) = endpoint.pointer("/hints/forZones").filter(|zones| zones.is_array()) {
        remote.insert("hints".to_owned(), json!({"forZones": zones}));
    }
    remote.extend(remote_target(endpoint).map(|target| ("targetRef".to_owned(), target)));
    Ok(Some(remote.into()))
}

/// The object that the endpoint is, with a kind that nobody looks for in the remote cluster.
fn remote_target(endpoint: &Value) -> Option<Value> {
    let mut target = endpoint.get("targetRef")?.as_object()?.clone();
    let kind = format!("{REMOTE_KIND}{}", fields::text(endpoint, "/targetRef/kind"));
    target.insert("kind".to_owned(), kind.into());
    Some(target.into())
}

fn addresses(home: &Value, endpoint: &Value) -> Result<Vec<IpAddr>, ReflectError> {
    let unreadable = || fields::unreadable(home, "/endpoints/addresses", "a list of IP addresses");
    let list = endpoint.get("addresses").and_then(Value::as_array).ok_or_else(unreadable)?;
    let parsed = list.iter().map(|address| address.as_str().and_then(|text| text.parse().ok()));
    parsed.collect::<Option<Vec<IpAddr>>>().ok_or_else(unreadable)
}

fn translate(
    home: &Value,
    address: IpAddr,
    translation: &dyn AddressTranslation,
) -> Result<Option<IpAddr>, ReflectError> {
    let unavailable = |_| ReflectError::TranslateAddresses { object: fields::named(home) };
    translation.to_remote(address).map_err(unavailable)
}
