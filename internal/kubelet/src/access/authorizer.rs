//! Judges callers, and remembers for a short while how.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use http::Method;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};

use super::attributes::attributes;
use super::cache::Cache;
use super::client_authority::ClientAuthority;
use super::{Attributes, Reviewer, User};
use crate::{Error, Metrics};

/// Answers that are remembered, of each kind. A cluster has a handful of callers of kubelets: its API servers, a metrics
/// server, Prometheus.
const MOST_ANSWERS: usize = 256;
/// A token or permission that is withdrawn counts for so long; kubelets take two and five minutes.
const GOOD_LASTS: Duration = Duration::from_secs(60);
/// A permission that is given is noticed within this time.
const BAD_LASTS: Duration = Duration::from_secs(10);
/// Questions to the API server at a time: strangers with invented tokens cause one each.
const MOST_QUESTIONS: usize = 8;

type TokenDigest = [u8; 32];

/// Judges callers by their certificate or token, and asks the cluster what they may do.
pub struct Authorizer<R> {
    reviewer: R,
    authority: RwLock<Option<ClientAuthority>>,
    tokens: Mutex<Cache<TokenDigest, User>>,
    decisions: Mutex<Cache<(User, Attributes), bool>>,
    questions: Semaphore,
    metrics: Metrics,
}

/// What a caller shows.
pub(crate) struct Caller<'a> {
    /// Certificates of the connection, whose key the caller has.
    pub(crate) certificates: &'a [CertificateDer<'static>],
    /// Bearer token, which goes nowhere but into a review.
    pub(crate) token: Option<&'a str>,
}

/// Why a caller gets nothing.
#[derive(Debug)]
pub(crate) enum Denial {
    /// It did not prove who it is.
    Anonymous,
    /// It may not.
    Forbidden { user: String, needed: Vec<Attributes> },
    /// Nobody knows.
    Unknown(Error),
}

impl<R: Reviewer> Authorizer<R> {
    /// Asks `reviewer`. Until [`Authorizer::trust`] no certificate counts.
    pub fn new(reviewer: R, metrics: Metrics) -> Self {
        Self {
            reviewer,
            authority: RwLock::new(None),
            tokens: Mutex::new(Cache::new(MOST_ANSWERS)),
            decisions: Mutex::new(Cache::new(MOST_ANSWERS)),
            questions: Semaphore::new(MOST_QUESTIONS),
            metrics,
        }
    }

    /// From now on, client certificates of these authorities count, PEM: `client-ca-file` of the ConfigMap
    /// `kube-system/extension-apiserver-authentication`. Connections that exist are judged by them too.
    ///
    /// # Errors
    ///
    /// [`Error::ReadClientAuthority`]; those that counted before go on to count then.
    pub fn trust(&self, client_authority: &str) -> Result<(), Error> {
        let authority = ClientAuthority::from_pem(client_authority)?;
        *self.authority.write().unwrap_or_else(PoisonError::into_inner) = Some(authority);
        Ok(())
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Lets a request pass, or says why not.
    pub(crate) async fn admit(&self, caller: Caller<'_>, method: &Method, path: &str) -> Result<(), Denial> {
        let user = self.authenticate(caller).await?;
        let needed = attributes(method, path);
        for one in &needed {
            if self.allowed(&user, *one).await? {
                return Ok(());
            }
        }
        Err(Denial::Forbidden { user: user.name, needed })
    }

    async fn authenticate(&self, caller: Caller<'_>) -> Result<User, Denial> {
        let authority = self.authority.read().unwrap_or_else(PoisonError::into_inner).clone();
        let certified = authority.and_then(|known| known.user(caller.certificates, UnixTime::now()));
        match (certified, caller.token) {
            (Some(user), _) => Ok(user),
            (None, Some(token)) => self.of_token(token).await,
            (None, None) => Err(Denial::Anonymous),
        }
    }

    async fn of_token(&self, token: &str) -> Result<User, Denial> {
        // A digest, so that no token stays in memory.
        let digest: TokenDigest = Sha256::digest(token.as_bytes()).into();
        if let Some(user) = lock(&self.tokens).get(&digest, Instant::now()) {
            return Ok(user);
        }
        let answer = {
            let _turn = self.questions.acquire().await;
            self.reviewer.token(token).await
        };
        self.count(&answer, |user| if user.is_some() { "token_accepted" } else { "token_refused" });
        // A refusal is not remembered: invented tokens would push out those that count.
        let user = answer.map_err(Denial::Unknown)?.ok_or(Denial::Anonymous)?;
        lock(&self.tokens).put(digest, user.clone(), Instant::now(), GOOD_LASTS);
        Ok(user)
    }

    async fn allowed(&self, user: &User, attributes: Attributes) -> Result<bool, Denial> {
        let key = (user.clone(), attributes);
        if let Some(allowed) = lock(&self.decisions).get(&key, Instant::now()) {
            return Ok(allowed);
        }
        let answer = {
            let _turn = self.questions.acquire().await;
            self.reviewer.access(user, attributes).await
        };
        self.count(&answer, |allowed| if *allowed { "access_allowed" } else { "access_denied" });
        let allowed = answer.map_err(Denial::Unknown)?;
        let lasts = if allowed { GOOD_LASTS } else { BAD_LASTS };
        lock(&self.decisions).put(key, allowed, Instant::now(), lasts);
        Ok(allowed)
    }

    fn count<T>(&self, answer: &Result<T, Error>, outcome: impl Fn(&T) -> &'static str) {
        self.metrics.reviewed(answer.as_ref().map_or("failed", outcome));
    }
}

fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked left a cache behind, and any cache does.
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
