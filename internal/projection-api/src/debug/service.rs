//! The service.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use futures::stream::unfold;
use liqo_events::Seq;
use liqo_projections::{EventView, Filter};
use liqo_proto::debug as wire;
use liqo_proto::debug::debug_server::Debug;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::pages::{Pages, status};
use super::{convert, why};
use crate::DebugSource;

/// Events before the end that a tail begins with, unless asked otherwise: a screen of them.
const LAST: u32 = 20;
/// Bytes of one message of an export, beside its last record. Clients take 4 MiB unless told otherwise.
const MOST_BYTES: usize = 1024 * 1024;

/// `liqo.debug.v1.Debug`.
pub struct DebugService<S> {
    source: Arc<S>,
    stopping: watch::Receiver<bool>,
}

impl<S> fmt::Debug for DebugService<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DebugService").finish_non_exhaustive()
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl<S: DebugSource> DebugService<S> {
    /// A service that shows `source`. Streams end when `stopping` is true.
    pub fn new(source: Arc<S>, stopping: watch::Receiver<bool>) -> Self {
        Self { source, stopping }
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    fn last(&self) -> Seq {
        self.source.published().borrow().seq
    }

    /// A stream that ends when the process stops, so that the process does not wait for a reader.
    fn until_stopping<T: Send + 'static>(
        &self,
        answers: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> Answers<T> {
        let mut stopping = self.stopping.clone();
        let stopped = async move {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        Box::pin(futures::StreamExt::take_until(answers, Box::pin(stopped)))
    }
}

#[tonic::async_trait]
impl<S: DebugSource> Debug for DebugService<S> {
    type TailStream = Answers<wire::Event>;
    type ExportStream = Answers<wire::ExportResponse>;

    async fn tail(&self, request: Request<wire::TailRequest>) -> Result<Response<Self::TailStream>, Status> {
        let request = request.into_inner();
        let filter = convert::filter(&request)?;
        let last = self.last();
        let before_end = Seq((last.0 + 1).saturating_sub(u64::from(request.last.unwrap_or(LAST))));
        let first = request.from_seq.map_or(before_end, Seq).max(Seq::FIRST);
        let pages = Pages::new(self.source.clone(), first, if request.follow { None } else { Some(last) });
        Ok(Response::new(self.until_stopping(unfold((pages, filter), next_event))))
    }

    async fn get(&self, request: Request<wire::GetRequest>) -> Result<Response<wire::Event>, Status> {
        let seq = Seq(request.into_inner().seq);
        let found = self.source.history(seq, 1).await.map_err(|error| status(&error))?;
        let envelope = found.first().filter(|envelope| envelope.seq == seq).ok_or_else(|| {
            let last = self.last();
            Status::not_found(if seq > last {
                format!("event {seq} is not written yet: the last one is {last}")
            } else {
                format!("event {seq} is not in the log any more: retention dropped it")
            })
        })?;
        Ok(Response::new(convert::event(EventView::of(envelope))))
    }

    async fn why(&self, request: Request<wire::WhyRequest>) -> Result<Response<wire::WhyResponse>, Status> {
        let wire::WhyRequest { subject, depth } = request.into_inner();
        let subject = convert::subject(subject)?;
        why::explain(&self.source, subject, depth).await.map(Response::new)
    }

    async fn export(
        &self,
        request: Request<wire::ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let wire::ExportRequest { from_seq, to_seq } = request.into_inner();
        let last = to_seq.map_or(self.last(), Seq);
        let pages = Pages::new(self.source.clone(), from_seq.map_or(Seq::FIRST, Seq), Some(last));
        Ok(Response::new(self.until_stopping(unfold(pages, next_records))))
    }

    async fn state(&self, _: Request<wire::StateRequest>) -> Result<Response<wire::StateResponse>, Status> {
        let report = self.source.report().await.map_err(|error| status(&error))?;
        Ok(Response::new(convert::state(report)))
    }

    async fn release(
        &self,
        request: Request<wire::ReleaseRequest>,
    ) -> Result<Response<wire::ReleaseResponse>, Status> {
        let released = self.source.release(&request.into_inner().peer).await;
        released.map(|released| Response::new(convert::released(released))).map_err(convert::not_released)
    }
}

type Tail<S> = (Pages<S>, Filter);

async fn next_event<S: DebugSource>(
    (mut pages, mut filter): Tail<S>,
) -> Option<(Result<wire::Event, Status>, Tail<S>)> {
    loop {
        let view = match pages.next().await.transpose()? {
            Ok(envelope) => EventView::of(&envelope),
            Err(status) => return Some((Err(status), (pages, filter))),
        };
        if filter.passes(&view) {
            return Some((Ok(convert::event(view)), (pages, filter)));
        }
    }
}

async fn next_records<S: DebugSource>(
    mut pages: Pages<S>,
) -> Option<(Result<wire::ExportResponse, Status>, Pages<S>)> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    while bytes < MOST_BYTES {
        match pages.next().await {
            Ok(Some(envelope)) => {
                let record = envelope.to_bytes();
                bytes += record.len();
                records.push(record);
            }
            Ok(None) => break,
            Err(status) => return Some((Err(status), pages)),
        }
    }
    (!records.is_empty()).then_some((Ok(wire::ExportResponse { records }), pages))
}
