//! Where observations go.

use std::future::Future;

use liqo_engine::{Inbox, Input};
use thiserror::Error;
use tokio::sync::mpsc;

/// Nobody takes observations any more: the process is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the engine has stopped and takes no more observations")]
pub struct Gone;

/// Takes observations. The order of one sender is kept, and waiting is how a full engine slows its sources.
pub trait Sink: Clone + Send + Sync + 'static {
    /// Hands over one input; returns when it was accepted.
    fn send(&self, input: Input) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Hands over one input; returns when it was recorded, where something records, with all that was decided because of it.
    fn record(&self, input: Input) -> impl Future<Output = Result<(), Gone>> + Send {
        self.send(input)
    }
}

/// A plain channel, for tests and for programs without an engine.
impl Sink for mpsc::Sender<Input> {
    async fn send(&self, input: Input) -> Result<(), Gone> {
        mpsc::Sender::send(self, input).await.map_err(|_| Gone)
    }
}

/// The engine. Not waited for until it is durable: the cursor travels the same way behind it, so what a crash loses is
/// seen again.
impl Sink for Inbox {
    async fn send(&self, input: Input) -> Result<(), Gone> {
        Inbox::send(self, input).await.map_err(|_| Gone)
    }

    async fn record(&self, input: Input) -> Result<(), Gone> {
        self.send_durably(input).await.map(|_| ()).map_err(|_| Gone)
    }
}
