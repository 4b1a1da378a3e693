//! The way to the API server of the process's own cluster, with everything that it takes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use liqo_api::names::MANAGER_LEASE;
use liqo_domain::{LiqoMachine, Machine, State, WatchWish};
use liqo_engine::{EngineStopped, Handle, Inbox, Running, SystemClock};
use liqo_events::Started;
use liqo_model::{ClusterRef, Uid};
use prometheus_client::registry::Registry;
use tokio::task::{JoinHandle, JoinSet};

use crate::lease::{LeaseGuard, LeaseKeeper, LeaseSettings};
use crate::links::Links;
use crate::log_key::{config, random_bytes};
use crate::session::{control_plane_targets, life};
use crate::watch::{ClusterLife, Target, Watches};
use crate::write::{LastLook, Writer};
use crate::{
    ApiServer, ApiServers, BodyCache, Chance, DEFAULT_CACHE_BYTES, DigestKey, Error, Gone, Limits, Metrics,
    OwnPod, Session,
};

/// The API server of the process's own cluster.
pub struct Local {
    /// Its client.
    pub server: Arc<ApiServer>,
    /// The namespace of the Lease and of the log's key: the one that Liqo is installed in, or that of a tenant.
    pub namespace: String,
    servers: ApiServers,
    watches: Watches,
    cache: Arc<BodyCache>,
    digest_key: DigestKey,
    metrics: Arc<Metrics>,
    guard: LeaseGuard,
    /// Where writers look before they take something away: the life of the cluster, once it is known.
    last_look: LastLook,
}

/// What a process is: which Lease it asks for and what it watches.
pub struct Role {
    /// Name of the Lease, in the namespace that [`Local`] is of.
    pub lease: String,
    /// What is watched from the start, all of which has to be seen before the process acts.
    pub targets: Vec<Target>,
    /// What else is watched, here and in peers, as the state has it.
    pub wishes: fn(&State) -> BTreeSet<WatchWish>,
}

impl Role {
    /// The controller manager that is installed in a namespace.
    pub fn control_plane(namespace: &str) -> Self {
        Self {
            lease: MANAGER_LEASE.to_owned(),
            targets: control_plane_targets(namespace),
            wishes: liqo_domain::control_plane_watches,
        }
    }
}

