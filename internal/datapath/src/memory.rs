//! What an agent remembers of its last round: the view that it followed, and what it said.

use crate::desired::{Desired, StateFile};
use crate::report::Report;

/// The last round.
pub(crate) struct Memory {
    state: Option<StateFile>,
    last: Option<Desired>,
    problems: Vec<String>,
}

impl Memory {
    pub(crate) fn new(state: Option<StateFile>) -> Self {
        Self { state, last: None, problems: Vec::new() }
    }

    /// Takes note of what is wanted, on the disk when it is new. Says whether it is what was wanted last time.
    pub(crate) async fn remember(&mut self, desired: &Desired) -> bool {
        let is_same = self.last.as_ref().is_some_and(|last| last.view == desired.view);
        let is_new = self.last.as_ref().is_none_or(|last| last.at != desired.at || !is_same);
        if is_new && let Some(state) = self.state.clone() {
            let desired = desired.clone();
            let stored = tokio::task::spawn_blocking(move || state.store(&desired)).await;
            if let Ok(Err(error)) = stored {
                tracing::warn!(%error, "the view cannot be remembered: a restart will wait for the control plane");
            }
        }
        self.last = Some(desired.clone());
        is_same
    }

    /// Logs what cannot be carried out, once.
    pub(crate) fn say(&mut self, report: &Report) {
        for problem in report.problems.iter().filter(|problem| !self.problems.contains(problem)) {
            tracing::warn!(%problem, "something that is wanted cannot be carried out");
        }
        if report.problems.is_empty() && !self.problems.is_empty() {
            tracing::info!("everything that is wanted is carried out again");
        }
        self.problems.clone_from(&report.problems);
    }
}
