//! An API server of a few lines that answers what a test has written. What real ones answer is tested with real ones.

use std::sync::{Arc, Mutex};

use liqo_kube_io::{ApiServer, Limits, Metrics};
use liqo_model::ClusterRef;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What a request is answered with.
pub(crate) enum Reply {
    /// A code and JSON.
    Json(u16, Value),
    /// 200 and chunks as the test sends them; the end of the channel is the end of the body.
    Stream(mpsc::Receiver<String>),
    /// Nothing, for ever.
    Silence,
}

type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// A running server.
pub(crate) struct TestApi {
    config: kube::Config,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TestApi {
    /// Answers each request as `script` says, which gets method and path.
    pub(crate) async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (log, script): (_, Script) = (Arc::clone(&asked), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&log), Arc::clone(&script)));
            }
        });
        let mut config = kube::Config::new(format!("http://{address}").parse().unwrap());
        config.default_retry = false;
        Self { config, asked }
    }

    /// A client of it.
    pub(crate) fn client(&self) -> kube::Client {
        self.config.clone().try_into().unwrap()
    }

    /// A client with the limits of ours.
    pub(crate) fn server(&self) -> ApiServer {
        let metrics = Metrics::registered(&mut Registry::default());
        ApiServer::new(ClusterRef::Local, self.config.clone(), Limits::default(), metrics).unwrap()
    }

    /// Method and path of what was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request a connection. Whoever goes away in the middle is no concern of the test.
async fn answer(mut stream: TcpStream, log: Arc<Mutex<Vec<String>>>, script: Script) {
    let Some(line) = read(&mut stream).await else { return };
    log.lock().unwrap().push(line.clone());
    match script(&line) {
        Reply::Json(code, body) => {
            let body = body.to_string();
            let head = head(code, &format!("Content-Length: {}", body.len()));
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Reply::Stream(mut chunks) => {
            let _ = stream.write_all(head(200, "Transfer-Encoding: chunked").as_bytes()).await;
            while let Some(chunk) = chunks.recv().await {
                let _ = stream.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await;
            }
            let _ = stream.write_all(b"0\r\n\r\n").await;
        }
        Reply::Silence => std::future::pending().await,
    }
}

fn head(code: u16, length: &str) -> String {
    format!("HTTP/1.1 {code} Said\r\nContent-Type: application/json\r\nConnection: close\r\n{length}\r\n\r\n")
}

/// Reads a request to its end; method and path.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let headers = head.to_ascii_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = head.split(' ');
    Some(format!("{} {}", words.next()?, words.next()?))
}
