//! The server over loopback, with a peer of a few lines.

mod access;
mod bounds;
mod reading;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use liqo_listening::Listening;
use liqo_model::ClusterId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::test_api::{Answer, Asked, TestApi};
use crate::test_authority::{Owned, TestAuthority};
use crate::test_reviewer::TestReviewer;
use crate::{Authorizer, Metrics, RemotePod, ServingIdentity, ServingTls};

const HOME: &str = "11111111-2222-4333-8444-555555555555";
const TOKEN: &str = "canary-of-a-token";
const DEADLINE: Duration = Duration::from_secs(20);

/// The namespace `shop` is offloaded to `shop-rome`.
struct TestBackend {
    home: ClusterId,
    local: kube::Client,
    peer: Option<kube::Client>,
}

impl Backend for TestBackend {
    fn node(&self) -> &str {
        "liqo-milan"
    }

    fn home_cluster(&self) -> &ClusterId {
        &self.home
    }

    fn local(&self) -> kube::Client {
        self.local.clone()
    }

    fn peer(&self) -> Option<kube::Client> {
        self.peer.clone()
    }

    fn locate(&self, namespace: &str, pod: &str) -> Option<RemotePod> {
        let remote = || RemotePod { namespace: "shop-rome".to_owned(), name: pod.to_owned() };
        (namespace == "shop" && pod.starts_with("web")).then(remote)
    }
}

/// A server, a user with a token who may do everything, and API servers on both sides.
struct Running {
    address: SocketAddr,
    tls: ServingTls,
    reviewer: TestReviewer,
    authorizer: Arc<Authorizer<TestReviewer>>,
    metrics: Metrics,
    peer: TestApi,
    local: TestApi,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn start(peer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Running {
    start_both(peer, |_| Answer::Json(404, serde_json::Value::Null)).await
}

async fn start_both(
    peer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    local: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> Running {
    let (peer, local) = (TestApi::start(peer).await, TestApi::start(local).await);
    let listening = Listening::on(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listening.address();
    let identity = ServingIdentity { node: "liqo-milan".to_owned(), address: address.ip() };
    let tls = ServingTls::self_signed(identity, Timestamp::now()).unwrap();
    let (reviewer, metrics) = (TestReviewer::default(), Metrics::default());
    reviewer.know(TOKEN, "admin");
    for what in ["get proxy", "create proxy", "get pods", "get stats", "get metrics", "get healthz"] {
        reviewer.allow("admin", what);
    }
    let authorizer = Arc::new(Authorizer::new(reviewer.clone(), metrics.clone()));
    let backend =
        TestBackend { home: HOME.into(), local: local.client.clone(), peer: Some(peer.client.clone()) };
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listening, tls.clone(), Arc::clone(&authorizer), Arc::new(backend), async move {
        let _ = stopped.await;
    });
    let server = tokio::spawn(serving);
    Running { address, tls, reviewer, authorizer, metrics, peer, local, stop, server }
}

/// What came back.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: String,
}

impl Running {
    /// Connects as the API server does, which knows the certificate of the node.
    async fn connect(&self, certificate: Option<Owned>) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.tls.certificate().unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = self.address.ip().into();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// Sends the head of a request with these lines.
    async fn send(&self, line: &str, headers: &[&str], certificate: Option<Owned>) -> TlsStream<TcpStream> {
        let mut stream = self.connect(certificate).await;
        let mut head = format!("{line} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        stream
    }

    /// Asks with the token of a user who may do everything.
    async fn ask(&self, line: &str) -> Answered {
        let token = format!("Authorization: Bearer {TOKEN}");
        let stream = self.send(line, &[&token, "Connection: close"], None).await;
        whole(stream).await
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        timeout(DEADLINE, self.server).await.unwrap().unwrap();
    }
}

/// The head of an answer; what follows is left in the stream.
async fn head(stream: &mut TlsStream<TcpStream>) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A whole answer, up to the end of the connection; a body in chunks stays in chunks.
async fn whole(mut stream: TlsStream<TcpStream>) -> Answered {
    let head = head(&mut stream).await;
    let mut body = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut body)).await.unwrap().unwrap();
    Answered { status: status(&head), head, body: String::from_utf8(body).unwrap() }
}

/// Waits for a text to come.
async fn expect(stream: &mut (impl tokio::io::AsyncRead + Unpin), text: &str) {
    let mut read = vec![0; text.len()];
    timeout(DEADLINE, stream.read_exact(&mut read)).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(read).unwrap(), text);
}

fn authority() -> TestAuthority {
    TestAuthority::new("kubernetes")
}
