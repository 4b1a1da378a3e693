//! An exported log: the same questions as to a process, answered here.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use liqo_events::{Envelope, ExportError, ExportReader, Seq};
use liqo_projections::causes::{self, Trace};
use liqo_projections::{EventView, Filter};

use super::arguments::{Subject, TailArguments};
use super::record::{self, Explanation, Record, Step};
use crate::CtlError;

/// The events of a file, in their order.
#[derive(Debug)]
pub(crate) struct ExportedLog {
    envelopes: Vec<Envelope>,
}

impl ExportedLog {
    /// Reads the whole file: an export is at most as large as the log, which has a bound.
    pub(crate) fn read(path: &Path) -> Result<Self, CtlError> {
        let refused = |source| CtlError::ReadFile { path: path.to_owned(), source };
        let file = File::open(path).map_err(|source| refused(ExportError::Io { doing: "read", source }))?;
        let reader = ExportReader::new(BufReader::new(file)).map_err(refused)?;
        let envelopes = reader.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        Ok(Self { envelopes })
    }

    /// The events that were asked for.
    pub(crate) fn tail(&self, tail: &TailArguments) -> Result<Vec<Record>, CtlError> {
        let mut filter = filter(tail)?;
        let last = usize::try_from(tail.last).unwrap_or(usize::MAX);
        let before_end = self.envelopes.len().saturating_sub(last);
        let first = tail
            .from
            .map_or(before_end, |from| self.envelopes.partition_point(|envelope| envelope.seq < Seq(from)));
        let views = self.envelopes[first..].iter().map(EventView::of);
        Ok(views.filter(|view| filter.passes(view)).map(Record::from).collect())
    }

    /// One event.
    pub(crate) fn get(&self, seq: u64) -> Result<Record, CtlError> {
        let found = self
            .find(Seq(seq))
            .ok_or_else(|| CtlError::NotFound(format!("event {seq} is not in the file")))?;
        Ok(EventView::of(found).into())
    }

    /// What led to the last event about something, and what followed.
    pub(crate) fn why(&self, subject: &Subject, depth: u32) -> Result<Explanation, CtlError> {
        let mut trace = Trace::new(match subject {
            Subject::Object(object) => causes::Subject::Object(object.clone()),
            Subject::Command(id) => causes::Subject::Command(*id),
            Subject::Event(seq) => causes::Subject::Event(Seq(*seq)),
        });
        for recorded in self.envelopes.iter().filter_map(|envelope| envelope.open().ok()) {
            trace.look_at(&recorded);
        }
        let explained = trace.explain(depth);
        let explained =
            explained.ok_or_else(|| CtlError::NotFound("no event of the file is about it".to_owned()))?;
        let step = |step: causes::Step| {
            let relation = record::relation(step.relation);
            let event =
                self.find(step.seq).map(|envelope| EventView::of(envelope).into()).unwrap_or_default();
            Step { depth: step.depth, asked: step.asked, relation, event }
        };
        Ok(Explanation {
            steps: explained.steps.into_iter().map(step).collect(),
            omitted: explained.omitted,
            searched_from: explained.searched_from.0,
        })
    }

    fn find(&self, seq: Seq) -> Option<&Envelope> {
        let place = self.envelopes.binary_search_by_key(&seq, |envelope| envelope.seq).ok()?;
        self.envelopes.get(place)
    }
}

fn filter(tail: &TailArguments) -> Result<Filter, CtlError> {
    let filter = Filter::default().kinds(tail.kinds.iter().map(String::as_str));
    let filter = filter.map_err(|error| CtlError::Argument(error.to_string()))?;
    Ok(match &tail.object {
        Some(object) => filter.object(object.clone()),
        None => filter,
    })
}
