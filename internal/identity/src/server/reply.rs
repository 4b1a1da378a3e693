//! Answers as plain values, and the form that they have on the wire.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use super::refusal::Refusal;
use super::route::Route;

/// Everything that is answered is called this, JSON too: what Liqo 0.8.3 sends.
const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, &'static str)>,
    pub(crate) body: String,
}

impl Reply {
    /// An answer of JSON.
    pub(crate) fn json(status: StatusCode, body: String) -> Self {
        Self { status, headers: vec![(CONTENT_TYPE, PLAIN)], body }
    }

    /// An error in words.
    fn error(status: StatusCode, text: &str) -> Self {
        let headers = vec![(CONTENT_TYPE, PLAIN), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
        Self { status, headers, body: format!("{text}\n") }
    }

    /// What a peer is told when it gets nothing.
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let reply = Self::error(refusal.status(), &refusal.text());
        if refusal.ends_connection() { reply.with(CONNECTION, "close") } else { reply }
    }

    /// The answer of a route that asks for nothing; none for the others.
    pub(crate) fn of(route: Route) -> Option<Self> {
        match route {
            Route::Ids | Route::Certificate => None,
            Route::Moved { to, keep_method: false } => {
                let body = format!("<a href=\"{to}\">Moved Permanently</a>.\n\n");
                let headers = vec![(CONTENT_TYPE, HTML), (LOCATION, to)];
                Some(Self { status: StatusCode::MOVED_PERMANENTLY, headers, body })
            }
            Route::Moved { to, keep_method: true } => Some(Self {
                status: StatusCode::TEMPORARY_REDIRECT,
                headers: vec![(LOCATION, to)],
                body: String::new(),
            }),
            Route::Options { allow } => {
                Some(Self { status: StatusCode::OK, headers: vec![(ALLOW, allow)], body: String::new() })
            }
            Route::NoMethod { allow } => {
                Some(Self::error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").with(ALLOW, allow))
            }
            Route::NoPath => Some(Self::error(StatusCode::NOT_FOUND, "404 page not found")),
        }
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The form on the wire.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        let headers = self.headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)));
        response.headers_mut().extend(headers);
        response
    }
}
