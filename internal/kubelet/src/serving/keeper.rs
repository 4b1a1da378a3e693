//! Asks the cluster for the serving certificate, again and again, and shows what it gets.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::wait::await_condition;
use rcgen::KeyPair;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::life::{Life, nap};
use super::{CertificateType, ServingTls};
use crate::{Error, Metrics};

/// A controller that runs grants at once. After this time it is said that nobody did.
const PATIENCE: Duration = Duration::from_secs(60);
/// A request is waited for so long, then there is a new one. Kubernetes keeps those without a decision for a day, so that
/// there are at most 24 of a node.
const REQUEST_COUNTS: Duration = Duration::from_secs(3600);
/// Between a failure and the next request, doubled with each failure in turn.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// For the answer to a request.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Who vouches for the node now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServingState {
    /// Nobody yet; it has just been asked.
    Asking,
    /// Nobody, and why. API servers with `--kubelet-certificate-authority` refuse it.
    SelfSigned {
        /// Why, in words.
        reason: String,
    },
    /// The cluster.
    Signed {
        /// The end of the certificate.
        not_after: Timestamp,
        /// When the next one is asked for.
        renew_at: Timestamp,
    },
}

/// Asks for the serving certificate and shows it.
pub struct CertificateKeeper {
    api: Api<CertificateSigningRequest>,
    tls: ServingTls,
    kind: CertificateType,
    state: watch::Sender<ServingState>,
    metrics: Metrics,
    failures: u32,
}

impl CertificateKeeper {
    /// Asks with `client`, as the service account of the virtual kubelet; and what it says about it.
    pub fn new(
        client: kube::Client,
        tls: ServingTls,
        kind: CertificateType,
        metrics: Metrics,
    ) -> (Self, watch::Receiver<ServingState>) {
        let (state, seen) = watch::channel(ServingState::Asking);
        let api = Api::all(client);
        (Self { api, tls, kind, state, metrics, failures: 0 }, seen)
    }

