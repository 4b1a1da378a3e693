//! A writer with somebody beside it who asks peers for identities: that is no write to an API server alone.

use liqo_engine::{Actuator, Outcome};
use liqo_events::{Command, Effect};

use super::Writer;

/// Carries [`Effect::Authenticate`] out by the second, and everything else by the first.
#[derive(Clone)]
pub struct WriterWith<A> {
    /// Writes to API servers.
    pub writer: Writer,
    /// Asks peers for identities.
    pub authenticator: A,
}

impl<A: Actuator> Actuator for WriterWith<A> {
    async fn act(&self, command: &Command, attempt: u32) -> Outcome {
        match command.effect {
            Effect::Authenticate { .. } => self.authenticator.act(command, attempt).await,
            _ => self.writer.act(command, attempt).await,
        }
    }
}
