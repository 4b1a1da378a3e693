//! Word from those who run the process.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM, which a kubelet sends, or for an interrupt from a terminal.
///
/// # Errors
///
/// When signals cannot be received.
pub async fn asked_to_end() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}
