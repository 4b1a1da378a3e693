//! Requests in, answers out: the decisions of this crate with what the cluster must do for them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::{Request, StatusCode};
use liqo_model::ClusterId;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::entitlement::{Entitlement, offered, one_time, renewal, reusable};
use super::refusal::{Refusal, Step};
use super::reply::Reply;
use super::route::{Route, route};
use super::verdict::{Admitted, Verdict, admit, decide};
use super::{ApiServer, Provider, ProviderError, Tenant};
use crate::address::with_scheme;
use crate::metrics::Counted;
use crate::objects::one_time_token_name;
use crate::wire::{CertificateAnswer, CertificateRequest, Ids, NoAws, to_base64};
use crate::{Issued, Metrics};

/// Bytes of a body. A request with an RSA key of 8192 bits and two tokens has 6 KiB.
const LONGEST_BODY: usize = 64 * 1024;
/// Time for a body of that length, over a bad line.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Requests that ask Kubernetes for something at a time: each is a few calls of one connection. The others wait for a place.
const MOST_EXCHANGES: usize = 8;
/// Time for all that Kubernetes is asked for: 30 s for a signature, the rest for a place and short calls.
pub(crate) const EXCHANGE_TIME: Duration = Duration::from_secs(45);

/// Life of a certificate for who renews it: what is stolen is of use for that long, and who is away for ten days can still
/// renew.
const SHORT_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// How the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether the shared token is needed. Without it everybody who reaches the service gets an identity.
    pub authentication: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { authentication: true }
    }
}

/// The authentication service of a cluster.
pub struct AuthService<P> {
    provider: P,
    settings: Settings,
    metrics: Metrics,
    exchanges: Semaphore,
    /// Clusters for which something is under way, so that two requests of one cannot both be signed. As many as exchanges.
    under_way: Mutex<BTreeSet<ClusterId>>,
}

