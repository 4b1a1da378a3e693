//! Says it. What is said is decided in `condition.rs`.

use std::sync::Arc;

use liqo_engine::{Clock, Degradation};
use liqo_model::Kind;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::condition;
use super::event::Notice;
use crate::client::{Place, Urgency, Verb, create_event};
use crate::{ApiServer, BackOff, Chance, RawObject, Refusal};

/// The pod that the process runs in, as far as it was told.
pub struct OwnPod {
    /// The API server of its cluster.
    pub server: Arc<ApiServer>,
    /// Its namespace.
    pub namespace: String,
    /// Its name; empty when the process does not know it, and then nothing is said.
    pub name: String,
    /// For pauses.
    pub chance: Chance,
}

impl OwnPod {
    /// Says there that a log was put aside at the start, if one was, and from then on whether the log is degraded. The pod
    /// is read each time and only a difference is written; what cannot be said is tried again after pauses of up to half
    /// a minute. Ends with the engine.
    pub async fn report(
        mut self,
        mut degraded: watch::Receiver<Option<Degradation>>,
        put_aside: Option<String>,
        clock: impl Clock,
    ) {
        if self.name.is_empty() {
            return;
        }
        let mut put_aside = put_aside.map(|why| Notice::put_aside(&why, clock.wall()));
        let mut back_off = BackOff::default();
        let mut told = false;
        loop {
            let degradation = degraded.borrow_and_update().clone();
            match self.say(degradation.as_ref(), &mut put_aside, &clock).await {
                Ok(()) => {
                    (back_off, told) = (BackOff::default(), false);
                    if degraded.changed().await.is_err() {
                        return;
                    }
                }
                Err(refusal) => {
                    if std::mem::replace(&mut told, true) {
                        debug!(pod = self.name, %refusal, "the pod still cannot be told about the log");
                    } else {
                        warn!(pod = self.name, namespace = self.namespace, %refusal, "the state of the log cannot be said on this pod; trying on");
                    }
                    sleep(back_off.next(&mut self.chance)).await;
                    if degraded.has_changed().is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn say(
        &self,
        degradation: Option<&Degradation>,
        put_aside: &mut Option<Notice>,
        clock: &impl Clock,
    ) -> Result<(), Refusal> {
        let place = Place { kind: Kind::Pod, namespace: &self.namespace };
        let pod = self.server.object(Verb::Get, Urgency::Normal, place.get(&self.name)?).await?;
        if let Some(notice) = put_aside {
            self.tell(notice, &pod, clock).await?;
        }
        *put_aside = None;
        let known = condition::read(&pod.body);
        let Some(wanted) = condition::change(degradation, known.as_ref(), clock.wall()) else {
            return Ok(());
        };
        // The Event first: when the condition cannot be written, both are tried again, and the Event has its name.
        self.tell(&Notice::changed(&wanted, known.as_ref()), &pod, clock).await?;
        let patch = condition::patch(pod.uid.as_str(), &wanted);
        let request = place.merge_status(&self.name, &patch)?;
        self.server.call(Verb::Patch, Urgency::Normal, request).await.map(|_| ())
    }

    /// Makes an Event. One that exists was made before; one that is not taken as it is must not stand in the way of the
    /// condition.
    async fn tell(&self, notice: &Notice, pod: &RawObject, clock: &impl Clock) -> Result<(), Refusal> {
        let event = notice.event((&self.namespace, &self.name), pod.uid.as_str(), clock.wall());
        let request = create_event(&self.namespace, &event)?;
        match self.server.call(Verb::Create, Urgency::Normal, request).await {
            Err(refusal) if matches!(refusal.code(), 400 | 403 | 404 | 409 | 422) => {
                debug!(pod = self.name, %refusal, "an Event about the log was not taken");
                Ok(())
            }
            made => made.map(|_| ()),
        }
    }
}
