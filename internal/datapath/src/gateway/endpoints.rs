//! Keeps track of where the gateways of peers are, by name.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use liqo_model::ClusterId;
use liqo_projections::fabric::Endpoint;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::check::{Health, Status};
use crate::wireguard::{Peers, resolve};

/// Between two looks at names and lost peers. Names live for half a minute to some minutes in practice.
const LOOK: Duration = Duration::from_secs(30);
/// While a peer is lost, it is tried where the control plane says, this often. Two checks fit in between, so a peer that
/// speaks from another address than it is said to have is heard and kept.
const LOST_LOOK: Duration = Duration::from_secs(10);
/// Names that are asked for at a time: few enough for any resolver, and enough that one that is silent for five seconds
/// does not hold up a hundred others.
const AT_ONCE: usize = 8;

type Wanted = BTreeMap<ClusterId, Endpoint>;

/// Looks until this is dropped.
pub(super) struct Endpoints {
    wanted: watch::Sender<Wanted>,
    task: JoinHandle<()>,
}

impl Endpoints {
    pub(super) fn start(peers: Arc<Peers>, health: watch::Receiver<BTreeMap<ClusterId, Health>>) -> Self {
        let (wanted, changed) = watch::channel(Wanted::new());
        Self { wanted, task: tokio::spawn(run(peers, changed, health)) }
    }

    /// Looks for these from now on, and at once when they are others.
    pub(super) fn set(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|current| {
            let modified = *current != wanted;
            *current = wanted;
            modified
        });
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    peers: Arc<Peers>,
    mut wanted: watch::Receiver<Wanted>,
    health: watch::Receiver<BTreeMap<ClusterId, Health>>,
) {
    let mut known: BTreeMap<ClusterId, (Endpoint, SocketAddrV4)> = BTreeMap::new();
    loop {
        let now = wanted.borrow_and_update().clone();
        known.retain(|id, (endpoint, _)| now.get(id) == Some(endpoint));
        let questions: Vec<_> = now
            .iter()
            .map(|(id, endpoint)| (id.clone(), endpoint.clone(), known.get(id).map(|(_, address)| *address)))
            .collect();
        let answers = futures::stream::iter(questions).map(ask).buffer_unordered(AT_ONCE);
        let answers: Vec<_> = answers.collect().await;
        let health = health.borrow().clone();
        let is_lost = |id: &ClusterId| health.get(id).is_some_and(|health| health.status == Status::Error);
        for (id, endpoint, answer) in answers {
            match answer {
                Ok(address) => {
                    peers.configure(&id, address, is_lost(&id));
                    known.insert(id, (endpoint, address));
                }
                // What was found earlier stays in use.
                Err(error) => {
                    let host = endpoint.host;
                    tracing::warn!(peer = %id, host, %error, "the address of the peer's gateway is not known");
                }
            }
        }
        let pause = if now.keys().any(is_lost) { LOST_LOOK } else { LOOK };
        if let Ok(Err(_)) = timeout(pause, wanted.changed()).await {
            return;
        }
    }
}

async fn ask(
    (id, endpoint, before): (ClusterId, Endpoint, Option<SocketAddrV4>),
) -> (ClusterId, Endpoint, std::io::Result<SocketAddrV4>) {
    let answer = resolve(&endpoint.host, endpoint.port, before).await;
    (id, endpoint, answer)
}
