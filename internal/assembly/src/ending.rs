//! How a process ends: it gives away what it leads at once, and answers a little longer.
//!
//! ```text
//!  told to end ─► not ready ─► engine: commands under way, log ─► Lease given back ─► the next process leads
//!       └──────── webhooks, authentication, kubelet API: LINGER ──────┴─► no new callers ─► LAST_WORDS ─► end
//! ```
//!
//! Kubernetes gives a pod 30 s (`terminationGracePeriodSeconds` unless a manifest says otherwise, and ours do not). The
//! engine takes at most 10 s of them for commands that are under way, the Lease 3 s, the last answers 12 s.

use std::io;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::services::{Failure, Services};

/// How long after it was told to end a process takes new callers. That it ends is known in the whole cluster within a second
/// or two; whoever was sent here before is served.
const LINGER: Duration = Duration::from_secs(3);
/// How long those who were called last may take for their answers: webhooks 10 s, a stream of the kubelet API 5 s. What
/// takes longer is broken off, as the kubelet would do a moment later.
const LAST_WORDS: Duration = Duration::from_secs(12);
/// The check by which the end is told.
const PROCESS: &str = "process";

/// What a process is about: it decides and acts, and ends first.
pub(crate) struct Core<S, E, L> {
    /// Tells the engine to stop, after whatever has to be taken along from it.
    pub(crate) stop: S,
    /// The engine.
    pub(crate) engine: JoinHandle<Result<(), E>>,
    /// What keeps the Lease, and gives it back when the services retire.
    pub(crate) lease: JoinHandle<L>,
}

/// Why a process ends.
enum Cause {
    /// It was told to: others take over, and callers come for a moment yet.
    Told,
    /// The engine ended by itself.
    Engine,
}

impl Services {
    /// Waits until the process is told to end, the engine has ended, or something beside it has failed; then ends all. The
    /// Lease is given back when nothing acts any more: the next holder may begin at once.
    ///
    /// # Errors
    ///
    /// What ended the engine, or failed beside it.
    pub(crate) async fn until_the_end<S, E, L>(
        mut self,
        core: Core<S, E, L>,
        told: impl Future<Output = io::Result<()>> + Send,
    ) -> Result<(), Failure>
    where
        S: Future<Output = ()> + Send,
        E: Into<Failure>,
    {
        let Core { stop, mut engine, lease } = core;
        let mut ended = None;
        let cause = tokio::select! {
            told = told => told.map(|()| Cause::Told).map_err(Failure::from),
            result = &mut engine => {
                ended = Some(result);
                Ok(Cause::Engine)
            }
            failed = first_failure(&mut self.tasks) => Err(failed),
        };
        self.readiness.fail(PROCESS, "it ends");
        let lingers_until = Instant::now() + LINGER;
        stop.await;
        let result = match ended {
            Some(ended) => ended,
            None => engine.await,
        };
        self.retire.send_replace(true);
        // Whether it could be given back shows in the next process, which waits for its end otherwise.
        let _ = lease.await;
        if matches!(cause, Ok(Cause::Told)) {
            sleep_until(lingers_until).await;
        }
        self.stop.send_replace(true);
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(LAST_WORDS, rest).await.is_err() {
            tracing::warn!("answers that took too long were broken off at the end");
        }
        cause?;
        result?.map_err(Into::into)
    }
}

/// The first of them that fails, if one ever does.
async fn first_failure(tasks: &mut JoinSet<Result<(), Failure>>) -> Failure {
    loop {
        match tasks.join_next().await {
            Some(Ok(Err(failure))) => return failure,
            Some(Err(broken)) => return broken.into(),
            Some(Ok(Ok(()))) => {}
            None => std::future::pending().await,
        }
    }
}
