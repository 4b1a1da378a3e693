//! Joins standard input and output with the debug socket, for `pods/exec`: images without a shell have no other tool.

use std::path::Path;

use tokio::io::{self, AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

/// Joins the standard input and output of this process with the socket, as [`bridge`].
///
/// A thread of its own reads the input: tokio's standard input would keep its runtime, and with it the process, from
/// ending until something more is typed, while whoever is at the other end waits for the process to end.
///
/// # Errors
///
/// As [`bridge`].
pub async fn bridge_standard_streams(socket: &Path) -> io::Result<()> {
    let (mut typed, input) = std::os::unix::net::UnixStream::pair()?;
    input.set_nonblocking(true)?;
    let input = UnixStream::from_std(input)?;
    let read = move || std::io::copy(&mut std::io::stdin().lock(), &mut typed);
    std::thread::Builder::new().name("standard-input".to_owned()).spawn(read)?;
    bridge(socket, input, io::stdout()).await
}

/// Copies both ways until the socket's end is closed. When the input ends, the socket is told so and its rest is read.
///
/// # Errors
///
/// When the socket cannot be connected to, or breaks.
pub async fn bridge<I, O>(socket: &Path, mut input: I, mut output: O) -> io::Result<()>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let (mut from_socket, mut to_socket) = UnixStream::connect(socket).await?.into_split();
    let outwards = async {
        let copied = copy_promptly(&mut from_socket, &mut output).await;
        output.shutdown().await.and(copied)
    };
    let inwards = async {
        let copied = io::copy(&mut input, &mut to_socket).await;
        // A socket that is closed already says so here; the way outwards tells whether that is an error.
        let _ = to_socket.shutdown().await;
        copied
    };
    tokio::pin!(outwards, inwards);
    tokio::select! {
        ended = &mut outwards => ended,
        _ = &mut inwards => outwards.await,
    }
}

/// Copies and flushes each piece: the other end waits for it, and standard output has a buffer.
async fn copy_promptly<I, O>(from: &mut I, to: &mut O) -> io::Result<()>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = io::AsyncReadExt::read(from, &mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&piece[..read]).await?;
        to.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn bytes_go_both_ways_until_the_socket_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("debug.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            connection.read_to_end(&mut asked).await.unwrap();
            connection.write_all(b"answer to ").await.unwrap();
            connection.write_all(&asked).await.unwrap();
        });
        let mut answer = Vec::new();
        bridge(&path, &b"question"[..], &mut answer).await.unwrap();
        server.await.unwrap();
        assert_eq!(answer, b"answer to question");
    }

    #[tokio::test]
    async fn an_open_input_does_not_hold_it_when_the_socket_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("debug.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
        let (input, _never_closed) = tokio::io::duplex(8);
        bridge(&path, input, Vec::new()).await.unwrap();
        server.await.unwrap();
    }
}
