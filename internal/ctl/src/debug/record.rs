//! What was read, whether from a process or from a file.

use std::collections::BTreeMap;

use liqo_events::Family;
use liqo_model::ObjectKey;
use liqo_projections::EventView;
use liqo_projections::causes::Relation;
use liqo_proto::debug as wire;
use serde::Serialize;
use serde_json::Value;

/// An event. As JSON this is one line of `-o json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) recorded_at: String,
    pub(crate) kind: u32,
    pub(crate) name: String,
    pub(crate) family: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caused_by: Option<u64>,
    pub(crate) state_digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<Object>,
    pub(crate) summary: String,
    pub(crate) payload: Value,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Object {
    pub(crate) cluster: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// One step of an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Step {
    pub(crate) depth: u32,
    pub(crate) asked: bool,
    pub(crate) relation: &'static str,
    pub(crate) event: Record,
}

/// An explanation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explanation {
    pub(crate) steps: Vec<Step>,
    pub(crate) omitted: u64,
    pub(crate) searched_from: u64,
}

/// How a process is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standing {
    pub(crate) seq: u64,
    pub(crate) digest: String,
    pub(crate) epoch: u64,
    pub(crate) leader: bool,
    pub(crate) live: bool,
    pub(crate) degraded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) degraded_because: Option<Degradation>,
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) log: BTreeMap<&'static str, u64>,
    /// Why an earlier log was put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) put_aside: Option<String>,
}

/// Why a log is in memory only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Degradation {
    pub(crate) since: String,
    pub(crate) reason: String,
}

/// Events written to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exported {
    pub(crate) events: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl From<EventView> for Record {
    fn from(view: EventView) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            seq: view.seq.0,
            recorded_at: view.recorded_at.to_string(),
            kind: view.kind.into(),
            name: view.name.to_owned(),
            family: view.family.map_or("", family),
            caused_by: view.caused_by.map(|seq| seq.0),
            state_digest: view.digest.to_string(),
            trace_id: view.trace.map(|trace| hex(&trace.trace_id)),
            object: view.object.map(Object::from),
            summary: view.summary,
            payload: view.payload,
        }
    }
}

impl From<wire::Event> for Record {
    fn from(event: wire::Event) -> Self {
        Self {
            family: match event.family() {
                wire::Family::Unspecified => "",
                wire::Family::Observed => family(Family::Observed),
                wire::Family::Decided => family(Family::Decided),
                wire::Family::Done => family(Family::Done),
            },
            seq: event.seq,
            recorded_at: event.recorded_at,
            kind: event.kind,
            name: event.name,
            caused_by: event.caused_by,
            state_digest: event.state_digest,
            trace_id: event.trace.map(|trace| trace.trace_id),
            object: event.object.map(Object::from),
            summary: event.summary,
            payload: serde_json::from_str(&event.payload_json).unwrap_or(Value::Null),
        }
    }
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Observed => "observed",
        Family::Decided => "decided",
        Family::Done => "done",
    }
}

impl From<ObjectKey> for Object {
    fn from(key: ObjectKey) -> Self {
        let (cluster, kind) = (key.cluster.to_string(), key.kind.to_string());
        Self { cluster, kind, namespace: key.namespace, name: key.name }
    }
}

impl From<wire::ObjectReference> for Object {
    fn from(object: wire::ObjectReference) -> Self {
        let wire::ObjectReference { cluster, kind, namespace, name } = object;
        Self { cluster, kind, namespace, name }
    }
}

pub(crate) const ORIGIN: &str = "origin";
pub(crate) const CAUSED: &str = "caused";
pub(crate) const OUTCOME: &str = "outcome";
pub(crate) const ECHO: &str = "echo";
pub(crate) const CUT: &str = "cut";

pub(crate) fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Origin => ORIGIN,
        Relation::Caused => CAUSED,
        Relation::Outcome => OUTCOME,
        Relation::Echo => ECHO,
        Relation::Cut => CUT,
    }
}

impl From<wire::Step> for Step {
    fn from(step: wire::Step) -> Self {
        let relation = match step.relation() {
            wire::Relation::Unspecified => "",
            wire::Relation::Origin => ORIGIN,
            wire::Relation::Caused => CAUSED,
            wire::Relation::Outcome => OUTCOME,
            wire::Relation::Echo => ECHO,
            wire::Relation::Cut => CUT,
        };
        let event = step.event.map(Record::from).unwrap_or_default();
        Self { depth: step.depth, asked: step.asked, relation, event }
    }
}

impl From<wire::WhyResponse> for Explanation {
    fn from(answer: wire::WhyResponse) -> Self {
        let wire::WhyResponse { steps, omitted, searched_from } = answer;
        Self { steps: steps.into_iter().map(Step::from).collect(), omitted, searched_from }
    }
}

impl From<wire::StateResponse> for Standing {
    fn from(state: wire::StateResponse) -> Self {
        let why = Degradation { since: state.degraded_since, reason: state.degraded_reason };
        let put_aside = state.log.as_ref().map(|log| log.put_aside.clone());
        Self {
            seq: state.seq,
            digest: state.digest,
            epoch: state.epoch,
            leader: state.leader,
            live: state.live,
            degraded: state.degraded,
            degraded_because: Some(why).filter(|_| state.degraded),
            counts: state.counts,
            log: state.log.map(log).unwrap_or_default(),
            put_aside: put_aside.filter(|why| !why.is_empty()),
        }
    }
}

fn log(log: wire::LogStatistics) -> BTreeMap<&'static str, u64> {
    let always = [
        ("appendedBytes", log.appended_bytes),
        ("appendedEvents", log.appended_events),
        ("damagedChunks", log.damaged_chunks),
        ("diskBytes", log.disk_bytes),
        ("droppedEvents", log.dropped_events),
        ("first", log.first),
        ("generation", log.generation),
        ("onVolume", log.on_volume),
        ("quarantined", log.quarantined),
        ("retainedBytes", log.retained_bytes),
        ("rotations", log.rotations),
        ("snapshots", log.snapshots),
        ("syncMicros", log.sync_micros),
        ("syncs", log.syncs),
    ];
    let sometimes = [("last", log.last), ("oldest", log.oldest), ("snapshot", log.snapshot)];
    let known = sometimes.into_iter().filter_map(|(name, figure)| Some((name, figure?)));
    always.into_iter().chain(known).collect()
}
