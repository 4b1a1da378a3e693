//! A process with topics and a log that a test writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use liqo_engine::{Degradation, LogStanding, Published};
use liqo_events::{Envelope, Event, Recorded, Seq, StateDigest, UnixMillis};
use liqo_projections::view::View;
use tokio::sync::watch;

use crate::{
    AgentReport, DebugSource, Json, ProjectionSource, ReleaseError, Released, Report, Sighting, SourceError,
};

/// What the test says is so.
#[derive(Debug)]
pub(crate) struct Process {
    published: watch::Sender<Published>,
    topics: Mutex<BTreeMap<String, View<Json>>>,
    log: Mutex<Vec<Envelope>>,
    reported: watch::Sender<AgentReport>,
}

pub(crate) fn view(entries: &[(&str, &str)]) -> View<Json> {
    entries.iter().map(|(key, json)| ((*key).to_owned(), Json::from(*json))).collect()
}

impl Process {
    /// A live leader of this epoch that knows nothing.
    pub(crate) fn leading(epoch: u64) -> Arc<Self> {
        let published = watch::Sender::new(Published { seq: Seq(0), epoch: Some(epoch), live: true });
        Arc::new(Self {
            published,
            topics: Mutex::default(),
            log: Mutex::default(),
            reported: watch::Sender::default(),
        })
    }

    /// Puts a topic into this state with the next event.
    pub(crate) fn show(&self, topic: &str, entries: &[(&str, &str)]) {
        self.topics.lock().unwrap().insert(topic.to_owned(), view(entries));
        self.published.send_modify(|published| published.seq = published.seq.next());
    }

    /// What an agent reported last.
    pub(crate) fn heard(&self) -> watch::Receiver<AgentReport> {
        self.reported.subscribe()
    }

    /// Goes on by an event that changes no topic.
    pub(crate) fn go_on(&self) {
        self.published.send_modify(|published| published.seq = published.seq.next());
    }

    /// Somebody else leads.
    pub(crate) fn follow(&self) {
        self.published.send_modify(|published| (published.epoch, published.live) = (None, false));
    }

    pub(crate) fn lead(&self, epoch: u64, live: bool) {
        self.published.send_modify(|published| (published.epoch, published.live) = (Some(epoch), live));
    }

    /// Appends an event and its cause, 0 for none; numbered from 1.
    pub(crate) fn append(&self, cause: u64, event: impl Into<Event>) -> Seq {
        let mut log = self.log.lock().unwrap();
        let seq = log.last().map_or(Seq::FIRST, |last| last.seq.next());
        let caused_by = Some(Seq(cause)).filter(|cause| cause.0 != 0);
        let recorded = Recorded { seq, recorded_at: UnixMillis(1000), caused_by, event: event.into() };
        log.push(Envelope::seal(&recorded, StateDigest(seq.0), None).unwrap());
        self.published.send_modify(|published| published.seq = seq);
        seq
    }

    /// Drops everything before an event, as retention does.
    pub(crate) fn forget_before(&self, first: Seq) {
        self.log.lock().unwrap().retain(|envelope| envelope.seq >= first);
    }
}

impl ProjectionSource for Process {
    fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    async fn view(&self, topic: &str) -> Result<Option<Sighting>, SourceError> {
        let at = *self.published.borrow();
        Ok(self.topics.lock().unwrap().get(topic).map(|view| Sighting { at, view: view.clone() }))
    }

    async fn reported(&self, report: AgentReport) -> Result<(), SourceError> {
        self.reported.send_replace(report);
        Ok(())
    }
}

impl DebugSource for Process {
    fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    async fn history(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, SourceError> {
        let log = self.log.lock().unwrap();
        Ok(log.iter().filter(|envelope| envelope.seq >= from).take(limit).cloned().collect())
    }

    async fn report(&self) -> Result<Report, SourceError> {
        let counts = BTreeMap::from([("objects", 3)]);
        Ok(Report {
            published: *self.published.borrow(),
            digest: StateDigest(7),
            counts,
            degraded: Some(Degradation { since: UnixMillis(1000), reason: "the disk is full".to_owned() }),
            log: LogStanding {
                on_volume: Seq(4),
                snapshot: Some(Seq(3)),
                put_aside: Some("damaged".to_owned()),
                ..LogStanding::default()
            },
        })
    }

    /// Two mappings of milan are held; a follower knows that another pod leads.
    async fn release(&self, peer: &str) -> Result<Released, ReleaseError> {
        if self.published.borrow().epoch.is_none() {
            return Err(ReleaseError::Follower { leader: Some("pod-2".into()) });
        }
        if peer != "milan" {
            return Err(ReleaseError::Unknown { peer: peer.to_owned(), known: "milan".to_owned() });
        }
        Ok(Released { peer: "milan-id".into(), mappings: 2 })
    }
}
