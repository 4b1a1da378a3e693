//! Streams that are passed on as they are, in both directions.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::time::{sleep, timeout};

/// Bytes that are read before they are written, in each direction.
const CHUNK: usize = 32 << 10;
/// A stream that is silent for this time ends, as those of kubelets.
const SILENCE: Duration = Duration::from_secs(4 * 3600);
/// When the caller has said all, what the peer still says is passed on for so long.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A stream whose ends have agreed to begin.
pub(super) struct Relay {
    /// The connection of the caller, once its answer is written.
    pub(super) caller: OnUpgrade,
    /// The connection to the peer.
    pub(super) peer: Upgraded,
}

impl Relay {
    /// Passes bytes on until one end closes.
    pub(super) async fn run(self) {
        let Ok(caller) = self.caller.await else { return };
        relay(TokioIo::new(caller), TokioIo::new(self.peer)).await;
    }
}

async fn relay(caller: impl AsyncRead + AsyncWrite + Send, peer: impl AsyncRead + AsyncWrite + Send) {
    let (from_caller, to_caller) = split(caller);
    let (from_peer, to_peer) = split(peer);
    let moved = AtomicU64::new(0);
    let mut up = pin!(pump(from_caller, to_peer, &moved));
    let mut down = pin!(pump(from_peer, to_caller, &moved));
    tokio::select! {
        // What breaks a stream is the affair of its ends. After the peer has ended, nobody hears the caller.
        _ = &mut down => {}
        ended = &mut up => if ended.is_ok() {
            let _ = timeout(LAST_WORDS, down).await;
        },
        () = silence(&moved) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: &AtomicU64,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
        // TLS keeps what is not flushed, and a key that is pressed should be seen.
        to.flush().await?;
        moved.fetch_add(1, Ordering::Relaxed);
    }
}

async fn silence(moved: &AtomicU64) {
    loop {
        let before = moved.load(Ordering::Relaxed);
        sleep(SILENCE).await;
        if moved.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn started() -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<()>) {
        let (caller, callers_end) = duplex(64);
        let (peer, peers_end) = duplex(64);
        (callers_end, peers_end, tokio::spawn(relay(caller, peer)))
    }

    async fn expect(end: &mut DuplexStream, text: &str) {
        let mut read = vec![0; text.len()];
        end.read_exact(&mut read).await.unwrap();
        assert_eq!(read, text.as_bytes());
    }

    #[tokio::test]
    async fn both_directions_are_passed_on_until_the_peer_ends() {
        let (mut caller, mut peer, running) = started();
        caller.write_all(b"ls\n").await.unwrap();
        expect(&mut peer, "ls\n").await;
        peer.write_all(b"a\nb\n").await.unwrap();
        expect(&mut caller, "a\nb\n").await;
        drop(peer);
        running.await.unwrap();
        assert_eq!(caller.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn the_last_words_of_the_peer_are_heard() {
        let (mut caller, mut peer, running) = started();
        caller.shutdown().await.unwrap();
        assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 0);
        peer.write_all(b"bye").await.unwrap();
        drop(peer);
        expect(&mut caller, "bye").await;
        running.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_ends() {
        let (_caller, _peer, running) = started();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn who_reads_slowly_slows_the_other_end() {
        let (_caller, mut peer, _running) = started();
        let more_than_fits = vec![0; 2 * CHUNK];
        let written = timeout(Duration::from_millis(200), peer.write_all(&more_than_fits)).await;
        assert!(written.is_err());
    }
}
