//! The server over loopback.

mod bounds;
mod recorded;
mod refusals;
mod renewals;
mod secrets;
mod tokens;
mod trouble;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::test_provider::{TOKEN, TestProvider};
use super::*;
use crate::wire::{CERTIFICATE_PATH, CertificateRequest, to_base64};
use crate::{Cluster, Metrics, PrivateKey, Secret};

const ID: &str = "11111111-2222-4333-8444-555555555555";

struct Running {
    address: SocketAddr,
    provider: TestProvider,
    metrics: Metrics,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn start(provider: TestProvider, transport: Transport) -> Running {
    let metrics = Metrics::default();
    let listening = Listening::on(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listening.address();
    let (stop, stopped) = oneshot::channel();
    let service = AuthService::new(provider.clone(), Settings::default(), metrics.clone());
    let server = tokio::spawn(serve(listening, transport, service, async move {
        let _ = stopped.await;
    }));
    Running { address, provider, metrics, stop, server }
}

async fn start_plain() -> Running {
    start(TestProvider::new(), Transport::Plain).await
}

/// What came back: status, head and body.
struct Answered {
    status: u16,
    head: String,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        let wanted =
            |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase()));
        self.head.lines().find(wanted).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }
}

async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Answered {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    answer_of(&mut connection).await
}

async fn answer_of(connection: &mut TcpStream) -> Answered {
    let mut bytes = Vec::new();
    // A server that closes while more is coming resets the connection: what was read before counts.
    let _ = connection.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answered { status, head: head.to_owned(), body: body.to_owned() }
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32]).unwrap_or_else(|_| panic!("a key"))
}

fn csr(id: &str, seed: u8) -> String {
    to_base64(key(seed).signing_request(&id.into()).unwrap().as_bytes())
}

/// The request of a cluster with the right token.
fn request(id: &str, seed: u8) -> String {
    request_with(id, seed, &Secret::new(TOKEN))
}

/// The request of a cluster with a token.
fn request_with(id: &str, seed: u8, token: &Secret) -> String {
    let request = CertificateRequest {
        cluster: Cluster { id: id.into(), name: "fiction".into() },
        origin_token: Secret::new("canary-token-of-the-peer"),
        destination_token: token.clone(),
        signing_request: csr(id, seed),
        renewal_proof: String::new(),
        renews: false,
    };
    String::from_utf8(request.body().unwrap()).unwrap()
}

async fn apply(running: &Running, body: &str) -> Answered {
    ask(running.address, "POST", CERTIFICATE_PATH, body).await
}
