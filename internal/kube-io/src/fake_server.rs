//! An API server of a few lines that answers what a test has written, to inject faults that a real one cannot be asked
//! for. What real ones answer is tested with real ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt;
use liqo_model::ClusterRef;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::{ApiServer, Limits, Metrics};

/// One request as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// `GET /api/v1/pods?watch=true`.
    pub(crate) line: String,
    /// The body, null when there is none.
    pub(crate) body: Value,
}

/// What it is answered with.
pub(crate) enum Reply {
    /// A code and JSON.
    Json(u16, Value),
    /// A code, a wish to wait, and a text.
    Text(u16, Option<&'static str>, &'static str),
    /// 200 and chunks as the test sends them; the end of the channel is the end of the stream.
    Stream(mpsc::Receiver<String>),
    /// Nothing, for ever.
    Silence,
}

type Script = Box<dyn FnMut(&Asked) -> Reply + Send>;

/// A running server.
pub(crate) struct FakeServer {
    pub(crate) server: Arc<ApiServer>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeServer {
    /// Answers each request as `script` says.
    pub(crate) async fn start(limits: Limits, script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let (log, answers) = (Arc::clone(&asked), script);
        let router = Router::new().fallback(move |request: Request| {
            let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
            async move { answer(request, &log, &answers).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut config = kube::Config::new(format!("http://{address}").parse().unwrap());
        config.default_namespace = "liqo".to_owned();
        let metrics = Arc::<Metrics>::default();
        let server = ApiServer::new(ClusterRef::Local, config, limits, Arc::clone(&metrics)).unwrap();
        Self { server: Arc::new(server), metrics, url: format!("http://{address}"), asked }
    }

    /// What was asked so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.line.clone()).collect()
    }

    /// Bodies of what was asked so far, but of what has none.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| !asked.body.is_null()).map(|asked| asked.body.clone()).collect()
    }
}

async fn answer(request: Request, log: &Mutex<Vec<Asked>>, script: &Mutex<Script>) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let asked = Asked { line, body: serde_json::from_slice(&bytes).unwrap_or_default() };
    log.lock().unwrap().push(asked.clone());
    let reply = script.lock().unwrap()(&asked);
    match reply {
        Reply::Json(code, body) => respond(code).body(Body::from(body.to_string())).unwrap(),
        Reply::Text(code, wish, text) => {
            let builder =
                wish.into_iter().fold(respond(code), |builder, wish| builder.header("Retry-After", wish));
            builder.body(Body::from(text)).unwrap()
        }
        Reply::Stream(chunks) => {
            let chunks = futures::stream::unfold(chunks, |mut chunks| async {
                let chunk = chunks.recv().await?;
                Some((Bytes::from(chunk), chunks))
            });
            respond(200).body(Body::from_stream(chunks.map(Ok::<_, Infallible>))).unwrap()
        }
        Reply::Silence => std::future::pending().await,
    }
}

fn respond(code: u16) -> axum::http::response::Builder {
    Response::builder().status(code).header("Content-Type", "application/json")
}
