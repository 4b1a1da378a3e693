//! The service: who calls, whether they may, and their stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use liqo_events::Seq;
use liqo_projections::fabric::GATEWAY_TOPIC;
use liqo_proto::projection as wire;
use liqo_proto::projection::projection_server::{Projection, ProjectionServer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::feed::Feeds;
use super::ring::Position;
use super::stream::{Open, Reader, STREAM_LIFE, not_live};
use super::{AUDIENCE, Identity, ReviewError, Roles, TokenReviewer};
use crate::{AgentReport, Metrics, ProjectionSource};

/// Streams at a time: one for each node of the largest cluster that Kubernetes supports, and some for gateways and for
/// connections that are being replaced.
const MOST_STREAMS: usize = 6000;
/// Token reviews at a time: after a change of the leader every agent comes at once, and the API server has other work.
const MOST_REVIEWS: usize = 32;
/// Longest wait for a token review, the wait for its turn included.
const REVIEW: Duration = Duration::from_secs(10);

/// `liqo.projection.v1.Projection`.
pub struct ProjectionService<S, R> {
    feeds: Feeds<S>,
    reviewer: Arc<R>,
    roles: Roles,
    streams: Arc<Semaphore>,
    reviews: Semaphore,
    metrics: Metrics,
    stopping: watch::Receiver<bool>,
}

impl<S, R> fmt::Debug for ProjectionService<S, R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ProjectionService").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl<S: ProjectionSource, R: TokenReviewer> ProjectionService<S, R> {
    /// A service that shows `source` to those whom `reviewer` knows, by their roles. Streams end when `stopping` is true.
    pub fn new(source: Arc<S>, reviewer: Arc<R>, roles: Roles, stopping: watch::Receiver<bool>) -> Self {
        Self {
            feeds: Feeds::new(source),
            reviewer,
            roles,
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            reviews: Semaphore::new(MOST_REVIEWS),
            metrics: Metrics::default(),
            stopping,
        }
    }

    /// Counts in these metrics.
    #[must_use]
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    pub(super) fn into_server(self: Arc<Self>) -> ProjectionServer<Self> {
        ProjectionServer::from_arc(self)
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    fn refused(&self, reason: &'static str, status: Status) -> Status {
        self.metrics.refuse(reason);
        status
    }

    async fn caller(&self, metadata: &MetadataMap) -> Result<Identity, Status> {
        let token = bearer(metadata).ok_or_else(|| {
            let message =
                format!("send metadata `authorization: Bearer TOKEN` with a token of audience {AUDIENCE}");
            self.refused("no token", Status::unauthenticated(message))
        })?;
        let review = async {
            let _turn = self.reviews.acquire().await;
            self.reviewer.review(token, AUDIENCE).await
        };
        match timeout(REVIEW, review).await {
            Ok(Ok(identity)) => Ok(identity),
            Ok(Err(error @ ReviewError::Refused { .. })) => {
                Err(self.refused("token", Status::unauthenticated(error.to_string())))
            }
            Ok(Err(error @ ReviewError::Unavailable { .. })) => {
                Err(self.refused("review", Status::unavailable(error.to_string())))
            }
            Err(_) => {
                Err(self.refused("review", Status::unavailable("the token could not be checked in time")))
            }
        }
    }

    /// Takes in what one agent says, one message after the other.
    async fn listen(&self, request: Request<Streaming<wire::ReportRequest>>) -> Result<(), Status> {
        let (metadata, _, mut messages) = request.into_parts();
        let caller = self.caller(&metadata).await?;
        let _slot = self.slot()?;
        let (mut stopping, ends) = (self.stopping.clone(), Instant::now() + STREAM_LIFE);
        loop {
            let message = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => {
                    return Err(Status::unavailable("this process is stopping: connect again"));
                }
                () = sleep_until(ends) => {
                    return Err(Status::unavailable("the token has to be checked again: connect again"));
                }
                message = messages.message() => message?,
            };
            let Some(message) = message else { return Ok(()) };
            if message.topic != GATEWAY_TOPIC || !self.roles.allow(&caller, &message.topic) {
                let reason = format!("{} may not report on {:?}", caller.service_account, message.topic);
                return Err(self.refused("topic", Status::permission_denied(reason)));
            }
            let source = self.feeds.source();
            if !source.published().borrow().live {
                return Err(not_live());
            }
            let taken_in = source.reported(AgentReport::of_wire(message)).await;
            taken_in.map_err(|error| Status::unavailable(error.to_string()))?;
        }
    }

    fn slot(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.streams.clone().try_acquire_owned().map_err(|_| {
            let message = format!("{MOST_STREAMS} streams are open, which is the bound: try again later");
            self.refused("full", Status::resource_exhausted(message))
        })
    }

    async fn reader(&self, request: Request<wire::WatchRequest>) -> Result<Reader, Status> {
        let (metadata, _, wire::WatchRequest { topic, from }) = request.into_parts();
        let caller = self.caller(&metadata).await?;
        if !self.roles.allow(&caller, &topic) {
            let message = format!("{} may not watch {topic:?}", caller.service_account);
            return Err(self.refused("topic", Status::permission_denied(message)));
        }
        let slot = self.slot()?;
        let feed = self.feeds.join(&topic).await.map_err(|error| Status::unavailable(error.to_string()))?;
        let feed = feed.ok_or_else(|| Status::not_found(format!("there is no topic {topic:?}")))?;
        let from = from.map(|from| Position { epoch: from.epoch, seq: Seq(from.seq) });
        Ok(Reader::new(feed, from, self.stopping.clone(), Open::new(self.metrics.clone(), slot)))
    }
}

fn bearer(metadata: &MetadataMap) -> Option<&str> {
    let (scheme, token) = metadata.get("authorization")?.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}

#[tonic::async_trait]
impl<S: ProjectionSource, R: TokenReviewer> Projection for ProjectionService<S, R> {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<wire::WatchResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<wire::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let reader = self.reader(request).await?;
        Ok(Response::new(Box::pin(reader.messages())))
    }

    async fn report(
        &self,
        request: Request<Streaming<wire::ReportRequest>>,
    ) -> Result<Response<wire::ReportResponse>, Status> {
        self.listen(request).await.map(|()| Response::new(wire::ReportResponse {}))
    }
}
