//! An API server with one pod, over plain HTTP: lists it, and runs a program in it over a WebSocket.
//!
//! Source: RFC 6455, and the subprotocol `v5.channel.k8s.io`: the first byte of a message is its channel (0 input,
//! 1 output, 2 complaints, 3 status, 255 the end of a channel).

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// What runs in the pod.
#[derive(Clone, Copy)]
pub(super) enum Program {
    /// Answers its input in capitals, and ends with it.
    Capitals,
    /// Says this and fails.
    Complains(&'static str),
}

pub(super) struct ApiServer {
    directory: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ApiServer {
    pub(super) async fn start(pod: &'static str, program: Program) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = format!(
            "{{apiVersion: v1, kind: Config, current-context: a, users: [{{name: a, user: {{}}}}], contexts: [{{name: a, \
             context: {{cluster: a, user: a}}}}], clusters: [{{name: a, cluster: {{server: 'http://{}'}}}}]}}",
            listener.local_addr().unwrap()
        );
        std::fs::write(directory.path().join("kubeconfig"), kubeconfig).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(BufReader::new(connection), pod, program, log.clone()));
            }
        });
        Self { directory, asked }
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    /// Paths that were asked for.
    pub(super) async fn asked(&self) -> Vec<String> {
        self.asked.lock().await.clone()
    }
}

async fn answer(
    mut connection: BufReader<TcpStream>,
    pod: &'static str,
    program: Program,
    asked: Arc<Mutex<Vec<String>>>,
) {
    while let Some((path, key)) = request(&mut connection).await {
        asked.lock().await.push(path);
        if let Some(key) = key {
            let accept =
                STANDARD.encode(sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()));
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
            );
            connection.write_all(head.as_bytes()).await.unwrap();
            return run(connection, program).await;
        }
        let body = format!(
            "{{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{{}},\"items\":[{{\"metadata\":{{\"name\":\"{pod}\"}},\
             \"status\":{{\"phase\":\"Running\"}}}}]}}"
        );
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

/// Path of the next request, and the key of a WebSocket if it asks for one.
async fn request(connection: &mut BufReader<TcpStream>) -> Option<(String, Option<String>)> {
    let (mut first, mut key) = (None, None);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Some((first?, key));
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("sec-websocket-key") => {
                key = Some(value.to_owned());
            }
            Some(_) => {}
            None => first = line.split(' ').nth(1).map(str::to_owned),
        }
    }
}

async fn run(mut connection: BufReader<TcpStream>, program: Program) {
    let status = match program {
        Program::Capitals => {
            while let Some(message) = receive(&mut connection).await {
                match message.split_first() {
                    Some((0, input)) => send(&mut connection, 1, &input.to_ascii_uppercase()).await,
                    Some((255, _)) | None => break,
                    Some(_) => {}
                }
            }
            r#"{"metadata":{},"status":"Success"}"#
        }
        Program::Complains(text) => {
            send(&mut connection, 2, text.as_bytes()).await;
            r#"{"metadata":{},"status":"Failure","message":"command terminated with exit code 1"}"#
        }
    };
    send(&mut connection, 3, status.as_bytes()).await;
    // Close, without a reason.
    let _ = connection.write_all(&[0x88, 0]).await;
}

async fn send(connection: &mut BufReader<TcpStream>, channel: u8, bytes: &[u8]) {
    let length = u8::try_from(bytes.len() + 1).unwrap();
    assert!(length < 126, "longer messages have another form");
    let frame = [&[0x82, length, channel], bytes].concat();
    // The other end may be gone.
    let _ = connection.write_all(&frame).await;
}

/// The next message; nothing at the end.
async fn receive(connection: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = [0; 2];
    connection.read_exact(&mut head).await.ok()?;
    let (close, length) = (head[0] & 0xf == 8, usize::from(head[1] & 0x7f));
    assert!(length < 126, "longer messages have another form");
    let mut mask = [0; 4];
    connection.read_exact(&mut mask).await.ok()?;
    let mut bytes = vec![0; length];
    connection.read_exact(&mut bytes).await.ok()?;
    bytes.iter_mut().enumerate().for_each(|(index, byte)| *byte ^= mask[index % 4]);
    (!close).then_some(bytes)
}

/// FIPS 180-4; only WebSockets need it any more.
fn sha1(text: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = [text, &[0x80]].concat();
    padded.resize(padded.len().next_multiple_of(64) + if padded.len() % 64 > 56 { 64 } else { 0 }, 0);
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(8 * text.len() as u64).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> =
            block.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
        for at in 16..80 {
            words.push((words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mix, constant) = match at {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next =
                a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    digest.chunks_mut(4).zip(state).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_be_bytes()));
    digest
}
