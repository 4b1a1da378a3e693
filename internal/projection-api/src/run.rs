//! The projection stream of a process: certificates, listener and service together.

use std::future::pending;
use std::sync::Arc;

use liqo_engine::Clock;
use liqo_listening::Socket;
use liqo_projections::fabric::GATEWAY_TOPIC;
use thiserror::Error;
use tokio::sync::watch;

use crate::projection::{
    AuthorityStore, ProjectionService, Roles, ServeError, TlsPem, TokenReviewer, Topics, keep_certificates,
    serve,
};
use crate::{EngineSource, Metrics, ProjectionSource as _, STATUS};

/// Where the stream is served, under which names and to whom.
#[derive(Debug)]
pub struct Stream {
    /// Where it listens when this process first leads. Before, agents are refused and try another replica.
    pub socket: Socket,
    /// Names in its certificate.
    pub names: Vec<String>,
    /// Who may see what.
    pub roles: Roles,
    /// What is counted.
    pub metrics: Metrics,
}

/// The stream ended before it was told to.
#[derive(Debug, Error)]
#[error("the projection stream ended")]
pub struct StreamError {
    /// Why.
    source: ServeError,
}

/// Who may see what: service accounts of the namespace that Liqo is installed in.
fn roles(namespace: &str) -> Roles {
    let named = |topic: &str| Topics { named: vec![topic.to_owned()], of_own_node: Vec::new() };
    let node = Topics { named: Vec::new(), of_own_node: vec!["node".to_owned()] };
    let roles =
        [("liqo-fabric", named(STATUS)), ("liqo-gateway", named(GATEWAY_TOPIC)), ("liqo-route", node)];
    Roles(roles.map(|(account, topics)| (format!("{namespace}/{account}"), topics)).into())
}

impl Stream {
    /// The stream of the controller manager, which is installed in this namespace.
    pub fn of_control_plane(namespace: &str, socket: Socket, metrics: Metrics) -> Self {
        let names = vec![format!("liqo-fabric.{namespace}.svc"), "localhost".to_owned()];
        Self { socket, names, roles: roles(namespace), metrics }
    }

    /// Serves until `stopping` is true. It opens when this process first leads, since only a leader has a certificate.
    ///
    /// # Errors
    ///
    /// [`StreamError`].
    pub async fn run<F: AuthorityStore + TokenReviewer + Clone, C: Clock>(
        self,
        source: Arc<EngineSource>,
        fabric: F,
        clock: C,
        stopping: watch::Receiver<bool>,
    ) -> Result<(), StreamError> {
        let (sender, mut tls) = watch::channel(TlsPem::default());
        let keeper = keep_certificates(fabric.clone(), clock, self.names, source.published(), sender);
        let kept = async {
            keeper.await;
            // The engine has ended; streams still end by themselves, so that agents know that they are to connect again.
            pending::<()>().await;
        };
        let mut told = stopping.clone();
        let served = async {
            tokio::select! {
                _ = told.wait_for(|told| *told) => return Ok(()),
                changed = tls.changed() => if changed.is_err() { return Ok(()) },
            }
            let service = ProjectionService::new(source, Arc::new(fabric), self.roles, stopping)
                .with_metrics(self.metrics);
            serve(self.socket.listen()?, tls, service).await
        };
        tokio::select! {
            () = kept => Ok(()),
            // Ends by itself when it is told to, after its streams.
            served = served => served.map_err(|source| StreamError { source }),
        }
    }
}