impl<P: Provider> AuthService<P> {
    /// A service of this cluster.
    pub fn new(provider: P, settings: Settings, metrics: Metrics) -> Self {
        let exchanges = Semaphore::new(MOST_EXCHANGES);
        Self { provider, settings, metrics, exchanges, under_way: Mutex::default() }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The answer to a request, whatever it is.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Reply {
        let route = route(request.method(), request.uri().path());
        if let Some(reply) = Reply::of(route) {
            self.metrics.request("misdirected");
            return reply;
        }
        let answered = match route {
            Route::Certificate => self.certificate(request.into_body()).await,
            _ => self.bounded(self.ids()).await,
        };
        answered.unwrap_or_else(|refusal| {
            self.metrics.request(refusal.outcome());
            report(&refusal);
            Reply::refused(&refusal)
        })
    }

    /// Waits for a place and for the exchange, not longer than both may take.
    async fn bounded(
        &self,
        exchange: impl Future<Output = Result<Reply, Refusal>>,
    ) -> Result<Reply, Refusal> {
        let _counted = Counted::in_gauge(&self.metrics.exchanges);
        let placed = async {
            // The semaphore is never closed, so there is a place; without one nothing would be counted.
            let _place = self.exchanges.acquire().await.ok();
            exchange.await
        };
        timeout(EXCHANGE_TIME, placed).await.unwrap_or(Err(Refusal::Timeout))
    }

    async fn ids(&self) -> Result<Reply, Refusal> {
        let own = self.provider.identity().await.map_err(at(Step::ReadIdentity))?;
        let ids = Ids { cluster_id: own.id.to_string(), cluster_name: own.name.to_string() };
        self.metrics.request("identified");
        Ok(Reply::json(StatusCode::OK, json(&ids)))
    }

    async fn certificate(&self, body: Incoming) -> Result<Reply, Refusal> {
        let body = read(body).await?;
        let request = CertificateRequest::parse(&body).map_err(Refusal::Malformed)?;
        drop(body);
        self.bounded(self.exchange(request)).await
    }

    async fn exchange(&self, request: CertificateRequest) -> Result<Reply, Refusal> {
        let by_token = self.entitlement(&request).await;
        if request.renewal_proof.is_empty() {
            by_token.as_ref().map_err(Clone::clone)?;
        }
        let own = self.provider.identity().await.map_err(at(Step::ReadIdentity))?;
        let admitted = admit(request, &own)?;
        let _under_way = self.begin(&admitted.cluster.id)?;
        // Without a token nothing is made for anybody whose proof does not hold.
        let entitlement = match self.renewal(&admitted).await? {
            Some(entitlement) => entitlement,
            None => by_token?,
        };
        // Before anything is made, so that a cluster that cannot be reached makes nothing.
        let api_server = self.provider.api_server().await.map_err(at(Step::FindApiServer))?;
        let namespace =
            self.provider.ensure_tenant(&admitted.cluster).await.map_err(at(Step::EnsureTenant))?;
        let tenant = Tenant { cluster: admitted.cluster.clone(), namespace };
        let kept = self.provider.issued(&tenant).await.map_err(at(Step::ReadIssued))?;
        let (certificate, outcome) = match decide(&admitted, &entitlement, kept.as_ref())? {
            Verdict::Sign => {
                self.bind(&entitlement, &tenant.cluster.id).await?;
                (self.sign(&admitted, &entitlement, &tenant).await?, outcome_of(&entitlement))
            }
            Verdict::Repeat { certificate } => (certificate, "repeated"),
        };
        self.provider.bind_basic(&tenant).await.map_err(at(Step::BindBasic))?;
        if let Some(token) = &admitted.peer_token {
            let kept = self.provider.keep_peer_token(&tenant.cluster, token).await;
            kept.map_err(at(Step::KeepPeerToken))?;
        }
        self.metrics.request(outcome);
        tracing::info!(
            cluster = %tenant.cluster.id, name = %tenant.cluster.name, namespace = %tenant.namespace, outcome,
            "the cluster has an identity here"
        );
        Ok(accepted(&tenant, &certificate, (&api_server, admitted.renews)))
    }

    /// Whether somebody asks by the key of the certificate that it has.
    async fn renewal(&self, admitted: &Admitted) -> Result<Option<Entitlement>, Refusal> {
        if admitted.renewal_proof.is_none() {
            return Ok(None);
        }
        let cluster = admitted.cluster.clone();
        let found = self.provider.tenant(&cluster).await.map_err(at(Step::ReadIssued))?;
        let Some(namespace) = found else { return Ok(None) };
        let kept =
            self.provider.issued(&Tenant { cluster, namespace }).await.map_err(at(Step::ReadIssued))?;
        Ok(kept.and_then(|kept| renewal(admitted, &kept)))
    }

    /// By which right somebody asks. What a stranger asks the API server for by this is bounded by the exchanges.
    async fn entitlement(&self, request: &CertificateRequest) -> Result<Entitlement, Refusal> {
        if !self.settings.authentication {
            return Ok(Entitlement::Open);
        }
        let own = self.provider.shared_token().await.map_err(at(Step::ReadToken))?;
        let (offered, asking) = (offered(&request.destination_token)?, &request.cluster.id);
        if let Some(entitlement) = reusable(&offered, &own, asking) {
            return Ok(entitlement);
        }
        let name = one_time_token_name(&offered).ok_or(Refusal::Token)?;
        let found = self.provider.one_time_token(&name).await.map_err(at(Step::ReadToken))?;
        one_time(found, &offered, asking, self.provider.now())
    }

    /// Before anything is signed a one-time token is its user's: of two clusters that use it at once, one gets nothing.
    async fn bind(&self, entitlement: &Entitlement, cluster: &ClusterId) -> Result<(), Refusal> {
        let Entitlement::OneTime(kept) = entitlement else { return Ok(()) };
        if kept.token.cluster.is_some() {
            return Ok(());
        }
        let bound = self.provider.bind_token(kept, cluster).await.map_err(at(Step::BindToken))?;
        if bound { Ok(()) } else { Err(Refusal::Busy) }
    }

    async fn sign(
        &self,
        admitted: &Admitted,
        entitlement: &Entitlement,
        tenant: &Tenant,
    ) -> Result<String, Refusal> {
        let csr = admitted.csr.pem();
        let life = admitted.renews.then_some(SHORT_LIFE);
        let certificate = self.provider.sign(tenant, &csr, life).await.map_err(at(Step::Sign))?;
        // Signing takes a while, in which what was issued before may be used, or another process be faster.
        let kept = self.provider.issued(tenant).await.map_err(at(Step::ReadIssued))?;
        if let Verdict::Repeat { certificate } = decide(admitted, entitlement, kept.as_ref())? {
            return Ok(certificate);
        }
        let proven_by = match entitlement {
            Entitlement::Renewal { proven_by } => proven_by.clone(),
            Entitlement::Open | Entitlement::Reusable | Entitlement::OneTime(_) => String::new(),
        };
        let over = kept.map(|kept| kept.version);
        let issued = Issued { csr, certificate, proven_by };
        let kept = self.provider.keep_issued(tenant, &issued, over.as_ref()).await;
        match decide(admitted, entitlement, Some(&kept.map_err(at(Step::KeepIssued))?))? {
            Verdict::Repeat { certificate } => Ok(certificate),
            Verdict::Sign => Err(Refusal::Busy),
        }
    }

    fn begin(&self, cluster: &ClusterId) -> Result<UnderWay<'_>, Refusal> {
        let begun = lock(&self.under_way).insert(cluster.clone());
        if begun {
            Ok(UnderWay { all: &self.under_way, cluster: cluster.clone() })
        } else {
            Err(Refusal::Busy)
        }
    }
}

