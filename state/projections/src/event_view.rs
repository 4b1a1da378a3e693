//! One event as people and programs outside see it.

use liqo_events::{
    CommandId, DecodeError, Envelope, Event, Family, Recorded, Seq, StateDigest, TraceContext, UnixMillis,
};
use liqo_model::ObjectKey;
use serde_json::Value;

use crate::{command_of, object_of, summary};

/// One event with everything that is told about it. Nothing in it is secret, because nothing in an event is.
#[derive(Clone, Debug, PartialEq)]
pub struct EventView {
    /// Position in the log.
    pub seq: Seq,
    /// When it was recorded.
    pub recorded_at: UnixMillis,
    /// Number of its kind.
    pub kind: u16,
    /// Name of its kind; empty when this version does not know it.
    pub name: &'static str,
    /// What sort of fact it is; nothing when this version does not know the kind.
    pub family: Option<Family>,
    /// The event that made it necessary.
    pub caused_by: Option<Seq>,
    /// Fingerprint of the state right after it.
    pub digest: StateDigest,
    /// The trace that it belongs to.
    pub trace: Option<TraceContext>,
    /// The object that it is about.
    pub object: Option<ObjectKey>,
    /// The command that it issues, ends or tries again.
    pub command: Option<CommandId>,
    /// One line for people.
    pub summary: String,
    /// The event itself; null when it cannot be read.
    pub payload: Value,
}

impl EventView {
    /// What is told about a record. One that cannot be read is shown as such, so that the rest of a log can be read.
    pub fn of(envelope: &Envelope) -> Self {
        match envelope.open() {
            Ok(recorded) => Self::readable(envelope, &recorded),
            Err(error) => Self::unreadable(envelope, &error),
        }
    }

    fn readable(envelope: &Envelope, recorded: &Recorded) -> Self {
        let event = &recorded.event;
        Self {
            name: event.name(),
            family: Some(event.family()),
            object: object_of(event).cloned(),
            command: command_of(event),
            summary: summary(event),
            payload: serde_json::to_value(event).unwrap_or(Value::Null),
            ..Self::bare(envelope)
        }
    }

    fn unreadable(envelope: &Envelope, error: &DecodeError) -> Self {
        Self { summary: error.to_string(), ..Self::bare(envelope) }
    }

    fn bare(envelope: &Envelope) -> Self {
        Self {
            seq: envelope.seq,
            recorded_at: envelope.recorded_at,
            kind: envelope.kind,
            name: Event::kind_name(envelope.kind).unwrap_or(""),
            family: None,
            caused_by: envelope.caused_by,
            digest: envelope.state,
            trace: envelope.trace,
            object: None,
            command: None,
            summary: String::new(),
            payload: Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use liqo_events::LeaseLost;
    use serde_json::json;

    use super::*;

    fn envelope() -> Envelope {
        let event = Event::LeaseLost(LeaseLost { epoch: 3 });
        let recorded = Recorded { seq: Seq(7), recorded_at: UnixMillis(5), caused_by: Some(Seq(6)), event };
        Envelope::seal(&recorded, StateDigest(9), None).unwrap()
    }

    #[test]
    fn everything_of_a_record_is_told() {
        let told = EventView {
            seq: Seq(7),
            recorded_at: UnixMillis(5),
            kind: 9,
            name: "LeaseLost",
            family: Some(Family::Observed),
            caused_by: Some(Seq(6)),
            digest: StateDigest(9),
            trace: None,
            object: None,
            command: None,
            summary: "lease of epoch 3 lost: this process acts no more".into(),
            payload: json!({"leaseLost": {"epoch": 3}}),
        };
        assert_eq!(EventView::of(&envelope()), told);
    }

    #[test]
    fn a_record_of_a_newer_version_is_shown_as_such() {
        let view = EventView::of(&Envelope { kind: 65_000, ..envelope() });
        assert_eq!((view.seq, view.name, view.family, view.payload), (Seq(7), "", None, Value::Null));
        assert_eq!(view.summary, "record 7 is of the unknown kind 65000: it was written by a newer version");
    }
}
