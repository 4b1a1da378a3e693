//! Whether a cluster is still the one that it was.
//!
//! A cluster is known by the uid of its namespace kube-system, which ends with its etcd. One that was rebuilt has another
//! uid; one that was restored from a backup has versions below those that were seen. Either begins a new *generation*, in
//! which absence proves nothing about what was known before.
//!
//! A restored cluster soon has written as much as it had, and backups are restored with versions moved forward, so the
//! version of a list may tell nothing. The *witness* is an object whose version only ever grows and that this process
//! knows well: its Lease. One that is older than it was, or has an earlier epoch, is of an earlier state of the cluster.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex as SyncMutex, PoisonError};

use liqo_events::{Event, GenerationChanged};
use liqo_model::{ClusterRef, ResourceVersion, Uid};
use tokio::sync::Mutex;
use tracing::warn;

use crate::{Gone, Sink};
use liqo_engine::Input;

/// The life of one cluster, shared by all of its watches so that a change is announced once.
#[derive(Debug)]
pub struct ClusterLife {
    cluster: ClusterRef,
    known: Mutex<Known>,
    /// The generation that the engine is told of, and the last one that it has recorded.
    announced: AtomicU64,
    recorded: AtomicU64,
    /// Namespace and name of the Lease, where there is one.
    lease: Option<(String, String)>,
    testimony: SyncMutex<Testimony>,
}

/// The latest that is known of the Lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Testimony {
    pub(crate) epoch: u64,
    /// Empty when it was not seen in this process yet.
    pub(crate) version: ResourceVersion,
}

impl Testimony {
    /// What is wrong with a Lease that says `now` after it said this.
    fn contradicted_by(&self, now: &Self) -> Option<String> {
        if now.epoch < self.epoch {
            return Some(format!("the epoch of the lease was {} and is {}", self.epoch, now.epoch));
        }
        let older = now.version.is_older_than(&self.version);
        older.then(|| format!("the version of the lease was {} and is {}", self.version, now.version))
    }
}

/// What was known before a question was asked, to be compared with the answer.
#[derive(Debug)]
pub(crate) struct Asked {
    generation: u64,
    testimony: Testimony,
}

impl Asked {
    /// The epoch of the Lease that was known then.
    pub(crate) fn epoch(&self) -> u64 {
        self.testimony.epoch
    }
}

/// What is known of a cluster's life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    /// Empty until it could be read: a peer's API server may not show it.
    uid: Uid,
    /// 0 until the cluster was seen at all.
    generation: u64,
}

/// What a look at the cluster means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    /// The generation that begins.
    New(GenerationChanged),
}

impl ClusterLife {
    /// What the log knows: the uid and generation of the last `GenerationChanged`, or an empty uid and 0.
    pub fn new(cluster: ClusterRef, uid: Uid, generation: u64) -> Self {
        let known = Mutex::new(Known { uid, generation });
        let (announced, recorded) = (AtomicU64::new(generation), AtomicU64::new(generation));
        Self { cluster, known, announced, recorded, lease: None, testimony: SyncMutex::default() }
    }

    /// Lets a Lease bear witness. `epoch` is the last that the log knows.
    #[must_use]
    pub fn witnessed_by(self, namespace: &str, name: &str, epoch: u64) -> Self {
        let testimony = SyncMutex::new(Testimony { epoch, version: ResourceVersion::default() });
        Self { lease: Some((namespace.to_owned(), name.to_owned())), testimony, ..self }
    }

    /// Namespace and name of the Lease that bears witness.
    pub(crate) fn lease(&self) -> Option<(&str, &str)> {
        self.lease.as_ref().map(|(namespace, name)| (namespace.as_str(), name.as_str()))
    }

    /// The generation that the cluster is in. Nothing before it was seen, and while the engine is being told of another: what
    /// is decided then may be of either.
    pub(crate) fn generation(&self) -> Option<u64> {
        // In this order, so that an announcement that begins in between is seen.
        let recorded = self.recorded.load(Ordering::Acquire);
        let announced = self.announced.load(Ordering::Acquire);
        (recorded > 0 && recorded == announced).then_some(recorded)
    }

    /// To be called before the Lease is read: what is written meanwhile is newer than that.
    pub(crate) async fn ask(&self) -> Asked {
        let generation = self.known.lock().await.generation;
        let testimony = self.testimony.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Asked { generation, testimony }
    }

