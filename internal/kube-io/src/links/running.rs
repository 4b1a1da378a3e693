//! What runs for peers now, and how it comes to be what the state wishes.

use std::collections::BTreeMap;
use std::sync::Arc;

use liqo_domain::{Link, Machine, State, WatchWish};
use liqo_engine::{EngineStopped, Handle, Inbox};
use liqo_events::WatchKey;
use liqo_model::{ClusterId, ClusterRef};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Known, Links, Wanted, client, probe};
use crate::watch::{ClusterLife, Target, Watch, WatchContext};
use crate::{ApiServer, BackOff, Chance};

/// Everything that runs for peers.
pub(super) struct Running {
    links: Links,
    inbox: Inbox,
    chance: Chance,
    /// Ends with this.
    tasks: JoinSet<()>,
    peers: BTreeMap<ClusterId, Peer>,
    watches: BTreeMap<WatchWish, Watching>,
    /// The lives of peers' clusters, which outlive clients.
    lives: BTreeMap<ClusterRef, Arc<ClusterLife>>,
}

/// A peer that there is an identity for.
#[derive(Default)]
struct Peer {
    /// The identity in use, and the task that probes the API server with it.
    client: Option<(Link, AbortHandle)>,
    /// The identity that could not be used, and when it is to be read again.
    failed: Option<(Link, Instant)>,
    back_off: BackOff,
}

struct Watching {
    key: WatchKey,
    task: AbortHandle,
}

impl Running {
    pub(super) fn new(links: Links, inbox: Inbox, chance: Chance) -> Self {
        let (tasks, peers) = (JoinSet::new(), BTreeMap::new());
        let (watches, lives) = (BTreeMap::new(), BTreeMap::new());
        Self { links, inbox, chance, tasks, peers, watches, lives }
    }

    /// Makes what runs what is wanted. Says when to try again what failed, if something did.
    pub(super) async fn adopt<M: Machine<State = State> + 'static>(
        &mut self,
        wanted: &Wanted,
        handle: &Handle<M>,
    ) -> Result<Option<Instant>, EngineStopped> {
        // Those that ended are taken out, so that the set does not grow.
        while self.tasks.try_join_next().is_some() {}
        self.forget_peers(wanted);
        for (peer, link) in &wanted.links {
            self.connect(peer, link).await;
        }
        let unwished: Vec<WatchWish> =
            self.watches.keys().filter(|wish| !wanted.wishes.contains(*wish)).cloned().collect();
        unwished.iter().for_each(|wish| self.stop(wish));
        for wish in &wanted.wishes {
            self.watch(wish, handle).await?;
        }
        Ok(self.peers.values().filter_map(|peer| peer.failed.as_ref().map(|(_, again)| *again)).min())
    }

    fn forget_peers(&mut self, wanted: &Wanted) {
        let gone: Vec<ClusterId> =
            self.peers.keys().filter(|peer| !wanted.links.contains_key(*peer)).cloned().collect();
        for peer in gone {
            info!(%peer, "there is no identity at this peer any more");
            self.disconnect(&peer);
            self.peers.remove(&peer);
        }
    }

    /// Ends everything that uses the client of a peer.
    fn disconnect(&mut self, peer: &ClusterId) {
        let cluster = ClusterRef::Remote(peer.clone());
        self.links.servers.remove(&cluster);
        let of_peer: Vec<WatchWish> =
            self.watches.keys().filter(|wish| wish.cluster == cluster).cloned().collect();
        of_peer.iter().for_each(|wish| self.stop(wish));
        let known = self.peers.get_mut(peer).and_then(|known| known.client.take());
        if let Some((_, probing)) = known {
            probing.abort();
        }
    }

    /// A client for the identity that counts, unless there is one.
    async fn connect(&mut self, peer: &ClusterId, link: &Link) {
        let known = self.peers.entry(peer.clone()).or_default();
        let in_use = known.client.as_ref().is_some_and(|(used, _)| used == link);
        let waits = known.failed.as_ref().is_some_and(|(it, again)| it == link && *again > Instant::now());
        if in_use {
            known.failed = None;
        }
        if in_use || waits {
            return;
        }
        match client::of(&self.links.local, peer, link, &self.links.metrics).await {
            Ok(server) => {
                self.disconnect(peer);
                info!(%peer, secret = %link.secret, "talking to this peer");
                let probing = self.introduce(Arc::new(server));
                let client = Some((link.clone(), probing));
                self.peers.insert(peer.clone(), Peer { client, ..Peer::default() });
            }
            Err(error) => {
                // The earlier one, if there is one, may still serve.
                let pause = known.back_off.next(&mut self.chance);
                known.failed = Some((link.clone(), Instant::now() + pause));
                let error = chain(&error);
                warn!(%peer, secret = %link.secret, error, "no client for this peer; trying on");
            }
        }
    }

    fn introduce(&mut self, server: Arc<ApiServer>) -> AbortHandle {
        self.links.servers.insert(Arc::clone(&server));
        let probing = probe::run(server, self.inbox.clone());
        self.tasks.spawn(async move { probing.await.unwrap_or_default() })
    }

    fn stop(&mut self, wish: &WatchWish) {
        if let Some(Watching { key, task }) = self.watches.remove(wish) {
            task.abort();
            self.links.watches.remove(&key);
        }
    }

    /// Begins a watch unless it runs, or its API server has no client.
    async fn watch<M: Machine<State = State> + 'static>(
        &mut self,
        wish: &WatchWish,
        handle: &Handle<M>,
    ) -> Result<(), EngineStopped> {
        let target = Target::of(wish);
        let key = target.key(&wish.cluster);
        if self.watches.contains_key(wish) || self.links.watches.has(&key) {
            return Ok(());
        }
        let Some(server) = self.links.servers.get(&wish.cluster) else { return Ok(()) };
        let cluster = wish.cluster.clone();
        let known = handle.read(move |state| Known::read(state, &cluster)).await?;
        let context = WatchContext {
            server,
            life: self.life(&wish.cluster, &known),
            sink: self.inbox.clone(),
            digest_key: self.links.digest_key.clone(),
            cache: Arc::clone(&self.links.cache),
            metrics: Arc::clone(&self.links.metrics),
        };
        let cursor = known.cursors.into_iter().find(|cursor| cursor.watch == key);
        let cursor = cursor.filter(|_| !self.links.relist_all);
        let (watch, watch_handle) = Watch::new(context, target, cursor, self.chance.split());
        self.links.watches.insert(watch_handle);
        let task = self.tasks.spawn(async move {
            let _: crate::Gone = watch.run().await;
        });
        self.watches.insert(wish.clone(), Watching { key, task });
        Ok(())
    }

    /// The life of a cluster, the same for all of its watches.
    fn life(&mut self, cluster: &ClusterRef, known: &Known) -> Arc<ClusterLife> {
        if *cluster == ClusterRef::Local {
            return Arc::clone(&self.links.life);
        }
        let new = || Arc::new(ClusterLife::new(cluster.clone(), known.uid.clone(), known.generation));
        Arc::clone(self.lives.entry(cluster.clone()).or_insert_with(new))
    }
}

/// The error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
