//! A server with TLS on loopback, for tests.

use std::net::SocketAddr;
use std::sync::Arc;

use liqo_certificates::{Authority, Term};
use liqo_events::UnixMillis;
use liqo_listening::Listening;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ProjectionSource;
use crate::projection::{
    Identity, ProjectionService, ReviewError, Roles, ServeError, TlsPem, TokenReviewer, Topics, serve,
};

/// The name in its certificate.
pub(crate) const SERVER_NAME: &str = "liqo-fabric.liqo.svc";

/// Knows tokens of the form `SERVICE-ACCOUNT@NODE for AUDIENCE`.
pub(crate) struct Accounts;

impl TokenReviewer for Accounts {
    async fn review(&self, token: &str, audience: &str) -> Result<Identity, ReviewError> {
        let refused = |reason: &str| ReviewError::Refused { reason: reason.to_owned() };
        let (account, of) = token.split_once(" for ").ok_or_else(|| refused("unknown token"))?;
        if of != audience {
            return Err(refused("another audience"));
        }
        let (account, node) = account.split_once('@').ok_or_else(|| refused("no node"))?;
        Ok(Identity { service_account: account.to_owned(), node: Some(node.to_owned()) })
    }
}

pub(crate) const GATEWAY: &str = "liqo/gateway@n1 for liqo-fabric";
pub(crate) const NODE: &str = "liqo/node@n1 for liqo-fabric";

pub(crate) fn roles() -> Roles {
    let gateway = Topics { named: vec!["gateway".into(), "missing".into()], of_own_node: vec![] };
    let node = Topics { named: vec![], of_own_node: vec!["node".into()] };
    Roles([("liqo/gateway".into(), gateway), ("liqo/node".into(), node)].into())
}

/// An authority and a certificate of its making.
pub(crate) fn certificates() -> (String, TlsPem) {
    // Clients judge certificates by the real time.
    let term = Term { made: UnixMillis(1_600_000_000_000), days: 36_500 };
    let made = Authority::make("test authority", term).unwrap();
    let authority = Authority::of_key("test authority", &made.key).unwrap();
    let issued = authority.issue("test", &[SERVER_NAME.to_owned()], term).unwrap();
    (made.certificate, TlsPem { certificates: issued.certificate, key: issued.key })
}

/// A server that runs until it is stopped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) authority: String,
    pub(crate) tls: watch::Sender<TlsPem>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) server: JoinHandle<Result<(), ServeError>>,
}

impl TestServer {
    /// On any port.
    pub(crate) async fn start<S: ProjectionSource>(source: Arc<S>) -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), source, certificates()).await
    }

    /// On this address, with an authority and a certificate.
    pub(crate) async fn start_on<S: ProjectionSource>(
        address: SocketAddr,
        source: Arc<S>,
        (authority, pem): (String, TlsPem),
    ) -> Self {
        let (tls, stop) = (watch::Sender::new(pem), watch::Sender::new(false));
        let listening = Listening::on(address).await.unwrap();
        let address = listening.address();
        let service = ProjectionService::new(source, Arc::new(Accounts), roles(), stop.subscribe());
        let server = tokio::spawn(serve(listening, tls.subscribe(), service));
        Self { address, authority, tls, stop, server }
    }
}
