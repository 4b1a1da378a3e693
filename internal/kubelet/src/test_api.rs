//! An API server of a few lines that answers what a test has written, upgrades and endless bodies included. What real ones
//! answer is tested with real ones.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `GET /api/v1/pods?watch=true`.
    pub(crate) line: String,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// The body, null when there is none.
    pub(crate) body: Value,
}

/// What it is answered with.
pub(crate) enum Answer {
    /// A code and JSON.
    Json(u16, Value),
    /// 200 and chunks as the test sends them; the end of the channel is the end of the body.
    Stream(mpsc::Receiver<String>),
    /// 101 with these headers; the connection is given to the test.
    Upgrade(Vec<(&'static str, &'static str)>, mpsc::Sender<TokioIo<Upgraded>>),
}

type Script = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A running server.
pub(crate) struct TestApi {
    pub(crate) client: kube::Client,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl TestApi {
    /// Answers each request as `script` says.
    pub(crate) async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (log, script): (_, Script) = (Arc::clone(&asked), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                let service =
                    service_fn(move |request| answer(request, Arc::clone(&log), Arc::clone(&script)));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection.with_upgrades());
            }
        });
        let mut config = kube::Config::new(format!("http://{address}").parse().unwrap());
        config.default_retry = false;
        Self { client: kube::Client::try_from(config).unwrap(), asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The first lines of what was asked so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn answer(
    mut request: Request<Incoming>,
    log: Arc<Mutex<Vec<Asked>>>,
    script: Script,
) -> Result<Response<Body>, Infallible> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let line = format!("{} {}", head.method, head.uri);
    let body = body.collect().await.unwrap().to_bytes();
    let asked =
        Asked { line, headers: head.headers, body: serde_json::from_slice(&body).unwrap_or_default() };
    log.lock().unwrap().push(asked.clone());
    let respond = |code: u16| Response::builder().status(code);
    Ok(match script(&asked) {
        Answer::Json(code, body) => {
            let body = Full::from(body.to_string()).boxed_unsync();
            respond(code).header("Content-Type", "application/json").body(body).unwrap()
        }
        Answer::Stream(chunks) => {
            let chunks = futures::stream::unfold(chunks, |mut chunks| async {
                let chunk = chunks.recv().await?;
                Some((Frame::data(Bytes::from(chunk)), chunks))
            });
            let body = StreamBody::new(chunks.map(Ok)).boxed_unsync();
            respond(200).header("Content-Type", "text/plain").body(body).unwrap()
        }
        Answer::Upgrade(headers, to) => {
            tokio::spawn(async move {
                let _ = to.send(TokioIo::new(upgrade.await.unwrap())).await;
            });
            let response =
                headers.iter().fold(respond(101), |response, (name, value)| response.header(*name, *value));
            response.body(Full::default().boxed_unsync()).unwrap()
        }
    })
}
