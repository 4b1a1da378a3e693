//! The engine of this process as the source of everything that is shown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use liqo_domain::{LiqoMachine, Machine, State};
use liqo_engine::{EngineStopped, Handle, Input, Published};
use liqo_events::{Envelope, Event, Seq};
use liqo_model::Uid;
use liqo_projections::fabric::{GATEWAY_TOPIC, gateway_view, node_of_topic, node_view};
use liqo_projections::status::{counts, status};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::held::held;
use crate::tunnels::{Pace, news};
use crate::{
    AgentReport, DebugSource, ProjectionSource, ReleaseError, Released, Report, Sighting, SourceError,
    encoded,
};

/// The topic with the peers, the offloaded namespaces, what is held and what fails.
pub const STATUS: &str = "status";

/// Longest wait for an answer. The engine answers between two batches, within milliseconds, unless its disk hangs.
const ANSWER: Duration = Duration::from_secs(5);

/// What the engine of this process knows.
#[derive(Clone, Debug)]
pub struct EngineSource<M: Machine = LiqoMachine> {
    handle: Handle<M>,
    leader: Option<watch::Receiver<Uid>>,
    pace: Arc<Mutex<Pace>>,
}

impl<M: Machine<State = State> + 'static> EngineSource<M> {
    /// Shows this engine.
    pub fn new(handle: Handle<M>) -> Self {
        Self { handle, leader: None, pace: Arc::default() }
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

impl<M: Machine<State = State> + Send + Sync + 'static> ProjectionSource for EngineSource<M> {
    fn published(&self) -> watch::Receiver<Published> {
        self.handle.subscribe()
    }

    async fn view(&self, topic: &str) -> Result<Option<Sighting>, SourceError> {
        // The writer task only copies; encoding is done here.
        let (view, at) = match (topic, node_of_topic(topic).map(str::to_owned)) {
            (STATUS, _) => {
                let (view, at) = self.read(|state, at| (status(state), at)).await?;
                (encoded(&view), at)
            }
            (GATEWAY_TOPIC, _) => {
                let (view, at) = self.read(|state, at| (gateway_view(state), at)).await?;
                (encoded(&view.entries()), at)
            }
            (_, Some(node)) => {
                let (view, at) = self.read(move |state, at| (node_view(state, &node), at)).await?;
                let Some(view) = view else { return Ok(None) };
                (encoded(&view.entries()), at)
            }
            (_, None) => return Ok(None),
        };
        Ok(Some(Sighting { at, view }))
    }

    async fn reported(&self, report: AgentReport) -> Result<(), SourceError> {
        let news = self.read(move |state, _| news(state, &report)).await?;
        let due = self.pace.lock().unwrap_or_else(PoisonError::into_inner).due(news, Instant::now());
        if due.is_empty() {
            return Ok(());
        }
        let events = due.into_iter().map(Event::TunnelReported).collect();
        answered(self.handle.inbox().send(Input::Observe(events))).await
    }
}

impl<M: Machine<State = State> + Send + Sync + 'static> DebugSource for EngineSource<M> {
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
