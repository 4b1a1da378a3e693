//! Events about the pod.
//!
//! Their names follow from what they say, so that one that is sent again, because nobody knows whether it arrived, is
//! refused as existing.

use liqo_events::{Condition, UnixMillis, rfc3339_seconds};
use serde_json::{Value, json};

use crate::client::one_line;
use crate::keys::FIELD_MANAGER;

/// Something that people should see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// `Normal` or `Warning`.
    kind: &'static str,
    /// In one word.
    reason: &'static str,
    /// In a sentence.
    message: String,
    /// What tells it from others of its reason.
    of: UnixMillis,
}

impl Notice {
    /// A log was put aside at the start that was then.
    pub(super) fn put_aside(why: &str, at: UnixMillis) -> Self {
        let message = one_line(&format!("the log could not be used and was put aside: {why}"));
        Self { kind: "Warning", reason: "LogQuarantined", message, of: at }
    }

    /// The condition is another one than was known.
    pub(super) fn changed(condition: &Condition, known: Option<&Condition>) -> Self {
        let (kind, reason, of) = if condition.status == "True" {
            ("Warning", "LogDegraded", condition.since)
        } else {
            // What is over is told by its beginning: its end is another moment each time that this is tried.
            ("Normal", "LogHealed", known.map_or(condition.since, |known| known.since))
        };
        Self { kind, reason, message: condition.message.clone(), of }
    }

    /// As an Event about a pod.
    pub(super) fn event(&self, (namespace, name): (&str, &str), uid: &str, now: UnixMillis) -> Value {
        let at = rfc3339_seconds(now);
        let digest = self.message.bytes().fold(self.of.0.unsigned_abs(), |digest, byte| {
            digest.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": format!("{name}.{}.{digest:x}", self.reason.to_ascii_lowercase()),
                "namespace": namespace,
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": namespace,
                "name": name,
                "uid": uid,
            },
            "type": self.kind,
            "reason": self.reason,
            "message": self.message,
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
            "reportingInstance": name,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        })
    }
}
