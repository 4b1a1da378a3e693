//! Secrets, tokens and bodies never enter an event.

use liqo_events::Envelope;

use super::{Checked, ensure};
use crate::world::World;

/// Part of everything that no projection may show.
pub(crate) const CANARY: &str = "canary-7f3a";

impl World {
    /// Looks for it in the bytes that go to the log.
    pub(crate) fn check_secrets(&self, envelopes: &[Envelope]) -> Checked {
        for envelope in envelopes {
            let found = envelope.payload.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            ensure(!found, "no_body_enters_an_event", || {
                format!("event {}: {:?}", envelope.seq, envelope.open())
            })?;
        }
        Ok(())
    }
}
