//! The client of one API server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use http::header::RETRY_AFTER;
use kube::client::Body;
use liqo_model::ClusterRef;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::limits::TokenBucket;
use super::read_body::{Chunks, read_whole};
use super::{Limits, Refusal};
use crate::object::{RawObject, read_tree};
use crate::{Error, Metrics};

/// How long a connection may take. Longer than any round trip; a peer behind a dead route is given up on.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that is an error; of its message much less is kept.
const ERROR_BYTES: usize = 64 << 10;
/// Requests of leases at the same time, beside all others: each process has one lease, or two while they change.
const URGENT_IN_FLIGHT: usize = 4;
/// Without a wish of its own, a server that has too much to do is left alone this long. API servers say the same.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);

/// What a request does, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Patch,
    Delete,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Waits for its turn.
    Normal,
    /// A lease: losing it for the sake of other requests would end them all.
    Lease,
}

/// The client of one API server, with limits that no other client shares.
pub struct ApiServer {
    cluster: ClusterRef,
    client: kube::Client,
    limits: Limits,
    started: Instant,
    bucket: Mutex<TokenBucket>,
    permits: Semaphore,
    urgent_permits: Semaphore,
    metrics: Arc<Metrics>,
}

impl ApiServer {
    /// Makes a client of a configuration. Retries are taken out of it: who asks decides what a failure means.
    ///
    /// # Errors
    ///
    /// [`Error::Configure`] when certificates or credentials cannot be used.
    pub fn new(
        cluster: ClusterRef,
        config: kube::Config,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let mut config = config;
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Each kind of request has a limit of its own here; one for all reads would end quiet watches.
        config.read_timeout = None;
        match kube::Client::try_from(config) {
            Ok(client) => Ok(Self::from_client(cluster, client, limits, metrics)),
            Err(source) => Err(Error::Configure { cluster, source: Box::new(source) }),
        }
    }

    /// How much it is asked at once and over time.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Puts limits around a client that was made elsewhere, for instance one that goes through a proxy.
    pub fn from_client(
        cluster: ClusterRef,
        client: kube::Client,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            cluster,
            client,
            limits,
            started: Instant::now(),
            bucket: Mutex::new(TokenBucket::new(&limits)),
            permits: Semaphore::new(limits.in_flight.max(1)),
            urgent_permits: Semaphore::new(URGENT_IN_FLIGHT),
            metrics,
        }
    }

    /// Whose API server it is.
    pub fn cluster(&self) -> &ClusterRef {
        &self.cluster
    }

    /// Where its requests are counted.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The plain client beneath, without limits: for streams such as logs and exec.
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// Asks whether the server lives; it has `patience` for the answer. Goes before all other requests: that those wait for
    /// their turn says nothing of the server.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub async fn probe(&self, patience: Duration) -> Result<(), Refusal> {
        let request = Request::get("/livez").body(Vec::new());
        let request = request.map_err(|error| Refusal::Request { reason: error.to_string() })?;
        let answer = timeout(patience, self.call(Verb::Get, Urgency::Lease, request)).await;
        answer.unwrap_or(Err(Refusal::Timeout { after: patience })).map(|_| ())
    }

    /// One request and the object that it is answered with.
    pub(crate) async fn object(
        &self,
        verb: Verb,
        urgency: Urgency,
        request: Request<Vec<u8>>,
    ) -> Result<RawObject, Refusal> {
        let bytes = self.call(verb, urgency, request).await?;
        let unintelligible = |reason: String| Refusal::Unintelligible { reason };
        let tree = read_tree(&bytes).map_err(|error| unintelligible(error.to_string()))?;
        RawObject::from_tree(tree).map_err(|error| unintelligible(error.to_string()))
    }

    /// One request and the bytes that it is answered with.
    pub(crate) async fn call(
        &self,
        verb: Verb,
        urgency: Urgency,
        request: Request<Vec<u8>>,
    ) -> Result<Vec<u8>, Refusal> {
        let patience =
            if verb == Verb::List { self.limits.list_timeout } else { self.limits.request_timeout };
        let answered = timeout(patience, async {
            self.turn(urgency, patience).await?;
            let permits = if urgency == Urgency::Lease { &self.urgent_permits } else { &self.permits };
            // Never closed, so there is always a permit in the end.
            let _permit = permits.acquire().await;
            let body = self.send(request).await?;
            read_whole(body, self.limits.answer_bytes).await
        });
        let answer = answered.await.unwrap_or(Err(Refusal::Timeout { after: patience }));
        self.metrics.requested(&self.cluster, verb, answer.as_ref().err());
        answer
    }

    /// Opens a stream; the time limit is for its beginning only.
    pub(crate) async fn open(&self, verb: Verb, request: Request<Vec<u8>>) -> Result<Chunks, Refusal> {
        let patience = self.limits.request_timeout;
        let opened = timeout(patience, async {
            self.turn(Urgency::Normal, patience).await?;
            self.send(request).await
        });
        let answer = opened.await.unwrap_or(Err(Refusal::Timeout { after: patience }));
        self.metrics.requested(&self.cluster, verb, answer.as_ref().err());
        answer.map(Chunks::new)
    }

    /// Waits until a request may be sent.
    async fn turn(&self, urgency: Urgency, patience: Duration) -> Result<(), Refusal> {
        if urgency == Urgency::Lease {
            return Ok(());
        }
        let wait = self.with_bucket(|bucket, now| bucket.take(now, patience));
        sleep(wait.map_err(|after| Refusal::Throttled { after })?).await;
        // While this one waited for its token, the server may have asked for a pause.
        let closed = self.with_bucket(|bucket, now| bucket.closed_for(now));
        if !closed.is_zero() {
            sleep(closed).await;
        }
        Ok(())
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Body, Refusal> {
        let answer = self.client.send(request.map(Body::from)).await.map_err(|error| unreachable(&error))?;
        let code = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let retry_after =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        // What the text says matters to nobody but people, so a text that cannot be read is none.
        let body = read_whole(answer.into_body(), ERROR_BYTES).await.unwrap_or_default();
        let refusal = Refusal::from_answer(code, retry_after.as_deref(), &body);
        if code == 429 {
            let pause = refusal.retry_after().unwrap_or(DEFAULT_PAUSE);
            self.with_bucket(|bucket, now| bucket.close(now, pause));
        }
        Err(refusal)
    }

    fn with_bucket<T>(&self, act: impl FnOnce(&mut TokenBucket, Duration) -> T) -> T {
        let now = self.started.elapsed();
        // Whoever panicked while holding it left numbers behind, and any numbers do.
        act(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

fn unreachable(error: &kube::Error) -> Refusal {
    // The innermost cause says what the network said; the outer ones only that something failed.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Refusal::Unreachable { reason: super::refusal::one_line(&cause.to_string()) }
}
