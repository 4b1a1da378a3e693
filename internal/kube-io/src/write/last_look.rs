//! A last look at the cluster before a write that nobody can take back.
//!
//! A command is decided from what the watches have shown. A cluster that is restored from a backup, or another one behind
//! the same address, may have again what was seen to go, under the same uids; watches notice that when they connect anew,
//! which may be a moment after a write. So before something is taken away the witness of the cluster's life, the Lease of
//! this process, is read once more, and the write is let go only when the cluster still is in the generation in which its
//! command set out.
//!
//! *How fresh is fresh enough.* Between any answer and the write that follows it lies a moment in which the cluster may
//! change; the look can only make it short. Whatever takes the store of an API server back has to end that server and to
//! start it again, which takes seconds. So an answer stands for every write that leaves within [`FRESH`] of the moment it
//! was asked for: a burst of deletions costs one request a second, and a single one costs one. Nothing else is delayed.
//!
//! Objects of peers are taken away for what was seen at home, so the look is at home for them too. What is in the peer is
//! held by the uid in the precondition: a cluster that was rebuilt has no object of that uid.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use liqo_engine::{Disposition, Outcome};
use liqo_events::Effect;
use liqo_model::ObjectKey;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::outcome;
use crate::watch::{ClusterLife, Heard, hear};
use crate::{ApiServer, Refusal, Sink};

/// How long after it was asked for an answer stands for writes.
const FRESH: Duration = Duration::from_secs(1);

/// Whether nobody can take it back: what it takes away is lost, and an object that it lets go takes with it the knowledge
/// of what is still to be undone.
pub(super) fn is_final(effect: &Effect) -> bool {
    effect.is_destructive() || matches!(effect, Effect::SetFinalizer { present: false, .. })
}

/// Where a writer looks before it takes something away. There is nothing to look at, and nothing is taken away, until the
/// process has begun to watch its cluster. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct LastLook(Arc<RwLock<Option<Arc<dyn Look>>>>);

impl LastLook {
    /// Looks at this cluster from now on; what is found out goes to `sink`.
    pub(crate) fn at<S: Sink>(&self, server: Arc<ApiServer>, life: Arc<ClusterLife>, sink: S) {
        self.at_most_every(FRESH, server, life, sink);
    }

    /// As [`Self::at`], with answers that stand for another time.
    pub(super) fn at_most_every<S: Sink>(
        &self,
        fresh: Duration,
        server: Arc<ApiServer>,
        life: Arc<ClusterLife>,
        sink: S,
    ) {
        let ground = Ground { server, life, sink, fresh, last: Mutex::default() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(ground));
    }

    /// The cluster as it is now, when a command sets out.
    pub(super) fn set_out(&self) -> Standing {
        let ground = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Standing(ground.and_then(|ground| ground.generation().map(|generation| (ground, generation))))
    }
}

/// The cluster as it was when a command set out, if that is known.
pub(super) struct Standing(Option<(Arc<dyn Look>, u64)>);

impl Standing {
    /// Looks whether the cluster still is what it was. If not, or when that cannot be told, nothing is to be written: the
    /// outcome makes the machine try again, when what is still wanted then.
    pub(super) async fn holds(&self, key: &ObjectKey) -> Result<(), Outcome> {
        let Some((ground, generation)) = &self.0 else {
            return Err(outcome::later(&format!("{key} is left as it is until the cluster was looked at")));
        };
        let looked = ground.look().await;
        let same = ground.generation() == Some(*generation);
        looked.and(if same { Ok(()) } else { Err(Doubt::Changed) }).map_err(|doubt| doubt.about(key))
    }
}

/// Why something is not taken away.
#[derive(Clone)]
enum Doubt {
    /// The cluster is not the one that the command was decided for.
    Changed,
    /// The Lease is of another term: somebody else acts, or it is another cluster.
    Taken,
    /// There is no Lease that could tell.
    Silence,
    /// The API server did not answer.
    Refused(Refusal),
    /// Nobody takes observations any more.
    Ending,
}

impl Doubt {
    /// The command is tried again, and the machine takes it back when it is not wanted any more.
    fn about(self, key: &ObjectKey) -> Outcome {
        let (why, after) = match self {
            Self::Changed => ("the cluster is not the one that this was decided for".to_owned(), None),
            Self::Taken => ("the Lease of this process is not what it was".to_owned(), None),
            Self::Silence => ("the Lease of this process cannot be read".to_owned(), None),
            Self::Refused(refusal) => {
                (format!("a last look at the cluster failed: {refusal}"), refusal.retry_after())
            }
            Self::Ending => ("the process is ending".to_owned(), None),
        };
        let error = crate::client::one_line(&format!("{key} is left as it is: {why}"));
        Outcome::Failed { disposition: Disposition::Retry { after }, error }
    }
}

/// What can be looked at.
trait Look: Send + Sync {
    /// The generation that the cluster is in, when that is known.
    fn generation(&self) -> Option<u64>;

    /// Looks whether the cluster is what it was, unless that was done a moment ago. A change is known afterwards.
    fn look(&self) -> BoxFuture<'_, Result<(), Doubt>>;
}

struct Ground<S> {
    server: Arc<ApiServer>,
    life: Arc<ClusterLife>,
    sink: S,
    fresh: Duration,
    last: Mutex<Last>,
}

/// The last answers.
#[derive(Default)]
struct Last {
    /// When the last good one was asked for.
    good: Option<Instant>,
    /// When the last other one was, and what it was.
    bad: Option<(Instant, Doubt)>,
}

impl<S: Sink> Look for Ground<S> {
    fn generation(&self) -> Option<u64> {
        self.life.generation()
    }

    fn look(&self) -> BoxFuture<'_, Result<(), Doubt>> {
        async move {
            let came = Instant::now();
            // One at a time: who waits has the answer of the one before, also when that is none.
            let mut last = self.last.lock().await;
            if last.good.is_some_and(|asked| asked.elapsed() < self.fresh) {
                return Ok(());
            }
            if let Some((_, doubt)) = last.bad.as_ref().filter(|(asked, _)| *asked > came) {
                return Err(doubt.clone());
            }
            let asked = Instant::now();
            let answer = self.ask().await;
            match &answer {
                Ok(()) => last.good = Some(asked),
                Err(doubt) => last.bad = Some((asked, doubt.clone())),
            }
            answer
        }
        .boxed()
    }
}

impl<S: Sink> Ground<S> {
    async fn ask(&self) -> Result<(), Doubt> {
        match hear(&self.server, &self.life, &self.sink).await {
            Ok(Heard::Lease { same_term: true }) => Ok(()),
            Ok(Heard::Lease { same_term: false }) => Err(Doubt::Taken),
            Ok(Heard::Silence) => Err(Doubt::Silence),
            Ok(Heard::Refused(refusal)) => Err(Doubt::Refused(refusal)),
            Err(_) => Err(Doubt::Ending),
        }
    }
}
