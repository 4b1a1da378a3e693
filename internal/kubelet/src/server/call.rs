//! Requests to API servers, and what becomes of their refusals.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde::Deserialize;
use tokio::time::timeout;

use super::trouble::Trouble;

/// Until an answer begins, as for streams of Liqo 0.8.3.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Bytes of a refusal that are read; a `Status` has some hundred.
const LONGEST_REFUSAL: usize = 64 << 10;

/// An API server, and what it is called in words.
pub(super) struct Server {
    pub(super) client: kube::Client,
    pub(super) whose: &'static str,
}

impl Server {
    /// Asks, and gives what is answered, whatever it is.
    pub(super) async fn call(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
    ) -> Result<Response<Body>, Trouble> {
        let whose = self.whose;
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = target
            .parse()
            .map_err(|_| Trouble::Unusable { whose, reason: "its path is too long".to_owned() })?;
        *request.headers_mut() = headers;
        match timeout(ANSWER_TIME, self.client.send(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Trouble::Unreachable { whose, reason: innermost(&error) }),
            Err(_) => Err(Trouble::Late { whose, seconds: ANSWER_TIME.as_secs() }),
        }
    }

    /// Asks for something to read; a refusal is a trouble.
    pub(super) async fn get(&self, target: &str) -> Result<Response<Body>, Trouble> {
        self.granted(self.call(Method::GET, target, HeaderMap::new()).await?).await
    }

    /// An answer that is a success.
    pub(super) async fn granted(&self, answer: Response<Body>) -> Result<Response<Body>, Trouble> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        // What cannot be read is no text for people either.
        let body = read(answer.into_body(), LONGEST_REFUSAL).await.unwrap_or_default();
        let message =
            message(&body).unwrap_or_else(|| format!("the {} API server answered {status}", self.whose));
        Err(refusal(self.whose, status, message))
    }
}

/// A refusal as it is passed on.
fn refusal(whose: &'static str, status: StatusCode, message: String) -> Trouble {
    if status == StatusCode::UNAUTHORIZED {
        // The caller did nothing wrong, and would be told to log in.
        return Trouble::BadIdentity { whose, message };
    }
    if status.is_client_error() || status.is_server_error() {
        return Trouble::Refused { status, message };
    }
    Trouble::Unusable { whose, reason: format!("{status}") }
}

/// A body that is not longer than this.
pub(super) async fn read(body: Body, limit: usize) -> Option<Bytes> {
    Some(Limited::new(body, limit).collect().await.ok()?.to_bytes())
}

/// What a refusal says: the message of a `Status`, or the text when it is none, for instance of a proxy.
fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let text = match serde_json::from_slice::<Status>(body) {
        Ok(status) => status.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The innermost cause says what the network said; the outer ones only that something failed.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_the_servers_own() {
        let status =
            br#"{"kind":"Status","message":"container \"x\" is not valid for pod web-0","code":400}"#;
        assert_eq!(message(status).unwrap(), "container \"x\" is not valid for pod web-0");
        assert_eq!(message(b" no upstream\n").unwrap(), "no upstream");
        assert_eq!(message(b"\n"), None);
    }

    #[test]
    fn our_own_credential_is_not_the_callers_fault() {
        let code = |status| refusal("peer's", status, String::new()).status().as_u16();
        assert_eq!(code(StatusCode::UNAUTHORIZED), 502);
        assert_eq!(code(StatusCode::FORBIDDEN), 403);
        assert_eq!(code(StatusCode::NOT_FOUND), 404);
        assert_eq!(code(StatusCode::SERVICE_UNAVAILABLE), 503);
        assert_eq!(code(StatusCode::FOUND), 502);
    }
}
