//! Between the types of this repository and those on the wire.

use liqo_engine::LogStanding;
use liqo_events::{Family, TraceContext};
use liqo_model::ObjectKey;
use liqo_projections::causes::{Relation, Subject};
use liqo_projections::{EventView, Filter, ObjectPattern, parse_command};
use liqo_proto::debug as wire;
use tonic::Status;

use super::pages::status;
use crate::{ReleaseError, Released, Report};

pub(super) fn event(view: EventView) -> wire::Event {
    wire::Event {
        seq: view.seq.0,
        recorded_at: view.recorded_at.to_string(),
        kind: u32::from(view.kind),
        name: view.name.to_owned(),
        family: family(view.family).into(),
        caused_by: view.caused_by.map(|seq| seq.0),
        state_digest: view.digest.to_string(),
        trace: view.trace.map(trace),
        object: view.object.map(object),
        summary: view.summary,
        payload_json: view.payload.to_string(),
    }
}

fn family(family: Option<Family>) -> wire::Family {
    match family {
        None => wire::Family::Unspecified,
        Some(Family::Observed) => wire::Family::Observed,
        Some(Family::Decided) => wire::Family::Decided,
        Some(Family::Done) => wire::Family::Done,
    }
}

fn trace(trace: TraceContext) -> wire::Trace {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    wire::Trace { trace_id: hex(&trace.trace_id), span_id: hex(&trace.span_id) }
}

fn object(object: ObjectKey) -> wire::ObjectReference {
    wire::ObjectReference {
        cluster: object.cluster.to_string(),
        kind: object.kind.to_string(),
        namespace: object.namespace,
        name: object.name,
    }
}

pub(super) fn relation(relation: Relation) -> wire::Relation {
    match relation {
        Relation::Origin => wire::Relation::Origin,
        Relation::Caused => wire::Relation::Caused,
        Relation::Outcome => wire::Relation::Outcome,
        Relation::Echo => wire::Relation::Echo,
        Relation::Cut => wire::Relation::Cut,
    }
}

pub(super) fn filter(request: &wire::TailRequest) -> Result<Filter, Status> {
    let refuse = |error: &dyn std::error::Error| Status::invalid_argument(error.to_string());
    let mut filter =
        Filter::default().kinds(request.kinds.iter().map(String::as_str)).map_err(|error| refuse(&error))?;
    let families = request.families().filter_map(|family| match family {
        wire::Family::Unspecified => None,
        wire::Family::Observed => Some(Family::Observed),
        wire::Family::Decided => Some(Family::Decided),
        wire::Family::Done => Some(Family::Done),
    });
    filter = filter.families(families);
    if let Some(object) = &request.object {
        filter = filter.object(pattern(object)?);
    }
    Ok(filter)
}

fn pattern(object: &wire::ObjectReference) -> Result<ObjectPattern, Status> {
    ObjectPattern::from_parts(&object.cluster, &object.kind, &object.namespace, &object.name)
        .map_err(|error| Status::invalid_argument(error.to_string()))
}

pub(super) fn subject(subject: Option<wire::why_request::Subject>) -> Result<Subject, Status> {
    match subject {
        None => Err(Status::invalid_argument("say what to explain: an object, a command or a seq")),
        Some(wire::why_request::Subject::Seq(seq)) => Ok(Subject::Event(liqo_events::Seq(seq))),
        Some(wire::why_request::Subject::Command(text)) => {
            parse_command(&text).map(Subject::Command).ok_or_else(|| {
                Status::invalid_argument(format!("{text:?} is no command ID: give 32 hexadecimal digits"))
            })
        }
        Some(wire::why_request::Subject::Object(mut object)) => {
            if object.cluster.is_empty() {
                "local".clone_into(&mut object.cluster);
            }
            if object.kind.is_empty() || object.name.is_empty() {
                return Err(Status::invalid_argument(
                    "name the object by its kind and name, and its namespace if any",
                ));
            }
            Ok(Subject::Object(pattern(&object)?))
        }
    }
}

pub(super) fn state(report: Report) -> wire::StateResponse {
    wire::StateResponse {
        seq: report.published.seq.0,
        digest: report.digest.to_string(),
        epoch: report.published.epoch.unwrap_or_default(),
        leader: report.published.epoch.is_some(),
        live: report.published.live,
        degraded: report.degraded.is_some(),
        counts: report.counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        log: Some(log(report.log)),
        degraded_since: report
            .degraded
            .as_ref()
            .map(|degraded| degraded.since.to_string())
            .unwrap_or_default(),
        degraded_reason: report.degraded.map(|degraded| degraded.reason).unwrap_or_default(),
    }
}

pub(super) fn released(released: Released) -> wire::ReleaseResponse {
    let Released { peer, mappings } = released;
    wire::ReleaseResponse { cluster: peer.to_string(), mappings: u64::try_from(mappings).unwrap_or(u64::MAX) }
}

pub(super) fn not_released(error: ReleaseError) -> Status {
    match error {
        ReleaseError::Follower { .. } | ReleaseError::Unclear { .. } => {
            Status::failed_precondition(error.to_string())
        }
        ReleaseError::Unknown { .. } => Status::not_found(error.to_string()),
        ReleaseError::Away(error) => status(&error),
    }
}

fn log(standing: LogStanding) -> wire::LogStatistics {
    let log = standing.statistics;
    wire::LogStatistics {
        oldest: log.oldest.map(|seq| seq.0),
        first: log.first.0,
        last: log.last.map(|seq| seq.0),
        appended_events: log.appended_events,
        appended_bytes: log.appended_bytes,
        syncs: log.syncs,
        sync_micros: log.sync_micros,
        disk_bytes: log.disk_bytes,
        retained_bytes: log.retained_bytes,
        snapshots: log.snapshots,
        generation: log.generation,
        rotations: log.rotations,
        dropped_events: log.dropped_events,
        quarantined: log.quarantined,
        damaged_chunks: log.damaged_chunks,
        on_volume: standing.on_volume.0,
        snapshot: standing.snapshot.map(|seq| seq.0),
        put_aside: standing.put_aside.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_explained_is_refused() {
        let object = |kind: &str, name: &str| {
            let (kind, name) = (kind.to_owned(), name.to_owned());
            Some(wire::why_request::Subject::Object(wire::ObjectReference {
                kind,
                name,
                ..Default::default()
            }))
        };
        for unclear in [None, object("", "x"), object("Pod", ""), object("thing", "x")] {
            let refused = subject(unclear.clone()).unwrap_err();
            assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{unclear:?}");
        }
        assert!(subject(object("pods", "x")).is_ok());
    }
}
