//! A running watch: carries out what its plan asks. Nothing is decided here.

use std::sync::Arc;
use std::time::Duration;

use liqo_engine::Input;
use liqo_events::{CursorMoved, Event, WatchKey};
use liqo_model::{Kind, ResourceVersion, Uid};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, info, warn};

use super::drift::Seen;
use super::lines::Lines;
use super::listing::Listing;
use super::observe::{self, Observer};
use super::plan::{Answer, Ask, End, Failure, Plan};
use super::stream::{Batch, Reader};
use super::watches::{MOST_WAITING, Request};
use super::witness::{Heard, hear};
use super::{ClusterLife, Cursor, NotListed, Target, WatchHandle, WatchState};
use crate::client::{Chunks, Place, Urgency, Verb};
use crate::{ApiServer, BodyCache, Chance, DigestKey, Gone, Metrics, Refusal, Sink};

/// Most events in one input; the engine makes batches of the same size.
const MOST_EVENTS: usize = 256;
/// Bookmarks come about once a minute. A watch that is quiet for two and a half of that has no connection, whatever the
/// kernel believes: behind address translation or a dead host it would believe so for hours.
const IDLE: Duration = Duration::from_secs(150);
/// Most bytes of one line of a watch. Objects are at most 1.5 MiB in etcd, and several times that in JSON.
const LINE_BYTES: usize = 8 << 20;
/// After how long the server is asked to end a watch; it spreads ends itself by reconnecting at other moments.
const WATCH_SECONDS: Duration = Duration::from_secs(300);
const WATCH_SPREAD: f64 = 0.2;

/// What watches of one cluster share.
pub struct WatchContext<S> {
    /// The API server.
    pub server: Arc<ApiServer>,
    /// The life of its cluster.
    pub life: Arc<ClusterLife>,
    /// Where observations go.
    pub sink: S,
    /// The key of digests.
    pub digest_key: DigestKey,
    /// Bodies for writes.
    pub cache: Arc<BodyCache>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl<S: Clone> Clone for WatchContext<S> {
    fn clone(&self) -> Self {
        Self {
            server: Arc::clone(&self.server),
            life: Arc::clone(&self.life),
            sink: self.sink.clone(),
            digest_key: self.digest_key.clone(),
            cache: Arc::clone(&self.cache),
            metrics: Arc::clone(&self.metrics),
        }
    }
}

/// A watch that is ready to run.
pub struct Watch<S> {
    context: WatchContext<S>,
    target: Target,
    key: WatchKey,
    observer: Observer,
    plan: Plan,
    chance: Chance,
    started: Instant,
    listing: Listing,
    seen: Seen,
    requests: mpsc::Receiver<Request>,
    waiting: Vec<Request>,
    state: watch::Sender<WatchState>,
}

impl<S: Sink> Watch<S> {
    /// A watch and its handle. It resumes from the cursor when that is of the same selection; with none it lists.
    pub fn new(
        context: WatchContext<S>,
        target: Target,
        cursor: Option<Cursor>,
        chance: Chance,
    ) -> (Self, WatchHandle) {
        let mut chance = chance;
        let cluster = context.server.cluster().clone();
        let key = target.key(&cluster);
        let cursor = cursor.filter(|cursor| cursor.watch == key && !cursor.resource_version.is_empty());
        let cursor = cursor.map(|cursor| (cursor.resource_version, cursor.generation));
        let (request, requests) = mpsc::channel(MOST_WAITING);
        let (state, states) = watch::channel(WatchState::Starting);
        let handle = WatchHandle { key: key.clone(), requests: request, state: states };
        let observer = Observer { cluster, kind: target.kind, key: context.digest_key.clone() };
        let plan = Plan::new(cursor, Duration::ZERO, &mut chance);
        let watch = Self {
            context,
            target,
            key,
            observer,
            plan,
            chance,
            started: Instant::now(),
            listing: Listing::default(),
            seen: Seen::default(),
            requests,
            waiting: Vec::new(),
            state,
        };
        (watch, handle)
    }

    /// Watches until nobody takes observations any more. May be dropped at any point: what was not handed over is seen
    /// again by the next watch.
    pub async fn run(mut self) -> Gone {
        let mut ask = self.plan.begin();
        loop {
            let answer = match self.perform(ask).await {
                Ok(answer) => answer,
                Err(gone) => return gone,
            };
            let now = self.started.elapsed();
            ask = self.plan.next(answer, now, &mut self.chance);
        }
    }

    async fn perform(&mut self, ask: Ask) -> Result<Answer, Gone> {
        match ask {
            Ask::Identify => self.identify().await,
            Ask::Probe => Ok(self.probe().await),
            Ask::NewGeneration { reason } => {
                let mine = self.plan.generation();
                let reason = format!("{}: {reason}", self.key);
                let generation = self.context.life.went_back(mine, reason, &self.context.sink).await?;
                Ok(Answer::Generation(generation))
            }
            Ask::List { next, limit } => self.list(next, limit).await,
            Ask::Commit { version, complete } => self.commit(version, complete).await,
            Ask::Watch { from } => self.follow(from).await,
            Ask::Wait { pause, trouble } => {
                self.say(WatchState::Waiting(trouble));
                self.context.metrics.backed_off(&self.observer.cluster, self.target.kind, pause);
                sleep(pause).await;
                Ok(Answer::Waited)
            }
        }
    }