    /// The Lease was written, or read and found in order.
    pub(crate) fn remember(&self, now: &Testimony) {
        let mut known = self.testimony.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contradicted_by(now).is_none() {
            *known = now.clone();
        }
    }

    /// The Lease was read. When it is older than it was, a new generation begins.
    pub(crate) async fn heard<S: Sink>(&self, asked: &Asked, now: Testimony, sink: &S) -> Result<(), Gone> {
        let Some(reason) = asked.testimony.contradicted_by(&now) else {
            self.remember(&now);
            return Ok(());
        };
        let reason = format!("{reason}: it was restored from a backup");
        self.went_back(asked.generation, reason, sink).await?;
        *self.testimony.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    /// The cluster was seen with a uid, if that could be read. Returns the generation that it is in now.
    pub(super) async fn seen<S: Sink>(&self, uid: Option<Uid>, sink: &S) -> Result<u64, Gone> {
        let mut known = self.known.lock().await;
        let verdict = identified(&known, &self.cluster, uid.as_ref());
        if known.uid.is_empty() {
            known.uid = uid.unwrap_or_default();
        }
        self.settle(&mut known, verdict, sink).await
    }

    /// A watch of generation `mine` found that versions went back.
    pub(super) async fn went_back<S: Sink>(&self, mine: u64, reason: String, sink: &S) -> Result<u64, Gone> {
        let mut known = self.known.lock().await;
        let verdict = rolled_back(&known, &self.cluster, mine, reason);
        self.settle(&mut known, verdict, sink).await
    }

    /// Nobody learns of a generation before the engine has recorded it, since the lock is held until then: a list of the new
    /// generation can never arrive before the generation itself, and what sets out in it was decided in it.
    async fn settle<S: Sink>(&self, known: &mut Known, verdict: Verdict, sink: &S) -> Result<u64, Gone> {
        if let Verdict::New(changed) = verdict {
            let (uid, generation) = (changed.uid.clone(), changed.generation);
            if generation > 1 {
                let (cluster, reason) = (&changed.cluster, &changed.reason);
                warn!(%cluster, generation, reason, "the cluster is not the one that it was; everything is listed anew");
            }
            self.announced.store(generation, Ordering::Release);
            sink.record(Input::Observe(vec![Event::GenerationChanged(changed)])).await?;
            self.recorded.store(generation, Ordering::Release);
            *known = Known { uid, generation };
        }
        Ok(known.generation)
    }
}

fn identified(known: &Known, cluster: &ClusterRef, uid: Option<&Uid>) -> Verdict {
    let seen = uid.cloned().unwrap_or_default();
    let reason = if known.generation == 0 {
        "the cluster is seen for the first time".to_owned()
    } else if known.uid.is_empty() || seen.is_empty() || known.uid == seen {
        return Verdict::Same;
    } else {
        format!("the uid of its namespace kube-system was {} and is {seen}: it was rebuilt", known.uid)
    };
    let generation = known.generation.saturating_add(1);
    Verdict::New(GenerationChanged { cluster: cluster.clone(), uid: seen, generation, reason })
}

fn rolled_back(known: &Known, cluster: &ClusterRef, mine: u64, reason: String) -> Verdict {
    // Another watch was faster, and its announcement stands for this one too.
    if known.generation != mine {
        return Verdict::Same;
    }
    let (uid, generation) = (known.uid.clone(), known.generation.saturating_add(1));
    Verdict::New(GenerationChanged { cluster: cluster.clone(), uid, generation, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(uid: &str, generation: u64) -> Known {
        Known { uid: uid.into(), generation }
    }

    fn new_generation(verdict: &Verdict) -> Option<(&str, u64)> {
        match verdict {
            Verdict::Same => None,
            Verdict::New(changed) => Some((changed.uid.as_str(), changed.generation)),
        }
    }

    #[test]
    fn a_cluster_is_known_by_its_uid() {
        for (before, seen, expected) in [
            (known("", 0), Some("a"), Some(("a", 1))),
            (known("", 0), None, Some(("", 1))),
            (known("a", 1), Some("a"), None),
            (known("a", 1), Some("b"), Some(("b", 2))),
            (known("a", 4), None, None),
            (known("", 1), Some("a"), None),
        ] {
            let uid = seen.map(Uid::from);
            let verdict = identified(&before, &ClusterRef::Local, uid.as_ref());
            assert_eq!(new_generation(&verdict), expected, "{before:?} {seen:?}");
        }
    }

    #[test]
    fn versions_that_went_back_are_announced_once() {
        let first = rolled_back(&known("a", 3), &ClusterRef::Local, 3, "back".to_owned());
        assert_eq!(new_generation(&first), Some(("a", 4)));
        let second = rolled_back(&known("a", 4), &ClusterRef::Local, 3, "back".to_owned());
        assert_eq!(second, Verdict::Same);
    }

    #[test]
    fn a_lease_that_is_older_than_it_was_contradicts() {
        let said = |epoch, version: &str| Testimony { epoch, version: version.into() };
        for (before, now, contradicted) in [
            (said(0, ""), said(7, "10"), false),
            (said(7, "10"), said(7, "10"), false),
            (said(7, "10"), said(8, "11"), false),
            (said(7, "10"), said(7, "9"), true),
            (said(7, ""), said(6, "90"), true),
        ] {
            assert_eq!(before.contradicted_by(&now).is_some(), contradicted, "{before:?} {now:?}");
        }
    }

    #[tokio::test]
    async fn a_restored_lease_begins_one_generation_whoever_sees_it() {
        let (sink, mut inputs) = tokio::sync::mpsc::channel(4);
        let life = ClusterLife::new(ClusterRef::Local, "a".into(), 1).witnessed_by("liqo", "lease", 7);
        life.remember(&Testimony { epoch: 7, version: "50".into() });
        let (first, second) = (life.ask().await, life.ask().await);
        let restored = Testimony { epoch: 7, version: "20".into() };
        life.heard(&first, restored.clone(), &sink).await.unwrap();
        life.heard(&second, restored.clone(), &sink).await.unwrap();
        // What is written from now on is in order again.
        let third = life.ask().await;
        life.heard(&third, Testimony { epoch: 8, version: "21".into() }, &sink).await.unwrap();
        assert_eq!(life.seen(Some("a".into()), &sink).await, Ok(2));
        drop(sink);
        assert!(inputs.recv().await.is_some() && inputs.recv().await.is_none());
    }

    /// Takes what is recorded when the test lets it.
    #[derive(Clone)]
    struct Slow(tokio::sync::watch::Receiver<bool>);

    impl Sink for Slow {
        async fn send(&self, _: Input) -> Result<(), Gone> {
            self.0.clone().wait_for(|recorded| *recorded).await.map(|_| ()).map_err(|_| Gone)
        }
    }

    #[tokio::test]
    async fn while_the_engine_is_told_of_a_generation_it_is_in_none() {
        let (let_it, recorded) = tokio::sync::watch::channel(false);
        let life = std::sync::Arc::new(ClusterLife::new(ClusterRef::Local, "a".into(), 1));
        assert_eq!(life.generation(), Some(1));
        let telling = std::sync::Arc::clone(&life);
        let told = tokio::spawn(async move { telling.seen(Some("b".into()), &Slow(recorded)).await });
        while life.generation().is_some() {
            tokio::task::yield_now().await;
        }
        let_it.send_replace(true);
        assert_eq!(told.await.unwrap(), Ok(2));
        assert_eq!(life.generation(), Some(2));
        assert_eq!(ClusterLife::new(ClusterRef::Local, Uid::default(), 0).generation(), None);
    }

    #[tokio::test]
    async fn the_engine_learns_of_a_generation_first_and_once() {
        let (sink, mut inputs) = tokio::sync::mpsc::channel(4);
        let life = ClusterLife::new(ClusterRef::Local, Uid::default(), 0);
        assert_eq!(life.seen(Some("a".into()), &sink).await, Ok(1));
        assert_eq!(life.seen(Some("a".into()), &sink).await, Ok(1));
        assert_eq!(life.went_back(1, "back".to_owned(), &sink).await, Ok(2));
        assert_eq!(life.went_back(1, "back".to_owned(), &sink).await, Ok(2));
        drop(sink);
        let mut generations = Vec::new();
        while let Some(Input::Observe(events)) = inputs.recv().await {
            for event in events {
                let Event::GenerationChanged(changed) = event else { panic!("{event:?}") };
                generations.push((changed.uid, changed.generation));
            }
        }
        assert_eq!(generations, [("a".into(), 1), ("a".into(), 2)]);
    }
}