/// A cluster's place among those for which something is under way.
struct UnderWay<'a> {
    all: &'a Mutex<BTreeSet<ClusterId>>,
    cluster: ClusterId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(self.all).remove(&self.cluster);
    }
}

/// A set of names is whole whatever happened to the one who changed it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at(step: Step) -> impl FnOnce(ProviderError) -> Refusal {
    move |error| Refusal::Provider { step, error }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > LONGEST_BODY as u64 {
        return Err(Refusal::TooLong);
    }
    match timeout(BODY_TIME, Limited::new(body, LONGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLong),
        // A body that breaks off is answered to nobody.
        Ok(Err(_)) | Err(_) => Err(Refusal::TooSlow),
    }
}

/// The word that a certificate by this right is counted under.
fn outcome_of(entitlement: &Entitlement) -> &'static str {
    match entitlement {
        Entitlement::Renewal { .. } => "renewed",
        Entitlement::Open | Entitlement::Reusable | Entitlement::OneTime(_) => "issued",
    }
}

fn accepted(tenant: &Tenant, certificate: &str, (api_server, renewable): (&ApiServer, bool)) -> Reply {
    let answer = CertificateAnswer {
        namespace: tenant.namespace.to_string(),
        certificate: to_base64(certificate.as_bytes()),
        api_server_url: with_scheme(&api_server.url),
        api_server_ca: api_server.ca.as_ref().map(|ca| to_base64(ca.as_bytes())),
        aws: NoAws::default(),
        renewable,
    };
    Reply::json(StatusCode::ACCEPTED, json(&answer))
}

/// These structs of texts can always be written.
fn json(answer: &impl serde::Serialize) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}

/// What the cluster could not do is for people to see. What peers do wrong is only counted, since they can do it at will.
fn report(refusal: &Refusal) {
    match refusal {
        Refusal::Provider { step, error } => {
            tracing::warn!(step = step.name(), %error, "a request for an identity is not fulfilled");
        }
        Refusal::Timeout => tracing::warn!("a request for an identity took too long"),
        other => tracing::debug!(outcome = other.outcome(), "a request for an identity is refused"),
    }
}
