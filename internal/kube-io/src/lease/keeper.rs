//! Takes a Lease, keeps it, and says so. The decisions are in `plan.rs`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use liqo_engine::{Clock, Input};
use liqo_events::{Event, LeaseGained, LeaseLost};
use liqo_model::Uid;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, info, warn};

use super::store::{LeaseStore, ServerLease};
use super::{DURATION, LeaseGuard, LeaseRecord, LeaseStep, MARGIN, Me, RENEW_EVERY, Seen, plan};
use crate::watch::ClusterLife;
use crate::{ApiServer, BackOff, Chance, Gone, RawObject, Refusal, Sink};

/// For one request about the Lease: shorter than the pause between two, so that a lost request is tried again while the
/// Lease still lasts.
const PATIENCE: Duration = Duration::from_secs(4);
/// For giving the Lease back at the end: the next holder waits for nothing then, and the pod's grace period is longer.
const RELEASE_PATIENCE: Duration = Duration::from_secs(3);

/// Which Lease, and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Uid of the pod.
    pub holder: Uid,
    /// Whether this process began with a whole log of an earlier container of the pod. With an empty or quarantined one
    /// it has to see everything again.
    pub may_continue: bool,
}

/// Takes a Lease and keeps it.
pub struct LeaseKeeper<L, S, C> {
    store: L,
    settings: LeaseSettings,
    sink: S,
    clock: C,
    guard: LeaseGuard,
    chance: Chance,
    held: Option<u64>,
    /// The Lease as it was seen last, and since when it is so.
    seen: Option<(LeaseRecord, Instant)>,
    back_off: BackOff,
    /// The life of the cluster, which the Lease bears witness of.
    life: Option<Arc<ClusterLife>>,
}

impl<S: Sink, C: Clock> LeaseKeeper<ServerLease, S, C> {
    /// A keeper of a Lease in an API server, and the guard of that Lease.
    pub fn new(
        server: Arc<ApiServer>,
        settings: LeaseSettings,
        sink: S,
        clock: C,
        chance: Chance,
    ) -> (Self, LeaseGuard) {
        let (namespace, name) = (settings.namespace.clone(), settings.name.clone());
        Self::with_store(ServerLease { server, namespace, name }, settings, sink, clock, chance)
    }
}

impl<L: LeaseStore, S: Sink, C: Clock> LeaseKeeper<L, S, C> {
    pub(super) fn with_store(
        store: L,
        settings: LeaseSettings,
        sink: S,
        clock: C,
        chance: Chance,
    ) -> (Self, LeaseGuard) {
        let guard = LeaseGuard::new();
        let back_off = BackOff::default();
        let own = guard.clone();
        let keeper = Self {
            store,
            settings,
            sink,
            clock,
            guard,
            chance,
            held: None,
            seen: None,
            back_off,
            life: None,
        };
        (keeper, own)
    }

    /// Lets a guard that others have already say whether the Lease is held.
    #[must_use]
    pub fn guarding(self, guard: LeaseGuard) -> Self {
        Self { guard, ..self }
    }

    /// Lets the Lease bear witness of the cluster's life.
    #[must_use]
    pub fn bearing_witness_of(self, life: Arc<ClusterLife>) -> Self {
        Self { life: Some(life), ..self }
    }

