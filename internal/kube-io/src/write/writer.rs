//! Carries commands out.

use std::sync::Arc;
use std::time::Duration;

use liqo_engine::{Actuator, Clock as _, Outcome, SystemClock};
use liqo_events::{Command, Effect, WatchKey};
use liqo_model::{ObjectKey, ResourceVersion, Uid};
use serde_json::{Value, json};
use tokio::time::timeout;
use tracing::debug;

use super::effect::Job;
use super::last_look::{LastLook, Standing, is_final};
use super::settings::WriterSettings;
use super::source::{self, read};
use super::step::Step;
use super::{merge, outcome};
use crate::client::{Place, Preconditions, Urgency, Verb};
use crate::watch::Watches;
use crate::{ApiServer, ApiServers, BodyCache, Metrics, RawObject, Refusal};

/// Readings of one object for one command. Each lost race needs somebody else who writes the object in the same
/// millisecond; after three the engine's pauses are the better remedy.
const READINGS: u32 = 3;
/// How long a list may take. Longer, and the API server is away: then the engine waits, and not a task here.
const RELIST_PATIENCE: Duration = Duration::from_secs(120);

/// Carries commands out.
#[derive(Clone)]
pub struct Writer {
    pub(super) servers: ApiServers,
    watches: Watches,
    cache: Arc<BodyCache>,
    metrics: Arc<Metrics>,
    settings: Arc<WriterSettings>,
    last_look: LastLook,
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) version: ResourceVersion,
    pub(crate) body: Value,
    pub(crate) cached: bool,
}

impl Actuator for Writer {
    async fn act(&self, command: &Command, attempt: u32) -> Outcome {
        let object = &command.slot.object;
        let standing = self.last_look.set_out();
        let outcome = match &command.effect {
            Effect::Relist { watch } => self.relist(watch).await,
            Effect::Delete { uid, grace, .. } => match standing.holds(object).await {
                Ok(()) => self.delete(object, uid, *grace).await,
                Err(outcome) => outcome,
            },
            // What asks no API server alone is for an actuator beside this one.
            Effect::Authenticate { .. } => outcome::parked("this process asks no peer for an identity"),
            Effect::SetEnrolled { .. } => outcome::parked("this process gives no peer an identity"),
            effect => self.carry_out(object, effect, &standing).await,
        };
        debug!(command = %command.id, slot = %command.slot, attempt, ?outcome, "carried out {}", command.effect.name());
        outcome
    }
}

impl Writer {
    /// Writes to these API servers; `watches` answers commands that ask for a list.
    pub fn new(servers: ApiServers, watches: Watches, cache: Arc<BodyCache>, metrics: Arc<Metrics>) -> Self {
        Self { servers, watches, cache, metrics, settings: Arc::default(), last_look: LastLook::default() }
    }

    /// Looks there before something is taken away.
    pub(crate) fn looking(self, last_look: LastLook) -> Self {
        Self { last_look, ..self }
    }

    /// Writes what the process is configured with.
    #[must_use]
    pub fn with_settings(self, settings: WriterSettings) -> Self {
        Self { settings: Arc::new(settings), ..self }
    }

    /// Deletes an object when it still is of that life, within `grace` seconds. Without it nothing is to be done.
    pub(super) async fn delete(&self, key: &ObjectKey, uid: &Uid, grace: Option<u32>) -> Outcome {
        let Some(server) = self.servers.get(&key.cluster) else { return outcome::no_server(key) };
        let preconditions = Preconditions { uid: Some(uid.clone()), resource_version: None };
        let request = match Place::of(key).delete(&key.name, &preconditions, grace) {
            Ok(request) => request,
            Err(refusal) => return outcome::of(&refusal, key),
        };
        match server.call(Verb::Delete, Urgency::Normal, request).await {
            Ok(_) => Outcome::Succeeded { resource_version: ResourceVersion::default() },
            Err(refusal) => match refusal.code() {
                404 => Outcome::Succeeded { resource_version: ResourceVersion::default() },
                409 => Outcome::Superseded { reason: format!("{key} is another object of the same name") },
                _ => outcome::of(&refusal, key),
            },
        }
    }

