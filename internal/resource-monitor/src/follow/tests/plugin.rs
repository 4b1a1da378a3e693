//! A resource monitor as users write them, on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures::stream::{BoxStream, StreamExt as _};
use liqo_proto::resource_monitor::resource_reader_server::{ResourceReader, ResourceReaderServer};
use liqo_proto::resource_monitor::{ClusterIdentity, Empty, Quantity, ResourceList};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, watch};
use tokio_stream::wrappers::{BroadcastStream, TcpListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What the monitor says, and what it heard.
#[derive(Debug)]
pub(super) struct Words {
    said: Mutex<BTreeMap<String, ResourceList>>,
    asked: watch::Sender<Vec<String>>,
    removed: watch::Sender<BTreeSet<String>>,
    told: broadcast::Sender<ClusterIdentity>,
}

impl Words {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            said: Mutex::default(),
            asked: watch::Sender::default(),
            removed: watch::Sender::default(),
            told: broadcast::Sender::new(16),
        })
    }

    /// From now on a consumer may have this much CPU; a text that is no amount is said as it is.
    pub(super) fn say(&self, consumer: &str, cpu: &str) {
        let resources = [("cpu".to_owned(), Quantity { string: Some(cpu.to_owned()) })].into();
        self.said.lock().unwrap().insert(consumer.to_owned(), ResourceList { resources });
    }

    /// Tells that the answer for a consumer changed, or for all. Whoever listens gets it.
    pub(super) async fn notify(&self, consumer: &str) {
        while self.told.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        self.told.send(ClusterIdentity { cluster_id: consumer.to_owned() }).unwrap();
    }

    /// Waits until a consumer was asked about so many times.
    pub(super) async fn asked(&self, consumer: &str, times: usize) {
        let count = |asked: &Vec<String>| asked.iter().filter(|one| *one == consumer).count() >= times;
        self.asked.subscribe().wait_for(count).await.unwrap();
    }

    /// How often anybody was asked about.
    pub(super) fn questions(&self) -> usize {
        self.asked.borrow().len()
    }

    /// Waits until a consumer was removed.
    pub(super) async fn removed(&self, consumer: &str) {
        self.removed.subscribe().wait_for(|removed| removed.contains(consumer)).await.unwrap();
    }
}

/// The monitor as a server.
#[derive(Clone, Debug)]
struct Monitor(Arc<Words>);

#[tonic::async_trait]
impl ResourceReader for Monitor {
    async fn read_resources(
        &self,
        request: Request<ClusterIdentity>,
    ) -> Result<Response<ResourceList>, Status> {
        let consumer = request.into_inner().cluster_id;
        self.0.asked.send_modify(|asked| asked.push(consumer.clone()));
        let said = self.0.said.lock().unwrap().get(&consumer).cloned();
        said.map(Response::new).ok_or_else(|| Status::not_found("who is that?"))
    }

    async fn remove_cluster(&self, request: Request<ClusterIdentity>) -> Result<Response<Empty>, Status> {
        let consumer = request.into_inner().cluster_id;
        self.0.removed.send_if_modified(|removed| removed.insert(consumer));
        Ok(Response::new(Empty {}))
    }

    type SubscribeStream = BoxStream<'static, Result<ClusterIdentity, Status>>;

    /// As servers in Go do, it says nothing at all, not even that it accepts, before there is something to tell.
    async fn subscribe(&self, _: Request<Empty>) -> Result<Response<Self::SubscribeStream>, Status> {
        let told = BroadcastStream::new(self.0.told.subscribe());
        let mut told = told.filter_map(|told| async { told.ok().map(Ok) }).boxed();
        let first = told.next().await;
        Ok(Response::new(futures::stream::iter(first).chain(told).boxed()))
    }
}

/// A monitor that runs, in a runtime of its own so that it can end as a process does.
pub(super) struct Plugin {
    pub(super) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Plugin {
    /// On a port, or on any with 0.
    pub(super) async fn start(words: &Arc<Words>, port: u16) -> Self {
        // The port may be of one that was killed a moment ago.
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Err(error) if error.kind() == ErrorKind::AddrInUse => tokio::task::yield_now().await,
                bound => break bound.unwrap(),
            }
        };
        let address = listener.local_addr().unwrap();
        let listener = listener.into_std().unwrap();
        let service = ResourceReaderServer::new(Monitor(Arc::clone(words)));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        Self { address, runtime: Some(runtime) }
    }

    /// Ends as a process that is killed: connections break. Gives its port.
    pub(super) fn kill(self) -> u16 {
        self.address.port()
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}
