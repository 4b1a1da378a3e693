//! What runs beside an engine, and whether the process can be asked for work.

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use liqo_domain::{Machine, State};
use liqo_engine::Handle;
use liqo_kube_io::lease::LeaseGuard;
use liqo_projection_api::debug::{self, DebugService, DebugSocket};
use liqo_projection_api::{EngineSource, Metrics};
use liqo_telemetry::{self as telemetry, Checks, Exposed, Listening};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Whatever ends a process.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What runs beside an engine. How all of it ends is in `ending.rs`.
pub(crate) struct Services {
    pub(crate) tasks: JoinSet<Result<(), Failure>>,
    pub(crate) readiness: Checks,
    pub(crate) retire: watch::Sender<bool>,
    pub(crate) stop: watch::Sender<bool>,
}

impl Services {
    /// Nothing yet, in a process that is ready once all of these are.
    pub(crate) fn ready_with(names: &[&'static str]) -> Self {
        let (retire, stop) = (watch::Sender::new(false), watch::Sender::new(false));
        Self { tasks: JoinSet::new(), readiness: Checks::new(names), retire, stop }
    }

    /// Becomes true when nothing is decided or done here any more: who only works for that ends.
    pub(crate) fn retiring(&self) -> watch::Receiver<bool> {
        self.retire.subscribe()
    }

    /// Ends when nothing is decided or done here any more.
    pub(crate) fn retired(&self) -> impl Future<Output = ()> + Send + use<> {
        told(self.retire.subscribe())
    }

    /// Becomes true when nobody asks here any more: who answers ends.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Runs something until it is told to stop.
    pub(crate) fn spawn<E>(&mut self, service: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<Failure>,
    {
        self.tasks.spawn(async move { service.await.map_err(Into::into) });
    }

    /// It is as the process needs it.
    pub(crate) fn passed(&self, name: &'static str) {
        self.readiness.pass(name);
    }

    /// The process is ready only while this server serves, which its socket tells.
    pub(crate) fn ready_while_served(&mut self, name: &'static str, served: watch::Receiver<bool>) {
        self.spawn(follow(served, name, self.readiness.clone()));
    }

    /// Serves metrics and health.
    pub(crate) fn expose(&mut self, listening: Listening, registry: Registry) {
        let exposed = Exposed { registry, health: Checks::default(), readiness: self.readiness.clone() };
        let stopped = told(self.stop.subscribe());
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
}

async fn follow(
    mut served: watch::Receiver<bool>,
    name: &'static str,
    readiness: Checks,
) -> Result<(), Infallible> {
    // What ends before it has begun leaves the check as it is.
    if served.wait_for(|served| *served).await.is_ok() {
        readiness.pass(name);
        while served.changed().await.is_ok() {}
        readiness.fail(name, "it is not served any more");
    }
    Ok(())
}

/// Ends when it is so. A sender that is gone says the same.
async fn told(mut so: watch::Receiver<bool>) {
    let _ = so.wait_for(|so| *so).await;
}

/// Follows who leads.
pub(crate) fn source<M: Machine<State = State> + 'static>(
    handle: &Handle<M>,
    guard: &LeaseGuard,
) -> Arc<EngineSource<M>> {
    Arc::new(EngineSource::new(handle.clone()).led_by(guard.holder()))
}
