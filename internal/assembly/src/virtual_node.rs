//! The virtual node's face to its cluster: the kubelet API, its certificate and its Lease, and what they need to know.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use liqo_domain::{KubeletMachine, State, mapped_namespaces, tunnel_of};
use liqo_engine::Handle;
use liqo_events::{Facts, KubeletSettings};
use liqo_kube_io::{ApiServers, Prefixes};
use liqo_kubelet::{
    Authorizer, Backend, CertificateKeeper, CertificateType, KubeReviewer, LeaseSettings, Metrics, RemotePod,
    ServingIdentity, ServingTls, keep_lease, serve,
};
use liqo_listening::Socket;
use liqo_model::{ClusterId, ClusterRef, Kind, NamespaceName, ObjectKey, Uid};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::client_authority::ClientAuthority;
use crate::services::Failure;

/// How long the kubelet API waits to know whose client certificates count. Without that, tokens do.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// What follows from the state and is needed beside the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How pods are called on the other side.
    pub prefixes: Option<Prefixes>,
    /// Namespaces that extend to the provider.
    pub namespaces: BTreeMap<NamespaceName, NamespaceName>,
    /// The life of the node.
    pub node: Option<Uid>,
    /// Whether the provider's API server answers, as the controller manager has it.
    pub reachable: bool,
}

impl Known {
    fn of(state: &State) -> Self {
        let Some(settings) = state.kubelet() else { return Self::default() };
        let node = ObjectKey::local_cluster_scoped(Kind::Node, settings.node.as_str());
        let node = state.objects.get(&node).filter(|node| !node.deleting);
        Self {
            prefixes: tunnel_of(state, &settings.remote).and_then(Prefixes::of),
            namespaces: mapped_namespaces(state),
            node: node.map(|node| node.uid.clone()),
            reachable: settings.ignore_api_server || is_reachable(state, &settings.remote),
        }
    }
}

fn is_reachable(state: &State, peer: &ClusterId) -> bool {
    state.local(Kind::ForeignCluster).any(|(_, object)| match &object.facts {
        Facts::ForeignCluster(facts) if facts.cluster_id == *peer => facts
            .conditions
            .iter()
            .any(|condition| condition.kind == "APIServerStatus" && condition.status == "Established"),
        _ => false,
    })
}

/// Keeps up with the state, for as long as somebody listens.
pub fn follow(handle: &Handle<KubeletMachine>) -> watch::Receiver<Known> {
    let (told, known) = watch::channel(Known::default());
    let handle = handle.clone();
    tokio::spawn(async move {
        let mut published = handle.subscribe();
        while let Ok(now) = handle.read(Known::of).await {
            told.send_if_modified(|known| {
                let changed = *known != now;
                *known = now;
                changed
            });
            if told.is_closed() || published.changed().await.is_err() {
                return;
            }
        }
    });
    known
}

/// Part of what is known, for those who need no more.
pub fn part<T: Clone + PartialEq + Send + Sync + 'static>(
    mut known: watch::Receiver<Known>,
    part: impl Fn(&Known) -> T + Send + 'static,
) -> watch::Receiver<T> {
    let (told, receiver) = watch::channel(part(&known.borrow_and_update()));
    tokio::spawn(async move {
        while known.changed().await.is_ok() {
            let now = part(&known.borrow_and_update());
            told.send_if_modified(|known| {
                let changed = *known != now;
                *known = now;
                changed
            });
            if told.is_closed() {
                return;
            }
        }
    });
    receiver
}

/// What the kubelet API needs to know.
struct Home {
    settings: KubeletSettings,
    client: Client,
    servers: ApiServers,
    known: watch::Receiver<Known>,
}

impl Backend for Home {
    fn node(&self) -> &str {
        &self.settings.node
    }

    fn home_cluster(&self) -> &ClusterId {
        &self.settings.home
    }

    fn local(&self) -> Client {
        self.client.clone()
    }