    /// Keeps the Lease until `shutdown` is done, then gives it back. End what acts before: the next holder may begin the
    /// moment that the Lease is given back.
    ///
    /// # Errors
    ///
    /// [`Gone`] when nobody takes observations any more.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Gone> {
        let kept = tokio::select! {
            gone = self.keep() => Err(gone),
            () = shutdown => Ok(()),
        };
        let told = self.step_down("the process ends").await;
        self.release().await;
        kept.and(told)
    }

    async fn keep(&mut self) -> Gone {
        loop {
            let kept = match self.attempt().await {
                Ok(pause) => self.pause(pause).await,
                Err(gone) => Err(gone),
            };
            if let Err(gone) = kept {
                return gone;
            }
        }
    }

    /// Waits, but not past the end of the Lease.
    async fn pause(&mut self, pause: Duration) -> Result<(), Gone> {
        let Some(end) = self.ends_at() else {
            sleep(pause).await;
            return Ok(());
        };
        if timeout_at(end, sleep(pause)).await.is_err() {
            self.step_down("the Lease could not be renewed in time").await?;
        }
        Ok(())
    }

    /// One look and one step; how long to wait before the next.
    async fn attempt(&mut self) -> Result<Duration, Gone> {
        if self.held.is_some() && !self.guard.is_valid() {
            self.step_down("the Lease could not be renewed in time").await?;
        }
        // The holder knows the Lease. If somebody changed it nevertheless, the version will say so.
        if self.held.is_none()
            && let Err(refusal) = self.look().await?
        {
            return Ok(self.failed(&refusal));
        }
        let now = self.clock.wall();
        let seen = self
            .seen
            .as_ref()
            .map(|(record, since)| Seen { record: record.clone(), unchanged_for: since.elapsed() });
        let me = Me { uid: &self.settings.holder, held: self.held, may_continue: self.settings.may_continue };
        let step = plan(seen.as_ref(), me, now);
        let record = seen.map(|seen| seen.record).unwrap_or_default();
        match step {
            LeaseStep::Wait { pause } => {
                self.back_off.reset();
                Ok(pause)
            }
            LeaseStep::StepDown => {
                self.step_down("somebody else has the Lease").await?;
                Ok(Duration::ZERO)
            }
            LeaseStep::Create { epoch } => {
                let lease = LeaseRecord::create(&self.settings, epoch, now);
                let sent = Instant::now();
                let answer = within(self.patience(), self.store.create(lease)).await;
                self.written(sent, answer, Some(LeaseGained { epoch, continued: false })).await
            }
            LeaseStep::Take { epoch, continued } => {
                let patch = record.take(&self.settings.holder, epoch, now);
                let sent = Instant::now();
                let answer = within(self.patience(), self.store.patch(patch)).await;
                self.written(sent, answer, Some(LeaseGained { epoch, continued })).await
            }
            LeaseStep::Renew => {
                let sent = Instant::now();
                let answer = within(self.patience(), self.store.patch(record.renew(now))).await;
                self.written(sent, answer, None).await
            }
        }
    }

    /// What a write came to. It is valid from before it was sent, since the server dates nothing; `gained` is what
    /// begins when it succeeded.
    async fn written(
        &mut self,
        sent: Instant,
        answer: Result<RawObject, Refusal>,
        gained: Option<LeaseGained>,
    ) -> Result<Duration, Gone> {
        match answer {
            Ok(lease) => {
                let record = LeaseRecord::read(&lease);
                if let Some(life) = &self.life {
                    life.remember(&record.testimony());
                }
                self.guard.held_by(&record.holder);
                self.seen = Some((record, sent));
                self.guard.extend(sent + DURATION.saturating_sub(MARGIN));
                self.back_off.reset();
                if let Some(gained) = gained {
                    info!(epoch = gained.epoch, continued = gained.continued, "this process leads");
                    self.held = Some(gained.epoch);
                    self.sink.send(Input::Observe(vec![Event::LeaseGained(gained)])).await?;
                }
                Ok(RENEW_EVERY.saturating_sub(sent.elapsed()))
            }
            // Whether it was written may be unknown. Who does not hold it looks before each attempt; who does learns
            // from the version, and then looks whether it is still its own: a label from somebody is no other holder.
            Err(refusal) if self.held.is_some() && matches!(refusal.code(), 404 | 409) => {
                match self.look().await? {
                    Ok(()) => Ok(Duration::ZERO),
                    Err(refusal) => Ok(self.failed(&refusal)),
                }
            }
            Err(refusal) => Ok(self.failed(&refusal)),
        }
    }

    /// Reads the Lease, and remembers since when it is as it is.
    async fn look(&mut self) -> Result<Result<(), Refusal>, Gone> {
        let asked = match &self.life {
            Some(life) => Some((Arc::clone(life), life.ask().await)),
            None => None,
        };
        let record = match within(self.patience(), self.store.get()).await {
            Ok(lease) => LeaseRecord::read(&lease),
            Err(refusal) if refusal.code() == 404 => {
                self.seen = None;
                self.guard.held_by(&Uid::default());
                return Ok(Ok(()));
            }
            Err(refusal) => return Ok(Err(refusal)),
        };
        // Before anything is written: afterwards the Lease would be new again, and nobody would know.
        if let Some((life, asked)) = asked {
            life.heard(&asked, record.testimony(), &self.sink).await?;
        }
        let unchanged = self.seen.as_ref().filter(|(known, _)| *known == record).map(|(_, since)| *since);
        self.guard.held_by(&record.holder);
        self.seen = Some((record, unchanged.unwrap_or_else(Instant::now)));
        Ok(Ok(()))
    }

    /// No longer the leader: nothing leaves from now on, then everybody is told.
    async fn step_down(&mut self, reason: &str) -> Result<(), Gone> {
        self.guard.end();
        let Some(epoch) = self.held.take() else { return Ok(()) };
        warn!(epoch, reason, "this process does not lead any more");
        self.sink.send(Input::Observe(vec![Event::LeaseLost(LeaseLost { epoch })])).await
    }

    /// Gives the Lease back, if it still is ours; if that fails it ends by itself.
    async fn release(&mut self) {
        let Some((record, _)) = self.seen.take().filter(|(record, _)| record.holder == self.settings.holder)
        else {
            return;
        };
        let patch = record.release(self.clock.wall());
        if let Err(refusal) = within(RELEASE_PATIENCE, self.store.patch(patch)).await {
            debug!(%refusal, "the Lease could not be given back");
        }
    }

    fn failed(&mut self, refusal: &Refusal) -> Duration {
        debug!(%refusal, "a request about the Lease failed");
        let pause = self.back_off.next(&mut self.chance);
        refusal.retry_after().unwrap_or_default().max(pause).min(RENEW_EVERY)
    }

    /// When nothing may leave any more, while the Lease is held.
    fn ends_at(&self) -> Option<Instant> {
        self.guard.valid_until().filter(|_| self.held.is_some())
    }

    /// For one request: not longer than the Lease lasts.
    fn patience(&self) -> Duration {
        let left = self.ends_at().map(|end| end.saturating_duration_since(Instant::now()));
        left.map_or(PATIENCE, |left| left.min(PATIENCE))
    }
}

async fn within(
    patience: Duration,
    answer: impl Future<Output = Result<RawObject, Refusal>>,
) -> Result<RawObject, Refusal> {
    timeout(patience, answer).await.unwrap_or(Err(Refusal::Timeout { after: patience }))
}
