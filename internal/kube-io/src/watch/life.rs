//! Whether a cluster is still the one that it was.
//!
//! A cluster is known by the uid of its namespace kube-system, which ends with its etcd. One that was rebuilt has another
//! uid; one that was restored from a backup has versions below those that were seen. Either begins a new *generation*, in
//! which absence proves nothing about what was known before.

use liqo_events::{Event, GenerationChanged};
use liqo_model::{ClusterRef, Uid};
use tokio::sync::Mutex;

use crate::{Gone, Sink};
use liqo_engine::Input;

/// The life of one cluster, shared by all of its watches so that a change is announced once.
#[derive(Debug)]
pub struct ClusterLife {
    cluster: ClusterRef,
    known: Mutex<Known>,
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
        Self { cluster, known: Mutex::new(Known { uid, generation }) }
    }

    /// The cluster was seen with a uid, if that could be read. Returns the generation that it is in now.
    pub(super) async fn seen<S: Sink>(&self, uid: Option<Uid>, sink: &S) -> Result<u64, Gone> {
        let mut known = self.known.lock().await;
        let verdict = identified(&known, &self.cluster, uid.as_ref());
        if known.uid.is_empty() {
            known.uid = uid.unwrap_or_default();
        }
        settle(&mut known, verdict, sink).await
    }

    /// A watch of generation `mine` found that versions went back.
    pub(super) async fn went_back<S: Sink>(&self, mine: u64, reason: String, sink: &S) -> Result<u64, Gone> {
        let mut known = self.known.lock().await;
        let verdict = rolled_back(&known, &self.cluster, mine, reason);
        settle(&mut known, verdict, sink).await
    }
}

/// Nobody learns of a generation before the engine has it, since the lock is held until then: a list of the new
/// generation can never arrive before the generation itself.
async fn settle<S: Sink>(known: &mut Known, verdict: Verdict, sink: &S) -> Result<u64, Gone> {
    if let Verdict::New(changed) = verdict {
        let (uid, generation) = (changed.uid.clone(), changed.generation);
        sink.send(Input::Observe(vec![Event::GenerationChanged(changed)])).await?;
        *known = Known { uid, generation };
    }
    Ok(known.generation)
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
