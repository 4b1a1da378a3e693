//! The status of an object of ours, or of one that a peer sent.

use liqo_events::{Status, UnixMillis, rfc3339_seconds};
use liqo_model::ObjectKey;
use liqo_reflection::kinds::pod_status::{self, Rejection};
use serde_json::{Map, Value, json};

use super::step::Step;
use super::{content, merge};

pub(super) fn step(key: &ObjectKey, status: &Status, now: UnixMillis, object: &Value) -> Step {
    let known = &object["status"];
    let fields = match status {
        Status::ResourceRequest { offer_state, offer_withdrawn_at } => json!({
            "offerState": offer_state,
            "offerWithdrawalTimestamp": match offer_withdrawn_at {
                Some(_) if known["offerWithdrawalTimestamp"].is_string() => known["offerWithdrawalTimestamp"].clone(),
                Some(at) => json!(rfc3339_seconds(*at)),
                None => Value::Null,
            },
        }),
        Status::ResourceOffer { phase, virtual_kubelet } => {
            json!({"phase": phase, "virtualKubeletStatus": virtual_kubelet})
        }
        Status::NetworkConfig { pod_cidr_nat, external_cidr_nat } => {
            json!({"processed": true, "podCIDRNAT": pod_cidr_nat, "externalCIDRNAT": external_cidr_nat})
        }
        Status::TunnelEndpoint { .. } => tunnel(status, known),
        Status::NamespaceMap(mappings) => {
            let current: Map<String, Value> = mappings
                .iter()
                .map(|(local, now)| {
                    (local.to_string(), json!({"remoteNamespace": now.remote.as_str(), "phase": now.phase}))
                })
                .collect();
            json!({"currentMapping": whole(&known["currentMapping"], current.into())})
        }
        Status::ShadowPod(phase) => json!({"phase": phase}),
        Status::VirtualNode { .. } => return content::node_status(key, status, now, object),
        Status::UnmappedPod => return unmapped_pod(now, object),
    };
    Step::PatchStatus(json!({"status": without_nothing(fields)}))
}

/// Pods that are going are deleted by a command of their own.
fn unmapped_pod(now: UnixMillis, object: &Value) -> Step {
    let Rejection::Status(status) = pod_status::rejection(object, &rfc3339_seconds(now)) else {
        return Step::Nothing;
    };
    pod_status::status_patch(object, &status).map_or(Step::Nothing, Step::PatchStatus)
}

fn tunnel(status: &Status, known: &Value) -> Value {
    let Status::TunnelEndpoint { gateway, connection, message, latency, measured_at, peer } = status else {
        return Value::Null;
    };
    json!({
        "gatewayIP": gateway,
        "connection": {
            "status": connection,
            "statusMessage": message,
            "latency": {"value": latency, "timestamp": measured_at.map(rfc3339_seconds)},
            "peerConfiguration": whole(&known["connection"]["peerConfiguration"], json!(peer)),
        },
    })
}

/// The merge patch after which a map holds exactly this.
fn whole(known: &Value, wanted: Value) -> Value {
    let change = merge::replacing(known, &wanted);
    change.unwrap_or_else(|| json!({}))
}

/// What says nothing is taken away: several of these fields may only hold words of a closed list.
fn without_nothing(fields: Value) -> Value {
    match fields {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (key, without_nothing(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}
