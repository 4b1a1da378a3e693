//! What connects an engine with the API server of its own cluster: watches from the cursors of the log, and the step
//! from holding the Lease to acting.
//!
//! Gaining the Lease is not enough to act: another process may have acted since this one looked last. So everything that
//! is watched is listed anew first, answered by a quorum. Only a container that was restarted in the same pod, with its
//! log whole and its Lease unbroken, goes on from its cursors.

use std::sync::Arc;

use futures::future::join_all;
use liqo_api::labels;
use liqo_domain::{Machine, State};
use liqo_engine::{EngineStopped, Handle, Inbox, Input, Published};
use liqo_model::{ClusterRef, Kind};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::keys::MANAGED_BY_MANAGER;
use crate::watch::{ClusterLife, Cursor, NotListed, Target, Watch, WatchContext, WatchHandle, Watches};
use crate::{ApiServer, BodyCache, Chance, DigestKey, Metrics};

/// What the watches of a process need beside its engine.
pub struct Session {
    /// The API server.
    pub server: Arc<ApiServer>,
    /// The life of its cluster.
    pub life: Arc<ClusterLife>,
    /// Where the actuator finds the watches.
    pub watches: Watches,
    /// Bodies of recent events.
    pub cache: Arc<BodyCache>,
    /// The key of digests.
    pub digest_key: DigestKey,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cursors say nothing: a part of the log is missing or folded to another state than was recorded.
    pub relist_all: bool,
}

impl Session {
    /// Starts the watches, and goes live whenever the Lease is held and everything was seen. The tasks end with the engine;
    /// dropping the set ends them too.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn start<M: Machine<State = State> + 'static>(
        self,
        handle: &Handle<M>,
        targets: Vec<Target>,
        mut chance: Chance,
    ) -> Result<JoinSet<()>, EngineStopped> {
        let cluster = self.server.cluster().clone();
        let known = {
            let cluster = cluster.clone();
            handle.read(move |state| cursors(state, &cluster)).await?
        };
        let mut tasks = JoinSet::new();
        for target in targets {
            let key = target.key(&cluster);
            let cursor =
                known.iter().find(|cursor| cursor.watch == key).filter(|_| !self.relist_all).cloned();
            let (watch, watch_handle) =
                Watch::new(self.context(handle.inbox()), target, cursor, chance.split());
            self.watches.insert(watch_handle);
            tasks.spawn(async move {
                let _: crate::Gone = watch.run().await;
            });
        }
        let watches = self.watches.all().into_iter().filter(|watch| watch.key().cluster == cluster).collect();
        let relist_all = self.relist_all;
        let handle = handle.clone();
        tasks.spawn(async move { go_live(handle, watches, relist_all).await.unwrap_or_default() });
        Ok(tasks)
    }

    fn context(&self, sink: Inbox) -> WatchContext<Inbox> {
        WatchContext {
            server: Arc::clone(&self.server),
            life: Arc::clone(&self.life),
            sink,
            digest_key: self.digest_key.clone(),
            cache: Arc::clone(&self.cache),
            metrics: Arc::clone(&self.metrics),
        }
    }
}

/// How far each watch of a cluster has been followed.
pub(crate) fn cursors(state: &State, cluster: &ClusterRef) -> Vec<Cursor> {
    let generation = state.generation(cluster);
    let cursors = state.cursors.iter().filter(|((of, _, _), _)| of == cluster);
    cursors
        .map(|(_, cursor)| Cursor {
            watch: cursor.body.watch.clone(),
            resource_version: cursor.body.resource_version.clone(),
            generation,
        })
        .collect()
}

/// What the log knows of the life of a cluster, with the Lease as its witness.
pub(crate) fn life(state: &State, cluster: &ClusterRef, namespace: &str, lease: &str) -> ClusterLife {
    let known = state.clusters.get(cluster);
    let uid = known.map(|life| life.body.uid.clone()).unwrap_or_default();
    let life = ClusterLife::new(cluster.clone(), uid, state.generation(cluster));
    life.witnessed_by(namespace, lease, state.lease.epoch)
}