    async fn identify(&mut self) -> Result<Answer, Gone> {
        if self.collect_requests() {
            self.plan.ask();
        }
        let uid = match self.cluster_uid().await {
            Ok(uid) => uid,
            Err(refusal) => return Ok(self.refused(&refusal)),
        };
        // Without a Lease, or without the right to read it, the versions of lists have to do.
        let WatchContext { server, life, sink, .. } = &self.context;
        if let Heard::Refused(refusal) = hear(server, life, sink).await? {
            return Ok(self.refused(&refusal));
        }
        let generation = self.context.life.seen(uid, &self.context.sink).await?;
        Ok(Answer::Generation(generation))
    }

    /// The uid of namespace kube-system; nothing when we may not see it, as in a peer that runs Liqo 0.8.3.
    async fn cluster_uid(&self) -> Result<Option<Uid>, Refusal> {
        let request = Place { kind: Kind::Namespace, namespace: "" }.get("kube-system")?;
        match self.context.server.object(Verb::Get, Urgency::Normal, request).await {
            Ok(namespace) => Ok(Some(namespace.uid)),
            Err(refusal) if matches!(refusal.code(), 403 | 404) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn probe(&mut self) -> Answer {
        match self.fetch_page(None, 1).await {
            Ok(bytes) => match crate::object::read_page(&bytes, &mut |_| {}) {
                Ok(page) => Answer::Version(page.resource_version),
                Err(_) => Answer::Failed(Failure::Unusable),
            },
            Err(refusal) => self.refused(&refusal),
        }
    }

    async fn list(&mut self, next: Option<String>, limit: u32) -> Result<Answer, Gone> {
        if next.is_none() {
            self.collect_requests();
            self.listing = Listing::default();
            self.say(WatchState::Listing);
        }
        let bytes = match self.fetch_page(next.as_deref(), limit).await {
            Ok(bytes) => bytes,
            Err(refusal) => return Ok(self.refused(&refusal)),
        };
        let cache = self.target.keeps_bodies().then_some(&*self.context.cache);
        let read = match self.listing.page(&bytes, &self.observer, cache) {
            Ok(read) => read,
            Err(error) => {
                debug!(watch = %self.key, %error, "a page of the list is no list");
                return Ok(Answer::Failed(Failure::Unusable));
            }
        };
        drop(bytes);
        let (page, unreadable) = (read.page, read.unreadable);
        let malformed = unreadable.saturating_add(observe::malformed(&read.events));
        self.context.metrics.malformed(&self.observer.cluster, self.target.kind, malformed);
        self.hand_over(read.events).await?;
        Ok(Answer::Page { version: page.resource_version, next: page.next, unreadable })
    }

    async fn fetch_page(&self, next: Option<&str>, limit: u32) -> Result<Vec<u8>, Refusal> {
        let place = Place { kind: self.target.kind, namespace: &self.target.namespace };
        let request = place.list(&self.target.selection(), limit, next)?;
        self.context.server.call(Verb::List, Urgency::Normal, request).await
    }

    async fn commit(&mut self, version: ResourceVersion, complete: bool) -> Result<Answer, Gone> {
        let reason = self.plan.relist().map_or("no_cursor", super::Relist::as_str);
        self.context.metrics.relisted(&self.observer.cluster, self.target.kind, reason);
        let listing = std::mem::take(&mut self.listing);
        let (listed, versions) = listing.finish(self.key.clone(), version.clone(), self.plan.generation());
        let objects = listed.present.len();
        if complete {
            self.context.sink.send(Input::Listed(listed)).await?;
        } else {
            warn!(watch = %self.key, "the list has objects that cannot be read; what vanished stays unknown until they can");
        }
        let drift = self.drift(&versions, reason, complete);
        debug!(watch = %self.key, %version, objects, drift, reason, "listed everything");
        for request in self.waiting.drain(..) {
            // Whoever asked may have given up.
            let _ = request.send(if complete { Ok(version.clone()) } else { Err(NotListed::Incomplete) });
        }
        Ok(Answer::Committed)
    }

    /// Differences count only where the watch had said everything up to its position.
    fn drift(&mut self, versions: &super::drift::Listing, reason: &str, complete: bool) -> u64 {
        if !complete || !matches!(reason, "periodic" | "asked" | "unreadable") {
            self.seen.forget();
        }
        if !complete {
            return 0;
        }
        let position = self.plan.watched_to().cloned().unwrap_or_default();
        let changes = self.seen.compare(versions, &position);
        self.context.metrics.drifted(&self.observer.cluster, self.target.kind, changes);
        changes
    }

    async fn follow(&mut self, from: ResourceVersion) -> Result<Answer, Gone> {
        let seconds = self.chance.around(WATCH_SECONDS, WATCH_SPREAD).as_secs();
        let place = Place { kind: self.target.kind, namespace: &self.target.namespace };
        let request =
            place.watch(&self.target.selection(), &from, u32::try_from(seconds).unwrap_or(u32::MAX));
        let opened = match request {
            Ok(request) => self.context.server.open(Verb::Watch, request).await,
            Err(refusal) => Err(refusal),
        };
        let chunks = match opened {
            Ok(chunks) => chunks,
            Err(refusal) => return Ok(self.refused(&refusal)),
        };
        self.say(WatchState::Watching);
        let end = self.read(chunks).await?;
        self.context.metrics.reconnected(&self.observer.cluster, self.target.kind, end.as_str());
        debug!(watch = %self.key, end = end.as_str(), "the watch ended");
        Ok(Answer::Ended(end))
    }

    /// Reads an open watch to its end.
    async fn read(&mut self, mut chunks: Chunks) -> Result<End, Gone> {
        let mut lines = Lines::new(self.context.server.limits().answer_bytes.min(LINE_BYTES));
        loop {
            let due = self.started + self.plan.relist_at();
            let chunk = tokio::select! {
                biased;
                request = self.requests.recv(), if !self.requests.is_closed() => match request {
                    Some(request) => {
                        self.waiting.push(request);
                        return Ok(End::Asked);
                    }
                    None => continue,
                },
                () = sleep_until(due) => return Ok(End::Due),
                chunk = timeout(IDLE, chunks.next()) => chunk,
            };
            let chunk = match chunk {
                Err(_) => return Ok(End::Idle),
                Ok(None) => return Ok(End::Closed),
                Ok(Some(Err(_))) => return Ok(End::Broken),
                Ok(Some(Ok(chunk))) => chunk,
            };
            if let Some(end) = self.take(&mut lines, &chunk).await? {
                return Ok(end);
            }
        }
    }

    /// Hands over what a chunk completes.
    async fn take(&mut self, lines: &mut Lines, chunk: &[u8]) -> Result<Option<End>, Gone> {
        let cache = self.target.keeps_bodies().then_some(&*self.context.cache);
        let (observer, metrics) = (&self.observer, &*self.context.metrics);
        let mut reader = Reader { observer, seen: &mut self.seen, cache, metrics };
        let Batch { mut events, version, unreadable, end } = reader.chunk(lines, chunk);
        let malformed = unreadable.saturating_add(observe::malformed(&events));
        metrics.malformed(&observer.cluster, observer.kind, malformed);
        let now = self.started.elapsed();
        if unreadable > 0 {
            warn!(watch = %self.key, lines = unreadable, "the watch sent what cannot be read; a list will show what it was");
            self.plan.unreadable(now, &mut self.chance);
        }
        if let Some(resource_version) = version.and_then(|version| self.plan.moved(version, now)) {
            events.push(Event::CursorMoved(CursorMoved { watch: self.key.clone(), resource_version }));
        }
        self.hand_over(events).await?;
        Ok(end)
    }

    async fn hand_over(&self, events: Vec<Event>) -> Result<(), Gone> {
        let mut left = events.into_iter();
        loop {
            let batch: Vec<Event> = left.by_ref().take(MOST_EVENTS).collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.context.sink.send(Input::Observe(batch)).await?;
        }
    }

    /// Takes everybody who asks for a list; whether there is somebody.
    fn collect_requests(&mut self) -> bool {
        while let Ok(request) = self.requests.try_recv() {
            self.waiting.push(request);
        }
        self.waiting.retain(|request| !request.is_closed());
        !self.waiting.is_empty()
    }

    fn refused(&self, refusal: &Refusal) -> Answer {
        debug!(watch = %self.key, %refusal, "a request of the watch failed");
        Answer::Failed(failure(refusal))
    }

    /// Tells a change of state: once, and as what a user would see.
    fn say(&self, state: WatchState) {
        let changed = self.state.send_if_modified(|known| std::mem::replace(known, state) != state);
        if !changed {
            return;
        }
        self.context.metrics.synced(&self.observer.cluster, self.target.kind, state == WatchState::Watching);
        match state {
            WatchState::Waiting(trouble) => {
                info!(watch = %self.key, trouble = trouble.as_str(), "the watch waits");
            }
            WatchState::Starting | WatchState::Listing | WatchState::Watching => {
                debug!(watch = %self.key, ?state, "the watch goes on");
            }
        }
    }
}

fn failure(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::Status { code: 410, .. } => Failure::Gone,
        Refusal::Status { code: 404, .. } => Failure::Missing,
        Refusal::Status { code: 401 | 403, .. } => Failure::Denied,
        Refusal::Status { code: 429, retry_after, .. } => Failure::Throttled(*retry_after),
        Refusal::Throttled { after } => Failure::Throttled(Some(*after)),
        Refusal::TooLarge { .. } => Failure::TooLarge,
        Refusal::Unintelligible { .. } | Refusal::Request { .. } => Failure::Unusable,
        Refusal::Status { .. } | Refusal::Timeout { .. } | Refusal::Unreachable { .. } => {
            Failure::Unreachable
        }
    }
}