    async fn relist(&self, watch: &WatchKey) -> Outcome {
        let Some(handle) = self.watches.get(watch) else {
            return outcome::later(&format!("no watch of {watch} runs"));
        };
        match timeout(RELIST_PATIENCE, handle.relist()).await {
            Ok(Ok(resource_version)) => Outcome::Succeeded { resource_version },
            Ok(Err(error)) => outcome::later(&format!("{watch}: {error}")),
            Err(_) => {
                outcome::later(&format!("{watch} was not listed within {} s", RELIST_PATIENCE.as_secs()))
            }
        }
    }

    /// An object in the cache.
    pub(super) fn cached(&self, key: &ObjectKey) -> Option<Current> {
        let known = self.cache.get(key)?;
        Some(Current { version: known.resource_version, body: known.body, cached: true })
    }

    /// Reads what is copied, if something is, and settles the object.
    async fn carry_out(&self, key: &ObjectKey, effect: &Effect, standing: &Standing) -> Outcome {
        let (mut source, mut consumer) = (None, None);
        if let Some((from, uid)) = source::of(effect) {
            match self.source(from, uid).await {
                Ok(found) => source = Some(found.body),
                Err(outcome) => return outcome,
            }
            if matches!(effect, Effect::Materialize { .. }) {
                match self.consumer(from).await {
                    Ok(found) => consumer = Some(found),
                    Err(outcome) => return outcome,
                }
            }
        }
        let (settings, now) = (&*self.settings, SystemClock.wall());
        let (source, consumer) = (source.as_ref(), consumer.as_ref());
        self.settle(Job { effect, key, settings, now, source, consumer }, standing).await
    }

    /// Reads, decides and writes until the object is as the effect wants it.
    async fn settle(&self, job: Job<'_>, standing: &Standing) -> Outcome {
        let key = job.key;
        let Some(server) = self.servers.get(&key.cluster) else { return outcome::no_server(key) };
        let task = Task { writer: self, server: &server, key, effect: job.effect, standing };
        let mut fresh = false;
        for _ in 0..READINGS {
            let current = match task.read(fresh).await {
                Ok(current) => current,
                Err(refusal) => return outcome::of(&refusal, key),
            };
            let step = job.step(current.as_ref().map(|current| &current.body));
            match task.take(step, current.as_ref()).await {
                Taken::Ended(outcome) => return outcome,
                Taken::Raced => fresh = true,
            }
        }
        outcome::later(&format!("{key} changes faster than it can be written"))
    }
}

/// One effect on one object.
struct Task<'a> {
    writer: &'a Writer,
    server: &'a ApiServer,
    key: &'a ObjectKey,
    effect: &'a Effect,
    /// The cluster as it was when the command set out.
    standing: &'a Standing,
}

