//! One request and its answer.

use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, on};
use jiff::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::call::Server;
use super::relay::Relay;
use super::reply::{Reply, json, relayed, text};
use super::route::{Place, Route};
use super::trouble::Trouble;
use super::{Backend, stats};
use crate::access::Caller;
use crate::peer::{Stream, handshake, log_target, method, stream_target};
use crate::{Authorizer, RemotePod, Reviewer};

/// What answers requests.
pub(super) struct Kubelet<R, B> {
    pub(super) authorizer: Arc<Authorizer<R>>,
    pub(super) backend: Arc<B>,
    pub(super) started: Timestamp,
}

/// What is known of a connection.
#[derive(Default)]
pub(super) struct Wire {
    /// What the caller showed in the handshake.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// The stream that the connection becomes, once the answer is written.
    pub(super) relay: Mutex<Option<Relay>>,
}

impl<R: Reviewer, B: Backend> Kubelet<R, B> {
    pub(super) async fn answer(&self, mut request: Request<Incoming>, wire: &Wire) -> Reply {
        let upgrade = on(&mut request);
        // No request of this API has a body.
        let (head, _) = request.into_parts();
        let reply = self.judged(&head, upgrade, wire).await.unwrap_or_else(Reply::from);
        self.authorizer.metrics().answered(Route::of(head.uri.path()).word(), reply.status().as_u16());
        reply
    }

    async fn judged(&self, head: &Parts, upgrade: OnUpgrade, wire: &Wire) -> Result<Reply, Trouble> {
        let path = head.uri.path();
        let caller = Caller { certificates: &wire.certificates, token: bearer(&head.headers) };
        self.authorizer.admit(caller, &head.method, path).await?;
        let route = Route::of(path);
        if route == Route::Unknown {
            return Err(Trouble::NoPath);
        }
        if !route.takes(&head.method) {
            return Err(Trouble::NoMethod);
        }
        let query = head.uri.query().unwrap_or_default();
        match route {
            Route::Health => Ok(text(StatusCode::OK, "ok")),
            Route::Pods => self.pods().await,
            Route::Summary => {
                let summary = stats::stats(&*self.backend, &self.peer()?, self.started).await?;
                Ok(json(summary.to_string()))
            }
            Route::Scrape(path) => self.scrape(path).await,
            Route::Log(place) => self.log(place, query).await,
            Route::Stream(stream, place) => self.stream(stream, place, head, (upgrade, wire)).await,
            Route::Unknown => Err(Trouble::NoPath),
        }
    }

    fn peer(&self) -> Result<Server, Trouble> {
        let client = self.backend.peer().ok_or(Trouble::NoIdentity)?;
        Ok(Server { client, whose: "peer's" })
    }

    fn locate(&self, place: Place<'_>) -> Result<RemotePod, Trouble> {
        let Place { namespace, pod, .. } = place;
        let unknown = || Trouble::NoPod { namespace: namespace.to_owned(), pod: pod.to_owned() };
        self.backend.locate(namespace, pod).ok_or_else(unknown)
    }

    async fn pods(&self) -> Result<Reply, Trouble> {
        let local = Server { client: self.backend.local(), whose: "local" };
        let target = format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{}", self.backend.node());
        local.get(&target).await.map(relayed)
    }

    async fn scrape(&self, path: &str) -> Result<Reply, Trouble> {
        let target = format!("/apis/metrics.liqo.io/v1alpha1/scrape/{}{path}", self.backend.home_cluster());
        self.peer()?.get(&target).await.map(relayed)
    }

    async fn log(&self, place: Place<'_>, query: &str) -> Result<Reply, Trouble> {
        let target = log_target(&self.locate(place)?, place.container, query)?;
        self.peer()?.get(&target).await.map(relayed)
    }

    async fn stream(
        &self,
        stream: Stream,
        place: Place<'_>,
        head: &Parts,
        (upgrade, wire): (OnUpgrade, &Wire),
    ) -> Result<Reply, Trouble> {
        let asked = handshake(&head.headers).ok_or(Trouble::NoUpgrade)?;
        let query = head.uri.query().unwrap_or_default();
        let target = stream_target(stream, &self.locate(place)?, place.container, query)?;
        let peer = self.peer()?;
        let answer = peer.call(method(&asked), &target, asked).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return refused(answer, &peer).await;
        }
        let unusable = |reason: String| Trouble::Unusable { whose: peer.whose, reason };
        let agreed = handshake(answer.headers())
            .ok_or_else(|| unusable("it switches protocols and does not say to which".to_owned()))?;
        let connection = on(answer).await.map_err(|error| unusable(error.to_string()))?;
        let relay = Relay { caller: upgrade, peer: connection };
        *wire.relay.lock().unwrap_or_else(PoisonError::into_inner) = Some(relay);
        let mut reply = text(StatusCode::SWITCHING_PROTOCOLS, "");
        *reply.headers_mut() = agreed;
        Ok(reply)
    }
}

/// A stream that does not begin. Callers read the `Status` of a refusal, so it is passed on as it is.
async fn refused(answer: Response<kube::client::Body>, peer: &Server) -> Result<Reply, Trouble> {
    let status = answer.status();
    if status.is_success() {
        let reason = format!("{status} instead of a stream");
        return Err(Trouble::Unusable { whose: peer.whose, reason });
    }
    let is_ours = status == StatusCode::UNAUTHORIZED;
    if !is_ours && (status.is_client_error() || status.is_server_error()) {
        return Ok(relayed(answer));
    }
    peer.granted(answer).await.map(relayed)
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_tokens() {
        for (value, expected) in [
            ("Bearer t", Some("t")),
            ("bearer t", Some("t")),
            ("Bearer ", None),
            ("Bearer", None),
            ("Basic t", None),
            ("t", None),
        ] {
            let headers = [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
            assert_eq!(bearer(&headers), expected, "{value}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
