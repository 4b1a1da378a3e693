//! The way in.

use liqo_domain::Input;
use liqo_events::Seq;
use tokio::sync::{mpsc, oneshot};

use crate::EngineStopped;

/// Inputs that wait. Each sender waits for its last one in practice, and there are a few dozen senders: the bound is for
/// those that do not. As many as the events of a batch, so that a full inbox is one batch behind when inputs are small,
/// and some megabytes when they are pages of lists.
pub const INBOX: usize = 256;

/// An input and who waits for it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) input: Input,
    pub(crate) durable: Option<oneshot::Sender<Seq>>,
}

/// Sends inputs to the engine. A full inbox makes senders wait, and loses nothing.
#[derive(Clone, Debug)]
pub struct Inbox {
    deliveries: mpsc::Sender<Delivery>,
}

impl Inbox {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Delivery>) {
        let (deliveries, receiver) = mpsc::channel(INBOX);
        (Self { deliveries }, receiver)
    }

    /// Sends an input, and waits only for room. It is not durable yet: a crash may lose it.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn send(&self, input: Input) -> Result<(), EngineStopped> {
        self.deliver(Delivery { input, durable: None }).await
    }

    /// Sends an input and waits until it is durable, with everything that was decided because of it. Gives the position
    /// of the last of those events, or of an earlier one when the input said nothing new.
    ///
    /// In a degraded process that is as durable as its memory. Of updates that are held back because there are too many
    /// of one object, the cursor is held back as well, so a crash makes the watch send them again.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`], and the input may be durable or not.
    pub async fn send_durably(&self, input: Input) -> Result<Seq, EngineStopped> {
        let (durable, told) = oneshot::channel();
        self.deliver(Delivery { input, durable: Some(durable) }).await?;
        told.await.map_err(|_| EngineStopped)
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), EngineStopped> {
        self.deliveries.send(delivery).await.map_err(|_| EngineStopped)
    }
}
