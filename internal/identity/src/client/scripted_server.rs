//! A server that says what it is told to, whatever it is asked.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Answers one connection; the task returns the request.
pub(super) async fn answer_with(
    answer: impl FnOnce(&str) -> Vec<u8> + Send + 'static,
) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        // The other end may have hung up when it has read enough.
        let _ = stream.write_all(&answer(&request)).await;
        request
    });
    (address, task)
}

/// A request with the body that its head promises.
async fn read(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        request.push_str(str::from_utf8(&part[..count]).unwrap());
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let promised = head.to_ascii_lowercase();
        let promised =
            promised.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
        let length: usize = promised.map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return request;
        }
    }
}

/// An answer as Go writes a short one.
pub(super) fn short(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// An answer as Go writes a long one.
pub(super) fn chunked(status: &str, body: &str) -> Vec<u8> {
    let (one, two) = body.split_at(body.len() / 2);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n",
        chunk(one),
        chunk(two)
    )
    .into_bytes()
}