impl Task<'_> {
    /// The object as it is, from the cache unless it must be fresh.
    async fn read(&self, fresh: bool) -> Result<Option<Current>, Refusal> {
        match self.writer.cached(self.key).filter(|_| !fresh) {
            Some(known) => Ok(Some(known)),
            None => read(self.server, self.key).await,
        }
    }

    async fn take(&self, step: Step, current: Option<&Current>) -> Taken {
        let cached = current.is_some_and(|current| current.cached);
        match step {
            // The cache may be older than the command, so nothing is given up because of it.
            Step::Superseded(_) | Step::Park(_) | Step::Later(_) | Step::Delete if cached => Taken::Raced,
            Step::Superseded(reason) => Taken::Ended(Outcome::Superseded { reason }),
            Step::Park(reason) => Taken::Ended(outcome::parked(&reason)),
            Step::Later(reason) => Taken::Ended(outcome::later(&reason)),
            Step::Nothing => self.avoided(current),
            Step::Create(object) => {
                let answer = match Place::of(self.key).create(&object) {
                    Ok(request) => self.server.object(Verb::Create, Urgency::Normal, request).await,
                    Err(refusal) => Err(refusal),
                };
                self.judge(Verb::Create, cached, answer)
            }
            Step::Patch(fields) => self.patch(fields, "", current).await,
            Step::PatchStatus(fields) => self.patch(fields, "status", current).await,
            Step::Approve(fields) => self.patch(fields, "approval", current).await,
            Step::Delete => self.delete(current).await,
        }
    }

    /// Deletes what was read, so that it can be decided anew.
    async fn delete(&self, current: Option<&Current>) -> Taken {
        let Some(found) = current else { return Taken::Raced };
        if let Err(outcome) = self.standing.holds(self.key).await {
            return Taken::Ended(outcome);
        }
        let uid = found.body["metadata"]["uid"].as_str().map(Uid::from);
        let preconditions = Preconditions { uid, resource_version: Some(found.version.clone()) };
        let deleted = match Place::of(self.key).delete(&self.key.name, &preconditions, None) {
            Ok(request) => self.server.call(Verb::Delete, Urgency::Normal, request).await,
            Err(refusal) => Err(refusal),
        };
        match deleted {
            Ok(_) => Taken::Raced,
            Err(refusal) if matches!(refusal.code(), 404 | 409) => Taken::Raced,
            Err(refusal) => Taken::Ended(outcome::of(&refusal, self.key)),
        }
    }

    /// Merges fields into the object, or into a subresource of it.
    async fn patch(&self, fields: Value, subresource: &str, current: Option<&Current>) -> Taken {
        let Some(found) = current.filter(|current| merge::changes(&current.body, &fields)) else {
            return self.avoided(current);
        };
        if is_final(self.effect)
            && let Err(outcome) = self.standing.holds(self.key).await
        {
            return Taken::Ended(outcome);
        }
        let fields = at_version(fields, &found.version);
        let answer = match Place::of(self.key).patch_part(&self.key.name, subresource, &fields) {
            Ok(request) => self.server.object(Verb::Patch, Urgency::Normal, request).await,
            Err(refusal) => Err(refusal),
        };
        self.judge(Verb::Patch, found.cached, answer)
    }

    /// A write that changes nothing costs an API server more than one that does. That nothing changes is no news to whoever
    /// gave the command unless the cache is behind, so it is judged by the object itself.
    fn avoided(&self, current: Option<&Current>) -> Taken {
        if current.is_some_and(|current| current.cached) {
            return Taken::Raced;
        }
        self.writer.metrics.write_avoided(self.effect.name());
        let resource_version = current.map(|current| current.version.clone()).unwrap_or_default();
        Taken::Ended(Outcome::Succeeded { resource_version })
    }

    fn judge(&self, verb: Verb, cached: bool, answer: Result<RawObject, Refusal>) -> Taken {
        match answer {
            Ok(written) => {
                // The next command need not wait for the watch to show what this one did.
                self.writer.cache.refresh(self.key, &written);
                Taken::Ended(Outcome::Succeeded { resource_version: written.resource_version })
            }
            Err(refusal) => match (refusal.code(), verb) {
                // Somebody was faster: made it, changed it, or took it away.
                (409, _) | (404, Verb::Patch) => Taken::Raced,
                (422, _) if cached => Taken::Raced,
                _ => Taken::Ended(outcome::of(&refusal, self.key)),
            },
        }
    }
}

/// How a step went.
enum Taken {
    Ended(Outcome),
    /// The object is not what the step was made for.
    Raced,
}

/// A patch that counts only for the version that it was made for, and so only for the life as well.
fn at_version(mut fields: Value, version: &ResourceVersion) -> Value {
    fields["metadata"]["resourceVersion"] = json!(version.as_str());
    fields
}