    fn peer(&self) -> Option<Client> {
        let server = self.servers.get(&ClusterRef::Remote(self.settings.remote.clone()))?;
        Some(server.client().clone())
    }

    fn locate(&self, namespace: &str, pod: &str) -> Option<RemotePod> {
        let known = self.known.borrow();
        let namespace = known.namespaces.get(&NamespaceName::new(namespace))?;
        Some(RemotePod { namespace: namespace.to_string(), name: pod.to_owned() })
    }
}

/// How the kubelet API is served.
pub struct KubeletApi {
    /// What the virtual kubelet is.
    pub settings: KubeletSettings,
    /// The home API server.
    pub client: Client,
    /// All API servers.
    pub servers: ApiServers,
    /// What is known.
    pub known: watch::Receiver<Known>,
    /// Where it listens once it can judge who calls. Tells from when on it is served.
    pub socket: Socket,
    /// Address that the certificate is of.
    pub address: IpAddr,
    /// Who signs.
    pub certificate: CertificateType,
    /// The Lease of the node is renewed four times in this time.
    pub lease: Duration,
    /// What is counted.
    pub metrics: Metrics,
}

impl KubeletApi {
    /// Serves the kubelet API and keeps the Lease of the node until `stopping`.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on, or no certificate can be made.
    pub async fn run(self, stopping: watch::Receiver<bool>) -> Result<(), Failure> {
        let node = self.settings.node.clone();
        let identity = ServingIdentity { node: node.clone(), address: self.address };
        let tls = ServingTls::self_signed(identity, Timestamp::now())?;
        let reviewer = KubeReviewer::new(self.client.clone(), node.as_str());
        let authorizer = Arc::new(Authorizer::new(reviewer, self.metrics.clone()));
        let authority = ClientAuthority::of(&self.client);
        let mut looked = authority.looked();
        let (keeper, _) =
            CertificateKeeper::new(self.client.clone(), tls.clone(), self.certificate, self.metrics.clone());
        let lease = self.lease(stopping.clone());
        let home =
            Home { settings: self.settings, client: self.client, servers: self.servers, known: self.known };
        let trusting = Arc::clone(&authorizer);
        let until_stopped = || told(stopping.clone());
        let served = async {
            // An API server that called earlier would be told that its certificate does not count.
            let _ = timeout(FIRST_LOOK, looked.wait_for(|looked| *looked)).await;
            let listening = self.socket.listen()?;
            serve(listening, tls, authorizer, Arc::new(home), until_stopped()).await;
            Ok::<_, Failure>(())
        };
        let kept = async {
            tokio::join!(keeper.run(until_stopped()), lease);
            Ok(())
        };
        tokio::select! {
            ended = async { tokio::try_join!(served, kept) } => ended.map(|((), ())| ()),
            never = authority.follow(|bundle| trusting.trust(bundle)) => match never {},
        }
    }

    /// Renews the Lease of each life of the node while the provider is reached.
    fn lease(&self, stopping: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
        let (client, metrics, node) = (self.client.clone(), self.metrics.clone(), self.settings.node.clone());
        let duration = self.lease;
        let mut lives = part(self.known.clone(), |known| known.node.clone());
        let healthy = part(self.known.clone(), |known| known.reachable);
        async move {
            loop {
                let life = lives.borrow_and_update().clone();
                let ended = {
                    let (mut lives, mut stopping) = (lives.clone(), stopping.clone());
                    async move {
                        tokio::select! {
                            _ = lives.changed() => {}
                            _ = stopping.wait_for(|stopping| *stopping) => {}
                        }
                    }
                };
                match life {
                    Some(node_uid) => {
                        let settings = LeaseSettings { node: node.clone(), node_uid, duration };
                        keep_lease(client.clone(), settings, Some(healthy.clone()), metrics.clone(), ended)
                            .await;
                    }
                    None => ended.await,
                }
                if *stopping.borrow() || lives.has_changed().is_err() {
                    return;
                }
            }
        }
    }
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