impl Local {
    /// Connects, and reads the key of the log. Waits for an API server that is away.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn connect(
        kubeconfig: Option<&Path>,
        namespace: &str,
        registry: &mut Registry,
        chance: Chance,
    ) -> Result<Self, Error> {
        Self::counted(kubeconfig, namespace, (Metrics::registered(registry), Limits::default()), chance).await
    }

    /// As [`Self::connect`], with metrics that are registered already: they can be seen while the API server is away.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn counted(
        kubeconfig: Option<&Path>,
        namespace: &str,
        (metrics, limits): (Arc<Metrics>, Limits),
        chance: Chance,
    ) -> Result<Self, Error> {
        let config = config(kubeconfig).await?;
        let server = ApiServer::new(ClusterRef::Local, config, limits, Arc::clone(&metrics))?;
        let server = Arc::new(server);
        let digest_key = crate::digest_key(&server, namespace, chance).await?;
        let servers = ApiServers::default();
        servers.insert(Arc::clone(&server));
        Ok(Self {
            server,
            namespace: namespace.to_owned(),
            servers,
            watches: Watches::default(),
            cache: Arc::new(BodyCache::new(DEFAULT_CACHE_BYTES, Arc::clone(&metrics))),
            digest_key,
            metrics,
            guard: LeaseGuard::new(),
            last_look: LastLook::default(),
        })
    }

    /// Carries commands out. What takes something away waits until the life of the cluster was read from the log, as
    /// [`Self::attach`] and [`Self::life`] do.
    pub fn writer(&self) -> Writer {
        let (cache, metrics) = (Arc::clone(&self.cache), Arc::clone(&self.metrics));
        let writer = Writer::new(self.servers.clone(), self.watches.clone(), cache, metrics);
        writer.looking(self.last_look.clone())
    }

    /// The API servers that the process talks to now, its own and those of peers.
    pub fn servers(&self) -> ApiServers {
        self.servers.clone()
    }

    /// Whether the Lease that [`Self::attach`] asks for is held, and by whom.
    pub fn guard(&self) -> LeaseGuard {
        self.guard.clone()
    }

    /// The pod of this process.
    pub fn own_pod(&self, namespace: String, name: String, chance: Chance) -> OwnPod {
        OwnPod { server: Arc::clone(&self.server), namespace, name, chance }
    }

    /// Asks for the Lease, and watches what the control plane is about, both as far as the log allows to go on from it.
    /// After `shutdown` the Lease is given back.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn attach(
        &self,
        engine: &Running<LiqoMachine>,
        holder: Uid,
        chance: Chance,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Attached, EngineStopped> {
        self.attach_as(Role::control_plane(&self.namespace), engine, holder, (chance, shutdown)).await
    }

    /// As [`Self::attach`], for a process of any role. Clients of peers, and watches there, follow from the state.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn attach_as<M: Machine<State = State> + 'static>(
        &self,
        role: Role,
        engine: &Running<M>,
        holder: Uid,
        (mut chance, shutdown): (Chance, impl Future<Output = ()> + Send + 'static),
    ) -> Result<Attached, EngineStopped> {
        let Running { handle, recovery, .. } = engine;
        let may_continue = !recovery.is_empty() && !recovery.relist_all;
        let life = self.life_of(&role.lease, handle).await?;
        let claim = Claim { holder, may_continue, life: Arc::clone(&life), chance: chance.split() };
        let keeping = self.keep_lease_of(&role.lease, claim, self.guard(), (handle.inbox(), shutdown));
        let lease = tokio::spawn(keeping);
        let session = self.session(Arc::clone(&life), recovery.relist_all);
        let mut watching = session.start(handle, role.targets, chance.split()).await?;
        let links = self.links(life, role.wishes, recovery.relist_all);
        watching.spawn(links.run(handle.clone(), chance));
        Ok(Attached { lease, _watching: watching })
    }

    fn links(
        &self,
        life: Arc<ClusterLife>,
        wishes: fn(&State) -> BTreeSet<WatchWish>,
        relist_all: bool,
    ) -> Links {
        Links {
            local: Arc::clone(&self.server),
            life,
            servers: self.servers.clone(),
            watches: self.watches.clone(),
            cache: Arc::clone(&self.cache),
            digest_key: self.digest_key.clone(),
            metrics: Arc::clone(&self.metrics),
            wishes,
            relist_all,
        }
    }

    /// The life of the cluster, as far as the log of a controller manager knows it.
    ///
    /// # Errors
    ///
    /// [`EngineStopped`].
    pub async fn life(&self, handle: &Handle<LiqoMachine>) -> Result<Arc<ClusterLife>, EngineStopped> {
        self.life_of(MANAGER_LEASE, handle).await
    }

    async fn life_of<M: Machine<State = State> + 'static>(
        &self,
        lease: &str,
        handle: &Handle<M>,
    ) -> Result<Arc<ClusterLife>, EngineStopped> {
        let (namespace, lease) = (self.namespace.clone(), lease.to_owned());
        let read = handle.read(move |state| life(state, &ClusterRef::Local, &namespace, &lease));
        let life = Arc::new(read.await?);
        self.last_look.at(Arc::clone(&self.server), Arc::clone(&life), handle.inbox());
        Ok(life)
    }

    /// Watches. After a log that cannot be relied on, everything is listed anew.
    pub fn session(&self, life: Arc<ClusterLife>, relist_all: bool) -> Session {
        Session {
            server: Arc::clone(&self.server),
            life,
            watches: self.watches.clone(),
            cache: Arc::clone(&self.cache),
            digest_key: self.digest_key.clone(),
            metrics: Arc::clone(&self.metrics),
            relist_all,
        }
    }

    /// Keeps the Lease of the controller manager until `shutdown` is done, then gives it back.
    pub fn keep_lease(
        &self,
        claim: Claim,
        guard: LeaseGuard,
        inbox: Inbox,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = Result<(), Gone>> + Send + 'static {
        self.keep_lease_of(MANAGER_LEASE, claim, guard, (inbox, shutdown))
    }

    fn keep_lease_of<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &str,
        claim: Claim,
        guard: LeaseGuard,
        (inbox, shutdown): (Inbox, F),
    ) -> impl Future<Output = Result<(), Gone>> + Send + use<F> {
        let Claim { holder, may_continue, life, chance } = claim;
        let (namespace, name) = (self.namespace.clone(), name.to_owned());
        let settings = LeaseSettings { namespace, name, holder, may_continue };
        let (keeper, _) = LeaseKeeper::new(Arc::clone(&self.server), settings, inbox, SystemClock, chance);
        keeper.guarding(guard).bearing_witness_of(life).run(shutdown)
    }
}

/// What runs beside an engine. Dropping it ends the watches.
#[derive(Debug)]
pub struct Attached {
    /// Ends when the Lease was given back.
    pub lease: JoinHandle<Result<(), Gone>>,
    _watching: JoinSet<()>,
}

/// Who asks for the Lease.
#[derive(Debug)]
pub struct Claim {
    /// Uid of the pod.
    pub holder: Uid,
    /// Whether the log of an earlier container of this pod is whole.
    pub may_continue: bool,
    /// The life of the cluster, which the Lease bears witness of.
    pub life: Arc<ClusterLife>,
    /// For pauses.
    pub chance: Chance,
}

/// The first event of a process. `instance` is the uid of the pod; when it is empty one is made up.
///
/// # Errors
///
/// [`Error::Entropy`].
pub fn started(instance: &str, namespace: &str, cluster_name: &str) -> Result<Started, Error> {
    let entropy: [u8; 16] = random_bytes()?;
    let made_up: String = random_bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Started {
        instance: if instance.is_empty() { made_up.into() } else { instance.into() },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        namespace: namespace.into(),
        cluster_name: cluster_name.into(),
        entropy,
    })
}
