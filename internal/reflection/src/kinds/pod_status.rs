//! The status of a home pod: that of the remote pod with addresses and restarts as home sees them.
//!
//! Terminal is terminal. A remote pod that somebody deletes ends for a moment before its ShadowPod makes it anew; its
//! home pod does not end with it, it restarts. A home pod that has ended keeps its phase whatever happens remotely.

mod rejection;
mod restarts;

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::pod::is_ended;
use super::shadow_pod::comes_back;
use crate::difference::Field;
use crate::metadata::is_of_other_life;
use crate::{Context, ReflectError, Why, difference, fields, labels};

pub use rejection::{Rejection, rejection};
pub use restarts::Restarts;

/// Parts of a status that mean something only in the cluster that they were written in.
const REMOTE_ONLY: &[&str] = &[
    "extendedResourceClaimStatus",
    "hostIPs",
    "nominatedNodeName",
    "observedGeneration",
    "podIP",
    "podIPs",
    "resize",
    "resourceClaimStatuses",
];
/// Parts of the home pod's status that no remote pod can know.
const HOME_ONLY: &[&str] = &["nominatedNodeName", "observedGeneration", "qosClass", "resourceClaimStatuses"];

/// What the status of a home pod shall be.
#[derive(Clone, Debug, PartialEq)]
pub enum HomeStatus {
    /// It stays as it is.
    Keep(Why),
    /// It stays as it is, but the remote cluster has made the pod anew after home ended with it. The ShadowPod has to
    /// go.
    RunsAgain,
    /// The whole status, and what is to be remembered for the next one.
    Status {
        /// The value of `status`.
        status: Value,
        /// How restarts are counted from here on.
        restarts: Restarts,
    },
}

/// The status that a home pod gets from its remote pod. `known` is what the last call for this pod returned; without
/// it restarts are inferred from the home pod.
///
/// # Errors
///
/// [`ReflectError::PlaceAddress`] when the peer gave the pod an address outside of its pod network,
/// [`ReflectError::TranslateAddresses`] when that network is not known, [`ReflectError::ReadObject`] when the status
/// is not readable.
pub fn home_status(
    home: &Value,
    remote: Option<&Value>,
    known: Option<&Restarts>,
    context: &Context<'_>,
) -> Result<HomeStatus, ReflectError> {
    let Some(remote) = remote else { return Ok(HomeStatus::Keep(Why::NoRemotePod)) };
    if !labels::is_ours(remote, context) {
        return Ok(HomeStatus::Keep(Why::NotOurs));
    }
    if is_of_other_life(remote, home) {
        return Ok(HomeStatus::Keep(Why::OtherLife));
    }
    let restarts = Restarts::of(home, remote, known);
    if is_ended(home) {
        let is_other = known.is_some_and(|known| known.remote_uid != restarts.remote_uid);
        match (is_other, is_ended(remote)) {
            (true, false) => return Ok(HomeStatus::RunsAgain),
            (false, _) if phase(home) == phase(remote) => {}
            _ => return Ok(HomeStatus::Keep(Why::Completed)),
        }
    }
    let status = seen_from_home(home, remote, &restarts, context)?;
    Ok(HomeStatus::Status { status, restarts })
}

/// The status of the remote pod with what home sees otherwise.
fn seen_from_home(
    home: &Value,
    remote: &Value,
    restarts: &Restarts,
    context: &Context<'_>,
) -> Result<Value, ReflectError> {
    let mut status = fields::map(remote, "/status")?.clone();
    status.retain(|key, _| !REMOTE_ONLY.contains(&key.as_str()));
    if !fields::is_terminating(home) && comes_back(remote) {
        status.insert("phase".to_owned(), living_phase(home).into());
    }
    set_addresses(&mut status, home, remote, context)?;
    set_conditions(&mut status, home);
    if let Some(Value::Array(containers)) = status.get_mut("containerStatuses") {
        restarts.add_to(containers);
    }
    if let Some(own) = home.get("status").and_then(Value::as_object) {
        fields::copy(own, HOME_ONLY, &mut status);
    }
    Ok(status.into())
}

/// The merge patch of the home pod's status, to be written through it; nothing when it is so already.
#[must_use]
pub fn status_patch(home: &Value, status: &Value) -> Option<Value> {
    difference::patch(&without_metadata(home), &json!({"status": status}), &[Field::whole("/status")])
}

fn without_metadata(object: &Value) -> Value {
    json!({"status": object.get("status").unwrap_or(&Value::Null)})
}

fn phase(pod: &Value) -> &str {
    fields::text(pod, "/status/phase")
}

/// The phase of a pod that is being made anew: what it was, since a pod between two lives has not ended.
fn living_phase(home: &Value) -> &str {
    match phase(home) {
        "" => "Pending",
        phase => phase,
    }
}

fn set_addresses(
    status: &mut Map<String, Value>,
    home: &Value,
    remote: &Value,
    context: &Context<'_>,
) -> Result<(), ReflectError> {
    let host = context.node_ip.to_string();
    status.insert("hostIPs".to_owned(), json!([{"ip": host}]));
    status.insert("hostIP".to_owned(), host.into());
    let (text, Some(translation)) = (fields::text(remote, "/status/podIP"), context.addresses) else {
        return Ok(());
    };
    if text.is_empty() {
        return Ok(());
    }
    let unreadable = || fields::unreadable(remote, "/status/podIP", "an IP address");
    let address: IpAddr = text.parse().map_err(|_| unreadable())?;
    let translated = translation
        .to_home(address)
        .map_err(|_| ReflectError::TranslateAddresses { object: fields::named(home) })?;
    let field = "status.podIP".to_owned();
    let outside = || ReflectError::PlaceAddress { object: fields::named(remote), field, address };
    let address = translated.ok_or_else(outside)?.to_string();
    status.insert("podIPs".to_owned(), json!([{"ip": address}]));
    status.insert("podIP".to_owned(), address.into());
    Ok(())
}

/// The conditions of the remote pod without generations that home does not count, and those of the home pod that its
/// readiness gates name: controllers of home set them.
fn set_conditions(status: &mut Map<String, Value>, home: &Value) {
    let mut conditions = match status.remove("conditions") {
        Some(Value::Array(conditions)) => conditions,
        _ => Vec::new(),
    };
    for condition in &mut conditions {
        if let Value::Object(fields) = condition {
            fields.remove("observedGeneration");
        }
    }
    let gates = fields::items(home, "/spec/readinessGates");
    let is_gate = |kind: &str| gates.iter().any(|gate| fields::text(gate, "/conditionType") == kind);
    for condition in fields::items(home, "/status/conditions") {
        let kind = fields::text(condition, "/type");
        if is_gate(kind) && !conditions.iter().any(|other| fields::text(other, "/type") == kind) {
            conditions.push(condition.clone());
        }
    }
    if !conditions.is_empty() {
        status.insert("conditions".to_owned(), conditions.into());
    }
}
