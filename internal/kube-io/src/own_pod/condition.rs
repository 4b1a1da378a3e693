//! What the condition should be.

use liqo_api::names::LOG_DEGRADED;
use liqo_engine::Degradation;
use liqo_events::{Condition, UnixMillis, parse_rfc3339, rfc3339_seconds};
use serde_json::{Value, json};

use crate::client::one_line;

/// What is new about the condition, given what the pod has. Nothing when that is right, and as long as there never was
/// anything to say.
pub(super) fn change(
    degradation: Option<&Degradation>,
    known: Option<&Condition>,
    now: UnixMillis,
) -> Option<Condition> {
    let was_true = known.filter(|known| known.status == "True");
    match degradation {
        Some(degradation) => {
            let since = was_true.map_or(degradation.since, |known| known.since);
            let message =
                format!("{}; events are in memory only, a new log is tried each minute", degradation.reason);
            let wanted = condition("True", "InMemoryOnly", &message, since);
            Some(wanted).filter(|wanted| known != Some(wanted))
        }
        None => was_true.map(|_| condition("False", "Durable", "events are durable again", now)),
    }
}

fn condition(status: &str, reason: &str, message: &str, since: UnixMillis) -> Condition {
    Condition {
        kind: LOG_DEGRADED.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: one_line(message),
        // Kubernetes keeps whole seconds, and what is read back must be the same.
        since: UnixMillis(since.0.div_euclid(1000) * 1000),
    }
}

/// The condition that a pod has.
pub(super) fn read(pod: &Value) -> Option<Condition> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == LOG_DEGRADED)?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Some(Condition {
        kind: LOG_DEGRADED.to_owned(),
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
        since: parse_rfc3339(&text("lastTransitionTime")).unwrap_or_default(),
    })
}

/// The patch that gives it to the pod of this uid, and changes no other condition.
pub(super) fn patch(uid: &str, condition: &Condition) -> Value {
    let Condition { kind, status, reason, message, since } = condition;
    json!({
        "metadata": {"uid": uid},
        "status": {"conditions": [{
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": rfc3339_seconds(*since),
        }]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degraded(reason: &str, since: i64) -> Degradation {
        Degradation { since: UnixMillis(since), reason: reason.to_owned() }
    }

    fn said(status: &str, reason: &str, message: &str, since: i64) -> Condition {
        Condition {
            kind: "liqo.io/LogDegraded".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            since: UnixMillis(since),
        }
    }

    #[test]
    fn it_follows_the_log_and_is_absent_until_there_is_something_to_say() {
        let full = "disk full; events are in memory only, a new log is tried each minute";
        let gone = "disk gone; events are in memory only, a new log is tried each minute";
        let bad = |message, since| said("True", "InMemoryOnly", message, since);
        let good = |since| said("False", "Durable", "events are durable again", since);
        for (degradation, known, expected) in [
            (None, None, None),
            (Some(degraded("disk full", 5500)), None, Some(bad(full, 5000))),
            (Some(degraded("disk full", 5500)), Some(bad(full, 5000)), None),
            // The next container finds the disk as full as before.
            (Some(degraded("disk full", 8000)), Some(bad(full, 5000)), None),
            (Some(degraded("disk gone", 8000)), Some(bad(full, 5000)), Some(bad(gone, 5000))),
            (None, Some(bad(full, 5000)), Some(good(9000))),
            (None, Some(good(9000)), None),
            (Some(degraded("disk full", 9700)), Some(good(9000)), Some(bad(full, 9000))),
        ] {
            let found = change(degradation.as_ref(), known.as_ref(), UnixMillis(9400));
            assert_eq!(found, expected, "{degradation:?} {known:?}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let long = degraded(&"x\n".repeat(500), 1_700_000_000_123);
        let wanted = change(Some(&long), None, UnixMillis(0)).unwrap();
        let mut pod = patch("u", &wanted);
        assert_eq!(pod["status"]["conditions"][0]["lastTransitionTime"], "2023-11-14T22:13:20Z");
        assert_eq!(read(&pod), Some(wanted.clone()));
        assert_eq!(change(Some(&long), read(&pod).as_ref(), UnixMillis(0)), None);
        pod["status"]["conditions"][0]["type"] = json!("Ready");
        assert_eq!(read(&pod), None);
        assert_eq!(read(&json!({})), None);
    }
}
