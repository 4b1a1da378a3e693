//! One request and its answer over HTTP/1.1.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::request::Builder;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;

use super::answer::Answer;
use super::tls::Connectors;
use super::{EnrolError, Identity, Target};
use crate::renewal::prove;
use crate::token::Token;
use crate::wire::{CERTIFICATE_PATH, CertificateRequest, IDS_PATH, to_base64};
use crate::{Cluster, Error, Metrics, Pin, PrivateKey, Secret};

/// Time for one request with everything that it takes, as in Liqo 0.8.3.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of an answer: those of Liqo 0.8.3 have 3 KiB, and a bundle of authorities of an API server may have some 100.
const LONGEST_ANSWER: usize = 256 * 1024;
/// What the other end sees as our program.
const AGENT: &str = concat!("liqo/", env!("CARGO_PKG_VERSION"));

/// What a consumer asks a provider with.
#[derive(Clone, Copy)]
pub struct Application<'a> {
    /// The consumer itself.
    pub cluster: &'a Cluster,
    /// Its key. The same key makes the same request, which a provider answers again when its answer was lost: keep the key
    /// until there is an identity.
    pub key: &'a PrivateKey,
    /// The token of the provider, if one is known.
    pub token: Option<&'a Secret>,
    /// A token of the consumer, so that the provider can ask for an identity in turn. It goes to whoever answers at the
    /// URL: without verification of the certificate, and a token without a pin, that can be anybody.
    pub own_token: Option<&'a Secret>,
    /// The key of the certificate that the consumer has: with it no token is needed.
    pub earlier: Option<&'a PrivateKey>,
}

/// Asks authentication services.
#[derive(Clone)]
pub struct AuthClient {
    connectors: Connectors,
    pub(super) metrics: Metrics,
}

impl AuthClient {
    /// A client that trusts the roots of the system and these, PEM.
    ///
    /// # Errors
    ///
    /// [`Error::ReadCertificate`], [`Error::MakeClient`].
    pub fn new(more_roots: &[u8], metrics: Metrics) -> Result<Self, Error> {
        Ok(Self { connectors: Connectors::new(more_roots)?, metrics })
    }

    /// Who a provider is. Its name is empty when it does not say.
    ///
    /// # Errors
    ///
    /// [`EnrolError`].
    pub async fn ids(&self, target: &Target) -> Result<Cluster, EnrolError> {
        let request = request(target, Method::GET, IDS_PATH).body(Full::default());
        self.ask((target, None), request).await?.into_cluster()
    }

    /// Gets an identity at a provider.
    ///
    /// # Errors
    ///
    /// [`EnrolError`], whose [`EnrolError::disposition`] says what may be done.
    pub async fn enrol(&self, target: &Target, application: Application<'_>) -> Result<Identity, EnrolError> {
        let enrolled = self.apply(target, application).await;
        self.metrics.enrolment(enrolled.as_ref().map_or_else(EnrolError::outcome, |_| "enrolled"));
        enrolled
    }

    async fn apply(&self, target: &Target, application: Application<'_>) -> Result<Identity, EnrolError> {
        let no_request = |source| EnrolError::Request { endpoint: target.authority(), source };
        let key = application.key;
        let csr = key
            .signing_request(&application.cluster.id)
            .map_err(|error| no_request(Box::new(error) as Box<_>))?;
        let proof = application.earlier.map(|earlier| prove(earlier, &application.cluster.id, &csr));
        let proof = proof.transpose().map_err(|error| no_request(Box::new(error)))?;
        let pin = pin(target, application.token)?;
        let or_none = |token: Option<&Secret>| token.cloned().unwrap_or_else(|| Secret::new(""));
        let request = CertificateRequest {
            cluster: application.cluster.clone(),
            origin_token: or_none(application.own_token),
            destination_token: or_none(application.token),
            signing_request: to_base64(csr.as_bytes()),
            renewal_proof: proof.as_deref().map(to_base64).unwrap_or_default(),
            renews: true,
        };
        let body = request.body().map_err(|error| no_request(Box::new(error)))?;
        let sent = self::request(target, Method::POST, CERTIFICATE_PATH)
            // What Liqo 0.8.3 calls its JSON.
            .header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
            .body(Full::new(Bytes::from(body)));
        let answer = self.ask((target, pin), sent).await?;
        answer.into_identity(key, &[&request.origin_token, &request.destination_token])
    }

    async fn ask(
        &self,
        (target, pin): (&Target, Option<Pin>),
        request: Result<Request<Full<Bytes>>, http::Error>,
    ) -> Result<Answer, EnrolError> {
        let endpoint = target.authority();
        let request = request
            .map_err(|error| EnrolError::Request { endpoint: endpoint.clone(), source: Box::new(error) })?;
        let late = EnrolError::Timeout { endpoint, seconds: LIMIT.as_secs() };
        timeout(LIMIT, self.connect((target, pin), request)).await.map_err(|_| late)?
    }

    async fn connect(
        &self,
        (target, pin): (&Target, Option<Pin>),
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, EnrolError> {
        let endpoint = target.authority();
        let connect = |source| EnrolError::Connect { endpoint: endpoint.clone(), source };
        let stream = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(connect)?;
        if !target.tls {
            return exchange(stream, request, endpoint).await;
        }
        let untrusted = |source| match pin {
            Some(_) => EnrolError::Pin { endpoint: endpoint.clone(), source: Some(source) },
            None => EnrolError::Tls { endpoint: endpoint.clone(), source },
        };
        let name = ServerName::try_from(target.host.clone())
            .map_err(|error| untrusted(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let connector = self.connectors.get(pin, target.skip_verify).map_err(io::Error::other);
        let connector = connector.map_err(untrusted)?;
        let stream = connector.connect(name, stream).await.map_err(untrusted)?;
        exchange(stream, request, endpoint).await
    }
}

/// The key that whoever answers must have. Without TLS nobody can prove that.
fn pin(target: &Target, token: Option<&Secret>) -> Result<Option<Pin>, EnrolError> {
    let Some(token) = token else { return Ok(None) };
    let endpoint = target.authority();
    match Token::parse(token).ok_or_else(|| EnrolError::Token { endpoint: endpoint.clone() })?.pin {
        Some(_) if !target.tls => Err(EnrolError::Pin { endpoint, source: None }),
        pin => Ok(pin),
    }
}

fn request(target: &Target, method: Method, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(format!("{}{path}", target.prefix))
        .header(HOST, target.authority())
        .header(USER_AGENT, AGENT)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
    endpoint: String,
) -> Result<Answer, EnrolError> {
    let broken = |source| EnrolError::Exchange { endpoint: endpoint.clone(), source };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the set, when the answer is there or not wanted any more.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = wait.map(str::to_owned);
    let body = read(response.into_body(), &endpoint).await?;
    Ok(Answer { endpoint, status, retry_after, body })
}

async fn read(body: Incoming, endpoint: &str) -> Result<Vec<u8>, EnrolError> {
    let endpoint = endpoint.to_owned();
    match Limited::new(body, LONGEST_ANSWER).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(EnrolError::Answer { endpoint, reason: "it is longer than any identity" })
        }
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(source) => Err(EnrolError::Exchange { endpoint, source: *source }),
            Err(_) => Err(EnrolError::Answer { endpoint, reason: "it breaks off" }),
        },
    }
}
