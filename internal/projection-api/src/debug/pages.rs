//! Reads history page by page, each when it is wanted, so that a long log is never in memory as a whole.

use std::collections::VecDeque;
use std::sync::Arc;

use liqo_engine::Published;
use liqo_events::{Envelope, Seq};
use tokio::sync::watch;
use tonic::Status;

use crate::{DebugSource, SourceError};

/// Events read at once: at most 8 MiB in memory, and a millisecond or two that the log's thread is not writing.
const PAGE: usize = 256;

/// A reader of history. It needs no queue: a slow one reads later.
#[derive(Debug)]
pub(super) struct Pages<S> {
    source: Arc<S>,
    published: watch::Receiver<Published>,
    next: Seq,
    page: VecDeque<Envelope>,
    last: Option<Seq>,
}

impl<S: DebugSource> Pages<S> {
    /// Reads from `next` to `last`; without a last one it never ends.
    pub(super) fn new(source: Arc<S>, next: Seq, last: Option<Seq>) -> Self {
        let published = source.published();
        Self { source, published, next, page: VecDeque::new(), last }
    }

    /// The next event; nothing after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Envelope>, Status> {
        loop {
            let past = |seq: Seq| self.last.is_some_and(|last| seq > last);
            if let Some(envelope) = self.page.pop_front() {
                self.next = envelope.seq.next();
                return Ok(Some(envelope).filter(|envelope| !past(envelope.seq)));
            }
            if past(self.next) {
                return Ok(None);
            }
            // Marked as seen before the look, so that what comes during it wakes the wait after it.
            self.published.mark_unchanged();
            self.page = self.source.history(self.next, PAGE).await.map_err(|error| status(&error))?.into();
            if !self.page.is_empty() {
                continue;
            }
            if self.last.is_some() {
                return Ok(None);
            }
            self.published.changed().await.map_err(|_| status(&SourceError::Away))?;
        }
    }
}

pub(super) fn status(error: &SourceError) -> Status {
    match error {
        SourceError::Away => Status::unavailable(error.to_string()),
        SourceError::Log { .. } => Status::data_loss(error.to_string()),
    }
}
