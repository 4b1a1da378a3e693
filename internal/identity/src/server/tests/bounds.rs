//! Strangers that send too much, too slowly or too often.

use super::*;
use crate::server::connection::MOST_CONNECTIONS;

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let running = start_plain().await;
    let answered = apply(&running, &"x".repeat(64 * 1024 + 1)).await;
    assert_eq!((answered.status, answered.body.as_str()), (413, "the request is too long\n"));
    assert_eq!(answered.header("connection"), Some("close"));
    // One that does not say how long it is.
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let head =
        format!("POST {CERTIFICATE_PATH} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("10001\r\n{}\r\n", "x".repeat(0x1_0001));
    connection.write_all(format!("{head}{chunk}").as_bytes()).await.unwrap();
    assert_eq!(answer_of(&mut connection).await.status, 413);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let running = start_plain().await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let head = format!("GET /ids HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    // It may hang up while this is still being written.
    let _ = connection.write_all(head.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = connection.read_to_end(&mut bytes).await;
    assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_sends_nothing_ends() {
    let running = start_plain().await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    connection.write_all(b"POST /identity/certificate HTTP/1.1\r\nHost:").await.unwrap();
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest).await;
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let running = start_plain().await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let head = format!("POST {CERTIFICATE_PATH} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{{");
    connection.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer_of(&mut connection).await.status, 408);
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_does_not_come_is_not_waited_for() {
    let names = ["127.0.0.1".to_owned()];
    let transport = Transport::self_signed(&names, liqo_events::UnixMillis(1_795_000_000_000)).unwrap();
    let running = start(TestProvider::new(), transport).await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let mut rest = Vec::new();
    let _ = connection.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(running.metrics.failed_handshakes.get(), 1);
}

#[tokio::test]
async fn there_are_no_more_connections_than_places() {
    let running = start_plain().await;
    let mut idle = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        idle.push(TcpStream::connect(running.address).await.unwrap());
    }
    let address = running.address;
    let mut waiting = tokio::spawn(async move { ask(address, "GET", "/ids", "").await.status });
    // All places are taken when the last of the idle ones is accepted; nothing is answered meanwhile.
    while running.metrics.connections.get() < i64::try_from(MOST_CONNECTIONS).unwrap() {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
    }
    idle.pop();
    assert_eq!((&mut waiting).await.unwrap(), 200);
}

#[tokio::test]
async fn one_connection_serves_several_requests() {
    let running = start_plain().await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let one = "GET /ids HTTP/1.1\r\nHost: test\r\n\r\n";
    let last = "GET /ids HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    connection.write_all(format!("{one}{one}{last}").as_bytes()).await.unwrap();
    let mut text = String::new();
    connection.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3);
}
