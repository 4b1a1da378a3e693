//! Carries commands out.

use std::sync::Arc;
use std::time::Duration;

use liqo_engine::{Actuator, Disposition, Outcome};
use liqo_events::{Command, Effect, WatchKey};
use liqo_model::{ObjectKey, ResourceVersion, Uid};
use serde_json::{Value, json};
use tokio::time::timeout;
use tracing::debug;

use super::step::Step;
use super::{effect, merge, outcome};
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
    servers: ApiServers,
    watches: Watches,
    cache: Arc<BodyCache>,
    metrics: Arc<Metrics>,
}

/// An object as it was read.
struct Current {
    version: ResourceVersion,
    body: Value,
    cached: bool,
}

impl Actuator for Writer {
    async fn act(&self, command: &Command, attempt: u32) -> Outcome {
        let outcome = match &command.effect {
            Effect::Relist { watch } => self.relist(watch).await,
            Effect::Delete { uid, .. } => self.delete(&command.slot.object, uid).await,
            Effect::Put { .. }
            | Effect::PutStatus { .. }
            | Effect::Authenticate { .. }
            | Effect::Replicate { .. }
            | Effect::ReplicateStatus { .. }
            | Effect::Reflect { .. }
            | Effect::MirrorStatus { .. }
            | Effect::Materialize { .. }
            | Effect::ApproveSigning { .. } => outcome::later("it cannot be carried out yet"),
            Effect::WriteIdentity { .. }
            | Effect::LabelForeignCluster { .. }
            | Effect::EnsureTenantNamespace { .. }
            | Effect::WriteForeignClusterStatus { .. }
            | Effect::SetFinalizer { .. }
            | Effect::SetScheduling { .. }
            | Effect::MapNamespace { .. }
            | Effect::WriteOffloadingStatus { .. } => {
                self.settle(&command.slot.object, &command.effect).await
            }
        };
        debug!(command = %command.id, slot = %command.slot, attempt, ?outcome, "carried out {}", command.effect.name());
        outcome
    }
}

impl Writer {
    /// Writes to these API servers; `watches` answers commands that ask for a list.
    pub fn new(servers: ApiServers, watches: Watches, cache: Arc<BodyCache>, metrics: Arc<Metrics>) -> Self {
        Self { servers, watches, cache, metrics }
    }

    /// Deletes an object when it still is of that life. Without it nothing is to be done.
    pub async fn delete(&self, key: &ObjectKey, uid: &Uid) -> Outcome {
        let Some(server) = self.servers.get(&key.cluster) else { return no_server(key) };
        let preconditions = Preconditions { uid: Some(uid.clone()), resource_version: None };
        let request = match Place::of(key).delete(&key.name, &preconditions) {
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
        let Some(handle) = self.watches.get(&watch.cluster, watch.kind) else {
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

    /// Reads, decides and writes until the object is as the effect wants it.
    async fn settle(&self, key: &ObjectKey, effect: &Effect) -> Outcome {
        let Some(server) = self.servers.get(&key.cluster) else { return no_server(key) };
        let task = Task { writer: self, server: &server, key, effect };
        let mut fresh = false;
        for _ in 0..READINGS {
            let current = match task.read(fresh).await {
                Ok(current) => current,
                Err(refusal) => return outcome::of(&refusal, key),
            };
            let step = effect::step(effect, key, current.as_ref().map(|current| &current.body));
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
}

impl Task<'_> {
    /// The object as it is, from the cache unless it must be fresh.
    async fn read(&self, fresh: bool) -> Result<Option<Current>, Refusal> {
        if let Some(known) = self.writer.cache.get(self.key).filter(|_| !fresh) {
            return Ok(Some(Current { version: known.resource_version, body: known.body, cached: true }));
        }
        let request = Place::of(self.key).get(&self.key.name)?;
        match self.server.object(Verb::Get, Urgency::Normal, request).await {
            Ok(object) => {
                let (version, body) = (object.resource_version, object.body);
                Ok(Some(Current { version, body, cached: false }))
            }
            Err(Refusal::Status { code: 404, .. }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn take(&self, step: Step, current: Option<&Current>) -> Taken {
        let cached = current.is_some_and(|current| current.cached);
        match step {
            // The cache may be older than the command, so nothing is given up because of it.
            Step::Superseded(_) | Step::Park(_) | Step::Later(_) if cached => Taken::Raced,
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
            Step::Patch(fields) => self.patch(fields, false, current).await,
            Step::PatchStatus(fields) => self.patch(fields, true, current).await,
        }
    }

    async fn patch(&self, fields: Value, status: bool, current: Option<&Current>) -> Taken {
        let Some(found) = current.filter(|current| merge::changes(&current.body, &fields)) else {
            return self.avoided(current);
        };
        let fields = at_version(fields, &found.version);
        let answer = match Place::of(self.key).patch(&self.key.name, status, &fields) {
            Ok(request) => self.server.object(Verb::Patch, Urgency::Normal, request).await,
            Err(refusal) => Err(refusal),
        };
        self.judge(Verb::Patch, found.cached, answer)
    }

    /// A write that changes nothing costs an API server more than one that does.
    fn avoided(&self, current: Option<&Current>) -> Taken {
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

fn no_server(key: &ObjectKey) -> Outcome {
    // A peer whose identity is being renewed has no client for a moment.
    let error = format!("{key}: there is no client for the API server of {}", key.cluster);
    Outcome::Failed { disposition: Disposition::Retry { after: None }, error }
}
