//! Answers as plain values, and the form that they have on the wire.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Why a request is no question. The API server takes any of these as a failure, and does what `failurePolicy` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// There is no such webhook.
    Path,
    /// Questions are posted.
    Method,
    /// It is no JSON.
    ContentType,
    /// It is too long.
    TooLong,
    /// It does not come.
    TooSlow,
    /// There is no room to judge it.
    Busy,
    /// It is no AdmissionReview.
    Review(&'static str),
}

impl Misdirected {
    fn status(self) -> StatusCode {
        match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Review(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// In one word, for metrics.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Method => "method",
            Self::ContentType => "content-type",
            Self::TooLong => "too-long",
            Self::TooSlow => "too-slow",
            Self::Busy => "busy",
            Self::Review(_) => "review",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Path => "there is no such webhook",
            Self::Method => "webhooks are asked with POST",
            Self::ContentType => "Content-Type has to be application/json",
            Self::TooLong => "the body is too long",
            Self::TooSlow => "the body did not come in time",
            Self::Busy => "too many questions at a time: try again in a moment",
            Self::Review(text) => text,
        }
    }
}

/// The answer to a question.
pub(crate) fn answered(body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The answer to what is no question. It ends the connection: the rest of the request is not read.
pub(crate) fn misdirected(why: Misdirected) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{}\n", why.text()))));
    *response.status_mut() = why.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, PLAIN);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if why == Misdirected::Method {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}
