//! The webhooks over TLS on loopback, as API servers and others reach them.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use liqo_domain::Placement;
use liqo_listening::Socket;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::cluster::{Cluster, SetClock, Store, request, review};
use crate::webhook::Webhook;
use crate::{Error, Metrics, Options, Settings, run};

const NAME: &str = "liqo-controller-manager.liqo.svc";

struct Running {
    address: SocketAddr,
    store: Store,
    metrics: Metrics,
    stop: watch::Sender<bool>,
    server: JoinHandle<Result<(), Error>>,
}

async fn start(cluster: &Cluster) -> Running {
    let (store, metrics) = (Store::default(), Metrics::default());
    let socket = Socket::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let (address, mut served) = (socket.address(), socket.served());
    let (stop, stopping) = watch::channel(false);
    cluster.leads(true);
    let options = Options {
        socket,
        namespace: "liqo".to_owned(),
        settings: Settings::default(),
        verdicts: cluster.clone(),
        store: store.clone(),
        // Clients judge certificates by the real time.
        clock: liqo_engine::SystemClock,
        published: cluster.published(),
        metrics: metrics.clone(),
    };
    let server = tokio::spawn(run(options, stopping));
    served.wait_for(|served| *served).await.unwrap();
    Running { address, store, metrics, stop, server }
}

impl Running {
    async fn stop(self) {
        self.stop.send_replace(true);
        self.server.await.unwrap().unwrap();
    }
}

/// A connection of somebody who trusts this bundle.
async fn connect(
    address: SocketAddr,
    bundle: &str,
    name: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(name.try_into().unwrap(), stream).await
}

async fn send(running: &Running, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
    let stream = connect(running.address, &running.store.bundle(), NAME).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    drop(sender);
    let _ = connection.await;
    (status, body)
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::post(path).header(HOST, NAME).header(CONTENT_TYPE, "application/json");
    request.body(Full::new(body.into())).unwrap()
}

fn pod() -> Value {
    let mut request = request(Webhook::Pod, "CREATE", "shop");
    request["object"] = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
    request
}

#[tokio::test]
async fn a_question_is_answered_over_tls() {
    let cluster = Cluster::placing(Placement::Remote { terms: vec![] });
    let running = start(&cluster).await;
    for version in ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"] {
        let mut asked = review(&pod());
        asked["apiVersion"] = version.into();
        // As API servers do, with the time that they wait.
        let (status, body) = send(&running, post("/mutate/pod?timeout=10s", asked.to_string())).await;
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            (answer["apiVersion"].as_str(), answer["kind"].as_str()),
            (Some(version), Some("AdmissionReview"))
        );
        let response = &answer["response"];
        assert_eq!((&response["uid"], &response["allowed"]), (&pod()["uid"], &json!(true)));
        let patch: Value =
            serde_json::from_slice(&STANDARD.decode(response["patch"].as_str().unwrap()).unwrap()).unwrap();
        assert_eq!(patch[0]["path"], "/spec/tolerations");
        assert_eq!(patch[1]["path"], "/spec/affinity");
    }
    running.stop().await;
}

