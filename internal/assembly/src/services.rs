//! What runs beside an engine: when one of them fails, the process ends and says why.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use liqo_domain::{Machine, State};
use liqo_engine::Handle;
use liqo_kube_io::lease::LeaseGuard;
use liqo_projection_api::debug::{self, DebugService, DebugSocket};
use liqo_projection_api::{EngineSource, Metrics};
use liqo_telemetry::{self as telemetry, Exposed, Listening};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};

/// Whatever ends a process.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What runs beside an engine.
pub(crate) struct Services {
    tasks: JoinSet<Result<(), Failure>>,
    stop: watch::Sender<bool>,
}

impl Default for Services {
    fn default() -> Self {
        Self { tasks: JoinSet::new(), stop: watch::Sender::new(false) }
    }
}

impl Services {
    /// Tells when to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Ends when it is time to stop.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopping = self.stop.subscribe();
        // A sender that is gone says the same.
        async move { drop(stopping.wait_for(|stopping| *stopping).await) }
    }

    /// Runs something until it is told to stop.
    pub(crate) fn spawn<E>(&mut self, service: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<Failure>,
    {
        self.tasks.spawn(async move { service.await.map_err(Into::into) });
    }

    /// Serves metrics and health.
    pub(crate) fn expose(&mut self, listening: Listening, exposed: Exposed) {
        let stopped = self.stopped();
        self.spawn(telemetry::serve(listening, exposed, stopped));
    }

    /// Serves the debug service on a unix socket.
    ///
    /// # Errors
    ///
    /// When the socket cannot be made.
    pub(crate) async fn console<M: Machine<State = State> + Send + Sync + 'static>(
        &mut self,
        socket: &Path,
        source: &Arc<EngineSource<M>>,
        metrics: Metrics,
    ) -> Result<(), Failure> {
        let console = DebugService::new(Arc::clone(source), self.stopping());
        self.spawn(debug::serve(DebugSocket::bind(socket).await?, console, metrics));
        Ok(())
    }

    /// Waits until the process is told to end, the engine has ended, or something beside it has failed; then ends all. The
    /// lease is given back when nothing acts any more: the next holder may begin at once.
    ///
    /// # Errors
    ///
    /// What ended the engine, or failed beside it.
    pub(crate) async fn until_the_end<M: Machine, E: Error + Send + Sync + 'static, L>(
        mut self,
        handle: &Handle<M>,
        mut engine: JoinHandle<Result<(), E>>,
        lease: JoinHandle<L>,
    ) -> Result<(), Failure> {
        let mut ended = None;
        let failed = tokio::select! {
            asked = telemetry::asked_to_end() => asked.map_err(Failure::from),
            result = &mut engine => {
                ended = Some(result);
                Ok(())
            }
            failed = first_failure(&mut self.tasks) => Err(failed),
        };
        handle.stop();
        let result = match ended {
            Some(ended) => ended,
            None => engine.await,
        };
        self.stop.send_replace(true);
        // Whether it could be given back shows in the next process, which waits for its end otherwise.
        let _ = lease.await;
        while self.tasks.join_next().await.is_some() {}
        failed?;
        Ok(result??)
    }
}

/// The first of them that fails, if one ever does.
async fn first_failure(tasks: &mut JoinSet<Result<(), Failure>>) -> Failure {
    loop {
        match tasks.join_next().await {
            Some(Ok(Err(failure))) => return failure,
            Some(Err(broken)) => return broken_off(broken),
            Some(Ok(Ok(()))) => {}
            None => std::future::pending().await,
        }
    }
}

fn broken_off(broken: JoinError) -> Failure {
    broken.into()
}

/// Follows who leads.
pub(crate) fn source<M: Machine<State = State> + 'static>(
    handle: &Handle<M>,
    guard: &LeaseGuard,
) -> Arc<EngineSource<M>> {
    Arc::new(EngineSource::new(handle.clone()).led_by(guard.holder()))
}
