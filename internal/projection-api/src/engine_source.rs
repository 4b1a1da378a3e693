//! The engine of this process as the source of everything that is shown.

use std::time::Duration;

use liqo_domain::{LiqoMachine, State};
use liqo_engine::{EngineStopped, Handle, Input, Published};
use liqo_events::{Envelope, Event, Seq};
use liqo_model::Uid;
use liqo_projections::status::{counts, status};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::held::held;
use crate::{DebugSource, ProjectionSource, ReleaseError, Released, Report, Sighting, SourceError, encoded};

/// The topic with the peers, the offloaded namespaces, what is held and what fails.
pub const STATUS: &str = "status";

/// Longest wait for an answer. The engine answers between two batches, within milliseconds, unless its disk hangs.
const ANSWER: Duration = Duration::from_secs(5);

/// What the engine of this process knows.
#[derive(Clone, Debug)]
pub struct EngineSource {
    handle: Handle<LiqoMachine>,
    leader: Option<watch::Receiver<Uid>>,
}

impl EngineSource {
    /// Shows this engine.
    pub fn new(handle: Handle<LiqoMachine>) -> Self {
        Self { handle, leader: None }
    }

    /// Lets a follower tell who leads: the uid of a pod, empty while nobody is known to.
    #[must_use]
    pub fn led_by(self, leader: watch::Receiver<Uid>) -> Self {
        Self { leader: Some(leader), ..self }
    }

    async fn read<T: Send + 'static>(
        &self,
        view: impl FnOnce(&State, Published) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        answered(self.handle.read_published(view)).await
    }
}

async fn answered<T>(answer: impl Future<Output = Result<T, EngineStopped>>) -> Result<T, SourceError> {
    timeout(ANSWER, answer).await.map_err(|_| SourceError::Away)?.map_err(|_| SourceError::Away)
}

impl ProjectionSource for EngineSource {
    fn published(&self) -> watch::Receiver<Published> {
        self.handle.subscribe()
    }

    async fn view(&self, topic: &str) -> Result<Option<Sighting>, SourceError> {
        if topic != STATUS {
            return Ok(None);
        }
        // The writer task only copies; encoding is done here.
        let (view, at) = self.read(|state, at| (status(state), at)).await?;
        Ok(Some(Sighting { at, view: encoded(&view) }))
    }
}

impl DebugSource for EngineSource {
    fn published(&self) -> watch::Receiver<Published> {
        self.handle.subscribe()
    }

    async fn history(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, SourceError> {
        answered(self.handle.history(from, limit)).await
    }

    async fn report(&self) -> Result<Report, SourceError> {
        let (degraded, log) = (self.handle.degraded().borrow().clone(), self.handle.log());
        self.read(move |state, published| Report {
            published,
            digest: state.digest(),
            degraded,
            counts: counts(state),
            log,
        })
        .await
    }

    async fn release(&self, peer: &str) -> Result<Released, ReleaseError> {
        let asked = peer.to_owned();
        let (at, held) = self.read(move |state, at| (at, held(state, &asked))).await?;
        if at.epoch.is_none() {
            let leader = self.leader.as_ref().map(|leader| leader.borrow().clone());
            return Err(ReleaseError::Follower { leader: leader.filter(|uid| !uid.as_str().is_empty()) });
        }
        let (peer, words) = held?;
        let mappings = words.len();
        if mappings > 0 {
            let events = words.into_iter().map(Event::OrphanReleased).collect();
            answered(self.handle.inbox().send_durably(Input::Observe(events))).await?;
            tracing::info!(%peer, mappings, "an administrator let go of what was held");
        }
        Ok(Released { peer, mappings })
    }
}
