//! A writer with somebody beside it for identities: to ask peers for one, or to say which of theirs are in use, is no write
//! to one object alone.

use liqo_engine::{Actuator, Outcome};
use liqo_events::{Command, Effect};

use super::Writer;

/// Carries [`Effect::Authenticate`] and [`Effect::SetEnrolled`] out by the second, and everything else by the first.
#[derive(Clone)]
pub struct WriterWith<A> {
    /// Writes to API servers.
    pub writer: Writer,
    /// Asks peers for identities, and says which of theirs are in use.
    pub authenticator: A,
}

impl<A: Actuator> Actuator for WriterWith<A> {
    async fn act(&self, command: &Command, attempt: u32) -> Outcome {
        match command.effect {
            Effect::Authenticate { .. } | Effect::SetEnrolled { .. } => {
                self.authenticator.act(command, attempt).await
            }
            _ => self.writer.act(command, attempt).await,
        }
    }
}
