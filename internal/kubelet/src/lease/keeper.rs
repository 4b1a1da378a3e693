//! Renews the Lease of the node while it is healthy.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::LeaseSettings;
use super::content::{NAMESPACE, renewed};
use crate::{Error, Metrics};

/// For one request: shorter than the pause between two renewals, so that a lost one costs none.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Requests for one renewal: somebody may have changed or deleted the Lease in between.
const ATTEMPTS: usize = 5;
/// After a failure, doubled with each in turn up to the pause between renewals.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Renews the Lease of the node until `shutdown` is done, but only while `healthy` says so; without `healthy`, always. When
/// it becomes healthy again, the Lease is renewed at once.
///
/// The Lease is left behind at the end: the node is missed when its time is over, not before.
pub async fn keep_lease(
    client: kube::Client,
    settings: LeaseSettings,
    healthy: Option<watch::Receiver<bool>>,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send,
) {
    let api = Api::namespaced(client, NAMESPACE);
    let mut keeper = Keeper { api, settings, metrics, seen: None };
    tokio::select! {
        () = keeper.keep(healthy) => {}
        () = shutdown => {}
    }
}

struct Keeper {
    api: Api<Lease>,
    settings: LeaseSettings,
    metrics: Metrics,
    /// The Lease as it was written last.
    seen: Option<Lease>,
}

impl Keeper {
    async fn keep(&mut self, mut healthy: Option<watch::Receiver<bool>>) {
        let mut failures = 0;
        loop {
            if let Some(healthy) = &mut healthy
                && healthy.wait_for(|healthy| *healthy).await.is_err()
            {
                // Whoever knew is gone, and said last that it is not healthy.
                return;
            }
            let interval = self.settings.interval();
            let pause = match self.renew().await {
                Ok(()) => {
                    self.metrics.renewed("renewed");
                    failures = 0;
                    interval
                }
                Err(error) => {
                    self.metrics.renewed("failed");
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the node's Lease was not renewed"
                    );
                    failures += 1;
                    FIRST_PAUSE
                        .saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX))
                        .min(interval)
                }
            };
            sleep(pause).await;
        }
    }

    async fn renew(&mut self) -> Result<(), Error> {
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let is_last = attempts.next().is_none_or(|attempt| attempt == ATTEMPTS);
            let written = timeout(ANSWER_TIME, self.attempt()).await;
            match written.unwrap_or_else(|late| Err(kube::Error::Service(Box::new(late)))) {
                Ok(()) => return Ok(()),
                Err(error) if is_race(&error) && !is_last => self.seen = None,
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    async fn attempt(&mut self) -> Result<(), kube::Error> {
        if self.seen.is_none() {
            self.seen = match self.api.get(&self.settings.node).await {
                Ok(lease) => Some(lease),
                Err(kube::Error::Api(status)) if status.code == 404 => None,
                Err(error) => return Err(error),
            };
        }
        let lease = renewed(self.seen.as_ref(), &self.settings, Timestamp::now());
        let parameters = PostParams::default();
        let written = match &self.seen {
            Some(_) => self.api.replace(&self.settings.node, &parameters, &lease).await?,
            None => self.api.create(&parameters, &lease).await?,
        };
        self.seen = Some(written);
        Ok(())
    }

    fn failed(&self, source: kube::Error) -> Error {
        Error::RenewLease { node: self.settings.node.clone(), source: Box::new(source) }
    }
}

/// Somebody was faster: it was changed, made or deleted meanwhile.
fn is_race(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}

#[cfg(test)]
mod tests;
