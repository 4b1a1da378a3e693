//! Answers to callers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;

use super::trouble::Trouble;

/// An answer, whose body may still be on its way from the peer.
pub(super) type Reply = Response<UnsyncBoxBody<Bytes, kube::Error>>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Types of logs, objects and metrics.
const HARMLESS: [&str; 4] =
    ["text/plain", "application/json", "application/openmetrics-text", "application/vnd.google.protobuf"];
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A text.
pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    of(status, TEXT, text.into())
}

/// JSON that was asked for.
pub(super) fn json(bytes: impl Into<Bytes>) -> Reply {
    of(StatusCode::OK, JSON, bytes.into())
}

fn of(status: StatusCode, kind: HeaderValue, bytes: Bytes) -> Reply {
    let body = Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// What another API server answered, as it comes: nothing of the body is kept here, and who reads slowly slows the peer.
pub(super) fn relayed(answer: Response<Body>) -> Reply {
    let (head, body) = answer.into_parts();
    let mut reply = Response::new(body.boxed_unsync());
    *reply.status_mut() = head.status;
    let kind = head.headers.get(CONTENT_TYPE).filter(|kind| is_harmless(kind)).cloned().unwrap_or(TEXT);
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// Whether browsers of administrators, who see it through their own API server, run nothing of it.
fn is_harmless(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default();
    HARMLESS.contains(&kind.split(';').next().unwrap_or_default().trim())
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        text(trouble.status(), format!("{trouble}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_browsers_run_is_relayed_as_such() {
        for (given, expected) in [
            (Some("application/json"), "application/json"),
            (Some("text/plain; version=0.0.4; charset=utf-8"), "text/plain; version=0.0.4; charset=utf-8"),
            (Some("text/html"), "text/plain; charset=utf-8"),
            (Some("image/svg+xml"), "text/plain; charset=utf-8"),
            (None, "text/plain; charset=utf-8"),
        ] {
            let answer =
                given.into_iter().fold(Response::builder(), |answer, kind| answer.header(CONTENT_TYPE, kind));
            let reply = relayed(answer.body(Body::empty()).unwrap());
            assert_eq!(reply.headers()[CONTENT_TYPE], expected);
            assert_eq!(reply.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }
}
