//! Explains: looks through the log once for how events hang together, then fetches those that matter.

use std::sync::Arc;

use liqo_events::Seq;
use liqo_projections::EventView;
use liqo_projections::causes::{MOST_LINKS, Step, Subject, Trace};
use liqo_proto::debug as wire;
use tonic::Status;

use super::convert;
use super::pages::{Pages, status};
use crate::DebugSource;

/// Levels when none are asked for.
const DEPTH: u32 = 16;

pub(super) async fn explain<S: DebugSource>(
    source: &Arc<S>,
    subject: Subject,
    depth: u32,
) -> Result<wire::WhyResponse, Status> {
    let last = source.published().borrow().seq;
    let most = u64::try_from(MOST_LINKS).unwrap_or(u64::MAX);
    let first = Seq(last.0.saturating_sub(most).max(Seq::FIRST.0));
    let mut trace = Trace::new(subject);
    let mut pages = Pages::new(source.clone(), first, Some(last));
    while let Some(envelope) = pages.next().await? {
        // What cannot be read caused nothing that this version knows of.
        if let Ok(recorded) = envelope.open() {
            trace.look_at(&recorded);
        }
    }
    let explanation = trace.explain(if depth == 0 { DEPTH } else { depth });
    let explanation = explanation.ok_or_else(|| {
        Status::not_found(format!(
            "none of the events {first} to {last} is about it: check the name, or it is quiet"
        ))
    })?;
    let mut steps = Vec::with_capacity(explanation.steps.len());
    for step in explanation.steps {
        steps.push(fetch(source, step).await?);
    }
    Ok(wire::WhyResponse { steps, omitted: explanation.omitted, searched_from: explanation.searched_from.0 })
}

async fn fetch<S: DebugSource>(source: &Arc<S>, step: Step) -> Result<wire::Step, Status> {
    let found = source.history(step.seq, 1).await.map_err(|error| status(&error))?;
    let event =
        found.first().filter(|envelope| envelope.seq == step.seq).map(EventView::of).map(convert::event);
    Ok(wire::Step {
        depth: step.depth,
        asked: step.asked,
        relation: convert::relation(step.relation).into(),
        // Retention may drop one between the two looks.
        event: Some(event.unwrap_or_else(|| wire::Event { seq: step.seq.0, ..Default::default() })),
    })
}