#[tokio::test]
async fn every_path_leads_to_its_webhook_and_no_other() {
    let cluster = Cluster::new();
    let running = start(&cluster).await;
    let paths = [
        ("/mutate/pod", Webhook::Pod),
        ("/mutate/foreign-cluster", Webhook::ForeignClusterLabel),
        ("/validate/foreign-cluster", Webhook::ForeignCluster),
        ("/validate/namespace-offloading", Webhook::NamespaceOffloading),
        ("/validate/shadowpods", Webhook::ShadowPod),
    ];
    for (path, webhook) in paths {
        for (_, about) in paths {
            let asked = review(&request(about, "DELETE", "shop"));
            let (status, body) = send(&running, post(path, asked.to_string())).await;
            let answer: Value = serde_json::from_slice(&body).unwrap();
            let foreign = [Webhook::ForeignClusterLabel, Webhook::ForeignCluster];
            let fits = webhook == about || foreign.contains(&webhook) && foreign.contains(&about);
            assert_eq!(
                (status, &answer["response"]["allowed"]),
                (StatusCode::OK, &json!(fits)),
                "{path} {about:?}"
            );
            if !fits {
                assert_eq!(answer["response"]["status"]["code"], 400);
            }
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_question_is_turned_away() {
    let cluster = Cluster::new();
    let running = start(&cluster).await;
    let question = review(&pod()).to_string();
    let get = Request::get("/mutate/pod").header(HOST, NAME).body(Full::default()).unwrap();
    let mut form = post("/mutate/pod", question.clone());
    form.headers_mut().insert(CONTENT_TYPE, "application/yaml".parse().unwrap());
    let mut untold = post("/mutate/pod", question.clone());
    untold.headers_mut().remove(CONTENT_TYPE);
    let mut with_charset = post("/mutate/pod", question.clone());
    with_charset.headers_mut().insert(CONTENT_TYPE, "Application/JSON; charset=utf-8".parse().unwrap());
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    for (request, expected) in [
        (with_charset, StatusCode::OK),
        (get, StatusCode::METHOD_NOT_ALLOWED),
        (form, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (untold, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (post("/", question.clone()), StatusCode::NOT_FOUND),
        (post("/mutate/pod/", question.clone()), StatusCode::NOT_FOUND),
        (post("/mutate/pod", ""), StatusCode::BAD_REQUEST),
        (post("/mutate/pod", "garbage"), StatusCode::BAD_REQUEST),
        (post("/mutate/pod", vec![0xff; 1000]), StatusCode::BAD_REQUEST),
        (post("/mutate/pod", deep), StatusCode::BAD_REQUEST),
        (post("/mutate/pod", question.replace("AdmissionReview", "Pod")), StatusCode::BAD_REQUEST),
        (post("/mutate/pod", "{\"kind\":\"AdmissionReview\"}"), StatusCode::BAD_REQUEST),
    ] {
        let what = format!("{request:?}");
        assert_eq!(send(&running, request).await.0, expected, "{}", &what[..what.len().min(300)]);
    }
    running.stop().await;
}

/// What comes back for bytes; the connection ends with it.
async fn raw(running: &Running, parts: &[&[u8]]) -> String {
    let mut stream = connect(running.address, &running.store.bundle(), NAME).await.unwrap();
    for part in parts {
        // Whoever is turned away may not be heard to the end.
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bodies_and_heads_that_are_too_long_are_not_read() {
    let cluster = Cluster::new();
    let running = start(&cluster).await;
    let head = |more: &str| {
        format!("POST /mutate/pod HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{more}\r\n\r\n")
    };
    let longest = 3 * 1024 * 1024;
    let announced = raw(&running, &[head(&format!("Content-Length: {}", longest + 1)).as_bytes()]).await;
    assert!(announced.starts_with("HTTP/1.1 413 "), "{announced}");

    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 0x0010_0000], b"\r\n"].concat();
    let chunked = head("Transfer-Encoding: chunked");
    let unannounced = raw(&running, &[chunked.as_bytes(), &chunk, &chunk, &chunk, b"1\r\n \r\n"]).await;
    assert!(unannounced.starts_with("HTTP/1.1 413 "), "{unannounced}");

    let long_head = head(&format!("X: {}", "x".repeat(64 * 1024)));
    let answer = raw(&running, &[long_head.as_bytes()]).await;
    // Whoever is turned away in the middle may not hear why.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");

    // The longest question that is allowed is answered.
    let mut longest_pod = pod();
    let filler = longest - review(&longest_pod).to_string().len() - "\"x\":\"\",".len();
    longest_pod["object"]["x"] = "x".repeat(filler).into();
    let question = review(&longest_pod).to_string();
    assert_eq!(question.len(), longest);
    assert_eq!(send(&running, post("/mutate/pod", question)).await.0, StatusCode::OK);
    running.stop().await;
}

#[tokio::test]
async fn only_who_trusts_the_authority_speaks_and_only_tls_is_spoken() {
    let cluster = Cluster::new();
    let running = start(&cluster).await;
    let elsewhere = start(&Cluster::new()).await;
    assert!(connect(running.address, &elsewhere.store.bundle(), NAME).await.is_err());
    assert!(connect(running.address, &running.store.bundle(), "elsewhere.liqo.svc").await.is_err());
    let stream = connect(running.address, &running.store.bundle(), NAME).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));

    let mut plain = TcpStream::connect(running.address).await.unwrap();
    plain.write_all(b"POST /mutate/pod HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"));
    drop(stream);
    let metrics = running.metrics.clone();
    elsewhere.stop().await;
    running.stop().await;
    assert!(metrics.failed_handshakes.get() >= 1);
    assert_eq!(metrics.connections.get(), 0);
}

#[tokio::test]
async fn new_connections_get_the_new_certificate() {
    let cluster = Cluster::new();
    let running = start(&cluster).await;
    let bundle = running.store.bundle();
    let mut old = connect(running.address, &bundle, NAME).await.unwrap();
    let certificate =
        |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let first = certificate(&old);

    // Somebody deletes the Secret; the next look, here by a change of leadership, makes everything anew.
    running.store.secret.lock().unwrap().clear();
    cluster.leads(false);
    tokio::task::yield_now().await;
    let renewed = async {
        loop {
            cluster.leads(true);
            tokio::task::yield_now().await;
            if !running.store.secret.lock().unwrap().is_empty() {
                break;
            }
            cluster.leads(false);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), renewed).await.unwrap();
    let swapped = async {
        loop {
            let trusted = running.store.bundle();
            if let Ok(stream) = connect(running.address, &trusted, NAME).await
                && certificate(&stream) != first
            {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), swapped).await.unwrap();
    assert_ne!(running.store.bundle(), bundle);

    // The connection that was open is still served.
    old.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = old.read_to_end(&mut answer).await;
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 404 "));
    running.stop().await;
}

#[tokio::test]
async fn nothing_listens_before_there_is_a_certificate() {
    let cluster = Cluster::new();
    let socket = Socket::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let (address, served) = (socket.address(), socket.served());
    let (stop, stopping) = watch::channel(false);
    let options = Options {
        socket,
        namespace: "liqo".to_owned(),
        settings: Settings::default(),
        verdicts: cluster.clone(),
        store: Store::default(),
        clock: SetClock::new(),
        published: cluster.published(),
        metrics: Metrics::default(),
    };
    let server = tokio::spawn(run(options, stopping));
    tokio::task::yield_now().await;
    assert!(!*served.borrow());
    // An API server that asks too early is told so at once.
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    stop.send_replace(true);
    server.await.unwrap().unwrap();
}
