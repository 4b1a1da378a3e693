//! Commands that are being carried out, each in a task of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use liqo_domain::{Dispatch, Disposition, Outcome};
use liqo_events::CommandId;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument;

use crate::Actuator;

/// How long a command may take. An API server ends requests of its clients after a minute as well; whatever takes longer
/// is broken off and tried again, so no task waits for ever and the number of them is bounded.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// A command that is not under way any more.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: CommandId,
    pub(crate) effect: &'static str,
    pub(crate) slot: String,
    pub(crate) attempt: u32,
    /// Nothing when it was broken off.
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Debug)]
struct Name {
    id: CommandId,
    effect: &'static str,
    slot: String,
    attempt: u32,
}

/// The tasks. As many as the writer dispatches, which is bounded.
#[derive(Debug)]
pub(crate) struct Outbox<A> {
    actuator: Arc<A>,
    tasks: JoinSet<Outcome>,
    names: HashMap<Id, Name>,
}

impl<A: Actuator> Outbox<A> {
    pub(crate) fn new(actuator: A) -> Self {
        Self { actuator: Arc::new(actuator), tasks: JoinSet::new(), names: HashMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn start(&mut self, dispatch: Dispatch) {
        let Dispatch { command, attempt } = dispatch;
        let effect = command.effect.name();
        let span = tracing::info_span!("command", id = %command.id, attempt, effect, slot = %command.slot);
        let name = Name { id: command.id, effect, slot: command.slot.to_string(), attempt };
        let actuator = Arc::clone(&self.actuator);
        let act = async move {
            let acting = actuator.act(&command, attempt);
            tokio::time::timeout(COMMAND_TIMEOUT, acting).await.unwrap_or_else(|_| timed_out())
        };
        let task = self.tasks.spawn(act.instrument(span)).id();
        self.names.insert(task, name);
    }

    /// Breaks off whatever is under way. Each command still ends, without an outcome.
    pub(crate) fn break_off(&mut self) {
        self.tasks.abort_all();
    }

    /// The next command that ends. Waits for ever when none is under way.
    pub(crate) async fn next(&mut self) -> Ended {
        loop {
            match self.tasks.join_next_with_id().await {
                None => std::future::pending().await,
                Some(Ok((task, outcome))) => {
                    if let Some(name) = self.names.remove(&task) {
                        return ended(name, Some(outcome));
                    }
                }
                Some(Err(error)) => {
                    if let Some(name) = self.names.remove(&error.id()) {
                        let outcome = without_outcome(&name, &error);
                        return ended(name, outcome);
                    }
                }
            }
        }
    }
}

fn ended(name: Name, outcome: Option<Outcome>) -> Ended {
    Ended { id: name.id, effect: name.effect, slot: name.slot, attempt: name.attempt, outcome }
}

/// A panic of an actuator is a fault of this program; the command is tried again, others go on.
fn without_outcome(name: &Name, error: &JoinError) -> Option<Outcome> {
    if error.is_cancelled() {
        return None;
    }
    tracing::error!(id = %name.id, effect = name.effect, slot = name.slot, %error, "a command panicked");
    Some(retry("it panicked; this is a fault of Liqo, please report it with the log"))
}

fn timed_out() -> Outcome {
    retry(&format!("no answer within {} s", COMMAND_TIMEOUT.as_secs()))
}

fn retry(error: &str) -> Outcome {
    Outcome::Failed { disposition: Disposition::Retry { after: None }, error: error.to_owned() }
}