/// Goes live once for each epoch, when everything was seen.
async fn go_live<M: Machine<State = State> + 'static>(
    handle: Handle<M>,
    watches: Vec<WatchHandle>,
    relist_all: bool,
) -> Result<(), EngineStopped> {
    let mut published = handle.subscribe();
    loop {
        let epoch = gained(&mut published).await?;
        let continued = handle.read(|state| state.lease.continued).await? && !relist_all;
        info!(epoch, continued, "this process leads; it looks at everything before it acts");
        let mut over = published.clone();
        tokio::select! {
            seen = see_everything(&watches, continued) => match seen {
                Ok(()) => handle.inbox().send(Input::GoLive { epoch }).await?,
                Err(error) => warn!(epoch, %error, "not everything could be seen, so nothing is done"),
            },
            // Somebody else leads now, or it was gained once more.
            () = ended(&mut over, epoch) => {}
        }
        ended(&mut published, epoch).await;
        if handle.read(|_| ()).await.is_err() {
            return Err(EngineStopped);
        }
    }
}

/// Waits for an epoch in which this process leads and does not act yet.
async fn gained(published: &mut watch::Receiver<Published>) -> Result<u64, EngineStopped> {
    let leading =
        published.wait_for(|now| now.epoch.is_some() && !now.live).await.map_err(|_| EngineStopped)?;
    leading.epoch.ok_or(EngineStopped)
}

/// Waits until the epoch is over; at once when the engine has stopped.
async fn ended(published: &mut watch::Receiver<Published>, epoch: u64) {
    // Only an engine that stopped ends the channel, and then every epoch is over.
    let _ = published.wait_for(|now| now.epoch != Some(epoch)).await;
}

/// A restarted container waits until its watches have caught up; everybody else lists.
async fn see_everything(watches: &[WatchHandle], continued: bool) -> Result<(), NotListed> {
    let seen = watches.iter().map(|watch| async move {
        let seen = if continued { watch.synced().await } else { watch.relist().await.map(|_| ()) };
        // An object that cannot be read proves nothing by its absence; what can be read was seen.
        seen.or_else(|error| if error == NotListed::Incomplete { Ok(()) } else { Err(error) })
    });
    join_all(seen).await.into_iter().collect()
}

/// What the control plane always watches in its own cluster: the identity and everything else of its own where it is
/// installed, what it makes by its label, and of all else whatever a peering is made of.
pub fn control_plane_targets(namespace: &str) -> Vec<Target> {
    let ours = format!("{}={MANAGED_BY_MANAGER}", labels::MANAGED_BY);
    let identity = format!("{}={}", labels::APP_NAME, labels::APP_NAME_CLUSTER_ID);
    let slices = format!("{}={}", labels::MANAGED_BY, labels::MANAGED_BY_SHADOW_ENDPOINT_SLICE);
    let mut targets = vec![
        Target::all(Kind::ConfigMap).within(namespace).labelled(identity),
        Target::all(Kind::Secret).labelled(labels::CLUSTER_ID),
        Target::all(Kind::Service).within(namespace),
        Target::all(Kind::EndpointSlice).labelled(slices),
    ];
    let made = [Kind::ServiceAccount, Kind::RoleBinding, Kind::ClusterRoleBinding, Kind::Deployment];
    targets.extend(made.map(|kind| Target::all(kind).labelled(ours.as_str())));
    targets.extend(WATCHED_WHOLE.iter().copied().map(Target::all));
    targets
}

/// Kinds of which every object is watched.
const WATCHED_WHOLE: &[Kind] = &[
    Kind::Namespace,
    Kind::Node,
    Kind::Pod,
    Kind::CertificateSigningRequest,
    Kind::ForeignCluster,
    Kind::NamespaceOffloading,
    Kind::NamespaceMap,
    Kind::ResourceRequest,
    Kind::ResourceOffer,
    Kind::NetworkConfig,
    Kind::TunnelEndpoint,
    Kind::IpamStorage,
    Kind::NatMapping,
    Kind::ShadowPod,
    Kind::ShadowEndpointSlice,
];
