//! Pods on the virtual node in namespaces that are not extended: they wait, or are given up so that their controller
//! makes others.

use serde_json::{Map, Value};

use super::super::pod::is_aborted;
use crate::fields;
use crate::names::{OFFLOADING_ABORTED, OFFLOADING_BACK_OFF};

/// What is done with a pod that must not run.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// Nothing: it has ended, or says already what it should.
    Nothing,
    /// It is deleted at once, with its uid as precondition: nobody else will end it.
    Delete,
    /// It gets this status.
    Status(Value),
}

/// What is done with a pod of a namespace that is not extended; `now` in RFC 3339.
#[must_use]
pub fn rejection(home: &Value, now: &str) -> Rejection {
    if fields::is_terminating(home) {
        return Rejection::Delete;
    }
    let phase = fields::text(home, "/status/phase");
    let has_started = !fields::items(home, "/status/containerStatuses").is_empty();
    let (phase, reason) = match phase {
        "Succeeded" => return Rejection::Nothing,
        "Failed" if is_aborted(home) => ("Failed", OFFLOADING_ABORTED),
        "Pending" | "" if !has_started => ("Pending", OFFLOADING_BACK_OFF),
        _ => ("Failed", OFFLOADING_ABORTED),
    };
    let empty = Map::new();
    let now_shown = home.get("status").and_then(Value::as_object).unwrap_or(&empty);
    let mut status = now_shown.clone();
    status.insert("phase".to_owned(), phase.into());
    status.insert("reason".to_owned(), reason.into());
    if let Some(Value::Array(conditions)) = status.get_mut("conditions") {
        conditions.iter_mut().for_each(|condition| deny(condition, reason, now));
    }
    if let Some(Value::Array(containers)) = status.get_mut("containerStatuses") {
        containers.iter_mut().for_each(unready);
    }
    if status == *now_shown { Rejection::Nothing } else { Rejection::Status(status.into()) }
}

fn deny(condition: &mut Value, reason: &str, now: &str) {
    if let Value::Object(fields) = condition
        && fields.get("status").and_then(Value::as_str) == Some("True")
    {
        fields.insert("status".to_owned(), "False".into());
        fields.insert("reason".to_owned(), reason.into());
        fields.insert("lastTransitionTime".to_owned(), now.into());
    }
}

fn unready(container: &mut Value) {
    if let Value::Object(fields) = container {
        fields.insert("ready".to_owned(), false.into());
    }
}
