//! Peers as the state has them: a client for each identity, watches where the state wishes them, and whether the API
//! server of each peer answers. Everything comes and goes while the process runs.
//!
//! ```text
//!  durable state ─► links, wishes ─► difference ─► read identity ─► client ─► probe
//!                                        └───────► watches, each with its own pauses
//! ```
//!
//! A peer that is slow, away or refuses delays nobody else: each watch and each probe is a task, with the client's own
//! limits, and nothing waits for them.

mod client;
mod probe;
mod running;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use liqo_domain::{Link, Machine, State, WatchWish, links};
use liqo_engine::{EngineStopped, Handle};
use liqo_model::{ClusterId, ClusterRef};
use tokio::time::{Instant, sleep, sleep_until};

use crate::watch::{ClusterLife, Cursor, Watches};
use crate::{ApiServer, ApiServers, BodyCache, Chance, DigestKey, Metrics};
use running::Running;

/// Least time between two looks at the state: a burst of batches costs one.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What links to peers are made with.
pub(crate) struct Links {
    pub(crate) local: Arc<ApiServer>,
    /// The life of the local cluster.
    pub(crate) life: Arc<ClusterLife>,
    pub(crate) servers: ApiServers,
    pub(crate) watches: Watches,
    pub(crate) cache: Arc<BodyCache>,
    pub(crate) digest_key: DigestKey,
    pub(crate) metrics: Arc<Metrics>,
    /// What the state wishes to be watched.
    pub(crate) wishes: fn(&State) -> BTreeSet<WatchWish>,
    /// Cursors say nothing.
    pub(crate) relist_all: bool,
}

/// What the state says of links.
struct Wanted {
    links: BTreeMap<ClusterId, Link>,
    wishes: BTreeSet<WatchWish>,
}

/// What the log knows of one cluster.
#[derive(Clone, Debug)]
struct Known {
    cursors: Vec<Cursor>,
    uid: liqo_model::Uid,
    generation: u64,
}

impl Links {
    /// Follows the state until the engine stops. Dropping it ends every watch that it began.
    pub(crate) async fn run<M: Machine<State = State> + 'static>(self, handle: Handle<M>, chance: Chance) {
        // It ends with the engine, which is no error.
        let _ = self.follow(handle, chance).await;
    }

    async fn follow<M: Machine<State = State> + 'static>(
        self,
        handle: Handle<M>,
        chance: Chance,
    ) -> Result<(), EngineStopped> {
        let mut published = handle.subscribe();
        let wishes = self.wishes;
        let mut running = Running::new(self, handle.inbox(), chance);
        loop {
            published.borrow_and_update();
            let read = handle.read(move |state| Wanted { links: links(state), wishes: wishes(state) });
            let wanted = read.await?;
            let again = running.adopt(&wanted, &handle).await?;
            sleep(LOOK_EVERY).await;
            tokio::select! {
                changed = published.changed() => changed.map_err(|_| EngineStopped)?,
                () = at(again) => {}
            }
        }
    }
}

/// Waits until a moment, or for ever.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Known {
    fn read(state: &State, cluster: &ClusterRef) -> Self {
        let life = state.clusters.get(cluster);
        Self {
            cursors: crate::session::cursors(state, cluster),
            uid: life.map(|life| life.body.uid.clone()).unwrap_or_default(),
            generation: state.generation(cluster),
        }
    }
}
