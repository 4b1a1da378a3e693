//! The server over loopback.

use std::net::SocketAddr;

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

struct Running {
    address: SocketAddr,
    checks: (Checks, Checks),
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), TelemetryError>>,
}

async fn start() -> Running {
    let mut registry = registry("test", "1.2.3");
    let counter: Counter = Counter::default();
    registry.register("liqo_things", "Things that were done", counter.clone());
    counter.inc_by(4);
    let (health, readiness) = (Checks::new(&["engine"]), Checks::new(&["lease"]));
    let exposed = Exposed { registry, health: health.clone(), readiness: readiness.clone() };
    let listening = Listening::on(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listening.address();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(serve(listening, exposed, async move { stopped.await.unwrap() }));
    Running { address, checks: (health, readiness), stop, server }
}

/// Head and body of an answer.
async fn ask(address: SocketAddr, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn metrics_are_shown_in_the_format_of_open_metrics() {
    let running = start().await;
    let (head, body) = ask(running.address, "/metrics").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    let expected = "# HELP liqo_build The program that these metrics are of.\n# TYPE liqo_build info\n\
                    liqo_build_info{component=\"test\",version=\"1.2.3\"} 1\n\
                    # HELP liqo_things Things that were done.\n# TYPE liqo_things counter\nliqo_things_total 4\n# EOF\n";
    assert_eq!(body, expected);
    assert!(ask(running.address, "/other").await.0.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn probes_follow_the_checks() {
    let running = start().await;
    let (health, readiness) = &running.checks;
    for path in ["/livez", "/healthz"] {
        assert!(ask(running.address, path).await.0.starts_with("HTTP/1.1 503"), "{path}");
    }
    health.pass("engine");
    for path in ["/livez", "/healthz"] {
        assert!(ask(running.address, path).await.0.starts_with("HTTP/1.1 200"), "{path}");
    }
    let (head, body) = ask(running.address, "/readyz").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert_eq!(body, "[-] lease: not yet\n");
    readiness.pass("lease");
    assert_eq!(ask(running.address, "/readyz").await.1, "[+] lease ok\n");
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let running = start().await;
    running.stop.send(()).unwrap();
    running.server.await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed() {
    let running = start().await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut answer = Vec::new();
    silent.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"");
}