    /// Keeps the certificate until `shutdown` is done.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = self.keep() => {}
            () = shutdown => {}
        }
    }

    async fn keep(&mut self) {
        loop {
            match self.renew().await {
                Ok(renewal) => {
                    self.failures = 0;
                    while let Some(nap) = nap(Timestamp::now(), renewal) {
                        sleep(nap).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the node has no certificate of its cluster"
                    );
                    self.metrics.certified(outcome(&error));
                    self.fall_back(error.to_string());
                    sleep(pause(self.failures)).await;
                    self.failures = self.failures.saturating_add(1);
                }
            }
        }
    }

    /// Gets and shows the next certificate; when the one after it is due.
    async fn renew(&mut self) -> Result<Timestamp, Error> {
        let key = self.tls.identity().key()?;
        let Some(signer) = self.kind.signer() else {
            return self.sign_ourselves(&key, "--certificate-type is self-signed".to_owned());
        };
        let name = self.ask(&key, signer).await?;
        let granted = self.decision(&name).await?;
        let chain = chain(&granted);
        let life = chain.first().and_then(Life::of).ok_or_else(|| Error::ReadCertificate { name })?;
        self.tls.show(chain, &key)?;
        let renew_at = life.renewal(Timestamp::now());
        tracing::info!(not_after = %life.end, %renew_at, "the node shows a certificate of its cluster");
        self.metrics.certified("granted");
        self.metrics.certificate_end.set(life.end.as_second());
        self.state.send_replace(ServingState::Signed { not_after: life.end, renew_at });
        Ok(renew_at)
    }

    async fn ask(&self, key: &KeyPair, signer: &str) -> Result<String, Error> {
        let identity = self.tls.identity();
        let request = identity.request(key, signer)?;
        let parameters = PostParams::default();
        let created = timeout(ANSWER_TIME, self.api.create(&parameters, &request)).await;
        let created = created.unwrap_or_else(|late| Err(kube::Error::Service(Box::new(late))));
        let refused =
            |source| Error::RequestCertificate { node: identity.node.clone(), source: Box::new(source) };
        Ok(created.map_err(refused)?.metadata.name.unwrap_or_default())
    }

    /// Waits for what somebody decides about a request.
    async fn decision(&self, name: &str) -> Result<Vec<u8>, Error> {
        let mut decided = pin!(timeout(
            REQUEST_COUNTS,
            await_condition(self.api.clone(), name, |seen: Option<&CertificateSigningRequest>| {
                !matches!(judge(seen), Decision::Open)
            }),
        ));
        let undecided = || Error::RequestUndecided { name: name.to_owned() };
        let seen = match timeout(PATIENCE, decided.as_mut()).await {
            Ok(seen) => seen,
            Err(_) => {
                // It goes on waiting, but not in silence.
                tracing::warn!("{}", undecided());
                self.fall_back(undecided().to_string());
                decided.await
            }
        };
        let seen = seen.map_err(|_| undecided())?;
        let seen =
            seen.map_err(|source| Error::WatchRequest { name: name.to_owned(), source: Box::new(source) })?;
        match judge(seen.as_ref()) {
            Decision::Granted(certificate) => Ok(certificate),
            Decision::Refused(reason) => Err(Error::RequestRefused { name: name.to_owned(), reason }),
            Decision::Open => Err(undecided()),
        }
    }

    /// Without a new certificate, the one that there is is shown as long as it lasts.
    fn fall_back(&self, reason: String) {
        let now = Timestamp::now();
        let life = self.tls.certificate().as_ref().and_then(Life::of);
        let is_over = life.is_none_or(|life| life.is_over(now));
        if matches!(*self.state.borrow(), ServingState::Signed { .. }) && !is_over {
            return;
        }
        if is_over || life.is_some_and(|life| life.renewal(life.begin) <= now) {
            let signed = self.tls.identity().key().and_then(|key| self.sign_ourselves(&key, reason));
            if let Err(error) = signed {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the node has no certificate to show"
                );
            }
            return;
        }
        self.metrics.certificate_end.set(life.map_or(0, |life| life.end.as_second()));
        self.state.send_replace(ServingState::SelfSigned { reason });
    }

    fn sign_ourselves(&self, key: &KeyPair, reason: String) -> Result<Timestamp, Error> {
        let now = Timestamp::now();
        let certificate = self.tls.identity().self_signed(key, now)?;
        let life = Life::of(&certificate);
        self.tls.show(vec![certificate], key)?;
        self.metrics.certificate_end.set(life.map_or(0, |life| life.end.as_second()));
        self.state.send_replace(ServingState::SelfSigned { reason });
        Ok(life.map_or(now, |life| life.renewal(now)))
    }
}

/// What is to be known about a request.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Open,
    Granted(Vec<u8>),
    Refused(String),
}

fn judge(seen: Option<&CertificateSigningRequest>) -> Decision {
    let Some(request) = seen else {
        return Decision::Refused("it was deleted".to_owned());
    };
    let Some(status) = &request.status else { return Decision::Open };
    let conditions = status.conditions.iter().flatten();
    let mut bad =
        conditions.filter(|one| matches!(one.type_.as_str(), "Denied" | "Failed") && one.status == "True");
    if let Some(bad) = bad.next() {
        let words = [Some(&bad.type_), bad.reason.as_ref(), bad.message.as_ref()];
        return Decision::Refused(words.into_iter().flatten().cloned().collect::<Vec<_>>().join(": "));
    }
    match &status.certificate {
        Some(certificate) if !certificate.0.is_empty() => Decision::Granted(certificate.0.clone()),
        _ => Decision::Open,
    }
}

fn chain(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default()
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST_PAUSE)
}

fn outcome(error: &Error) -> &'static str {
    match error {
        Error::RequestRefused { .. } => "refused",
        Error::RequestUndecided { .. } => "undecided",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests;
