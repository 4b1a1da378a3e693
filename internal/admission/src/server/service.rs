//! Requests in, answers out, with bounds in size, time and memory.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Request, Response};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::reply::{Misdirected, answered, misdirected};
use crate::answer::{Admission, Refusal};
use crate::metrics::Metrics;
use crate::port::Verdicts;
use crate::review::Review;
use crate::webhook::{Judge, Webhook};

/// Bytes of a body. The API server takes objects of 3 MiB, and etcd keeps those of 1.5 MiB, of which a change shows two.
pub(crate) const LONGEST_BODY: usize = 3 * 1024 * 1024;
/// Time for a body of that length. The API server is in the same cluster.
const BODY_TIME: Duration = Duration::from_secs(5);
/// Time for a verdict, after which the answer is that there is none: the API server waits for ten seconds in all, and its
/// own words would not say why.
const VERDICT_TIME: Duration = Duration::from_secs(4);
/// KiB of bodies that are judged at a time; the others wait. A body of nothing but small values takes thirty times its
/// length when it is read, so all take 200 MiB at worst, and 6 MiB hold hundreds of pods of the usual kind.
const ROOM_KIB: usize = 2 * LONGEST_BODY / KIB;
const KIB: usize = 1024;

/// Answers requests.
pub(crate) struct Service<V> {
    judge: Judge<V>,
    metrics: Metrics,
    room: Semaphore,
}

impl<V: Verdicts> Service<V> {
    pub(crate) fn new(judge: Judge<V>, metrics: Metrics) -> Self {
        Self { judge, metrics, room: Semaphore::new(ROOM_KIB) }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The answer to a request, whatever it is.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.ask(request).await.map_or_else(
            |why| {
                tracing::debug!(reason = why.reason(), "a request to the webhooks is no question");
                self.metrics.misdirected(why.reason());
                misdirected(why)
            },
            answered,
        )
    }

    async fn ask(&self, request: Request<Incoming>) -> Result<Vec<u8>, Misdirected> {
        let webhook = Webhook::of(request.uri().path()).ok_or(Misdirected::Path)?;
        if request.method() != Method::POST {
            return Err(Misdirected::Method);
        }
        if !is_json(request.headers()) {
            return Err(Misdirected::ContentType);
        }
        let body = read(request.into_body()).await?;
        let kib = u32::try_from(body.len() / KIB + 1).unwrap_or(u32::MAX);
        // The semaphore is never closed, so only time can run out.
        let _room =
            timeout(VERDICT_TIME, self.room.acquire_many(kib)).await.map_err(|_| Misdirected::Busy)?;
        let review = Review::parse(&body).map_err(Misdirected::Review)?;
        drop(body);
        Ok(self.verdict(webhook, &review).await)
    }

    async fn verdict(&self, webhook: Webhook, review: &Review) -> Vec<u8> {
        let begun = Instant::now();
        let judged = timeout(VERDICT_TIME, self.judge.judge(webhook, &review.request)).await;
        let answer = judged.unwrap_or_else(|_| {
            Err(Refusal::Unavailable("the webhook has no verdict in time: try again in a moment".to_owned()))
        });
        let verdict = word(&answer);
        self.metrics.review(webhook.name(), verdict, begun.elapsed());
        report(webhook, review, &answer);
        review.answered(answer.as_ref())
    }
}

/// The verdict in one word.
fn word(answer: &Result<Admission, Refusal>) -> &'static str {
    match answer {
        Ok(admission) if admission.patch.is_empty() => "admitted",
        Ok(_) => "patched",
        Err(Refusal::Forbidden(_)) => "forbidden",
        Err(Refusal::Malformed(_)) => "malformed",
        Err(Refusal::Unavailable(_)) => "unavailable",
    }
}

/// What nobody could tell is for people to see. What is wrong with objects is told to who wrote them.
fn report(webhook: Webhook, review: &Review, answer: &Result<Admission, Refusal>) {
    let Err(refusal) = answer else { return };
    let (webhook, namespace) = (webhook.name(), review.request.namespace.as_deref().unwrap_or_default());
    let reason = refusal.message();
    match refusal {
        Refusal::Unavailable(_) => tracing::warn!(webhook, namespace, reason, "an object is refused for now"),
        Refusal::Forbidden(_) | Refusal::Malformed(_) => {
            tracing::debug!(webhook, namespace, reason, "an object is refused");
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(body: Incoming) -> Result<Bytes, Misdirected> {
    if body.size_hint().lower() > LONGEST_BODY as u64 {
        return Err(Misdirected::TooLong);
    }
    match timeout(BODY_TIME, Limited::new(body, LONGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Misdirected::TooLong),
        // A body that breaks off is answered to nobody.
        Ok(Err(_)) | Err(_) => Err(Misdirected::TooSlow),
    }
}
