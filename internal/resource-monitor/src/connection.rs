//! The connection to an external resource monitor, and the calls on it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{Stream, StreamExt as _, TryStreamExt as _, once};
use liqo_model::ClusterId;
use liqo_proto::resource_monitor::resource_reader_client::ResourceReaderClient;
use liqo_proto::resource_monitor::{ClusterIdentity, Empty};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};

use crate::Error;
use crate::amounts::amounts;

/// Longest wait for a connection, and for an answer; both as in Liqo 0.8.3.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(5);
/// A machine that is gone says nothing; TCP finds out. Pings of HTTP/2 would be answered with the end of the connection
/// by monitors written in Go, which allow one in five minutes.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Where the monitor is.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    text: String,
    endpoint: Endpoint,
}

impl Address {
    /// `HOST:PORT`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let refused = |source| Error::Address { address: text.to_owned(), source };
        let endpoint = Endpoint::from_shared(url).map_err(refused)?;
        let endpoint =
            endpoint.connect_timeout(CONNECT).tcp_keepalive(Some(TCP_KEEP_ALIVE)).tcp_nodelay(true);
        Ok(Self { text: text.to_owned(), endpoint })
    }

    pub(crate) async fn connect(&self) -> Result<Connection, Error> {
        let unreachable = |source| Error::Unreachable { address: self.text.clone(), source };
        let connected = timeout(CONNECT, self.endpoint.connect()).await.map_err(|_| unreachable(None))?;
        Ok(Connection(ResourceReaderClient::new(connected.map_err(|source| unreachable(Some(source)))?)))
    }
}

/// A connection that works. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Connection(ResourceReaderClient<Channel>);

impl Connection {
    /// How much a consumer may have now, in thousandths of the unit.
    pub(crate) async fn read(&self, consumer: &ClusterId) -> Result<BTreeMap<String, u64>, Error> {
        let mut client = self.0.clone();
        amounts(answered("ReadResources", client.read_resources(identity(consumer))).await?)
    }

    /// The consumer wants nothing any more.
    pub(crate) async fn remove(&self, consumer: &ClusterId) -> Result<(), Error> {
        let mut client = self.0.clone();
        answered("RemoveCluster", client.remove_cluster(identity(consumer))).await.map(drop)
    }

    /// Consumers of which the answer changes; the empty ID stands for all. A server need not say that it accepts the call
    /// before it has something to tell, so nothing waits for that.
    pub(crate) fn notifications(&self) -> impl Stream<Item = Result<ClusterId, Error>> + Send + use<> {
        let mut client = self.0.clone();
        let stream = once(async move { client.subscribe(Empty {}).await.map(Response::into_inner) });
        let told = stream.try_flatten().map_ok(|told| ClusterId::new(told.cluster_id));
        let ended = once(async { Err(Error::Ended) });
        told.map_err(|status| Error::Refused { call: "Subscribe", status }).chain(ended)
    }
}

fn identity(consumer: &ClusterId) -> ClusterIdentity {
    ClusterIdentity { cluster_id: consumer.to_string() }
}

async fn answered<T>(
    call: &'static str,
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Error> {
    let answer = timeout(ANSWER, answer).await.map_err(|_| Error::Silent { call })?;
    Ok(answer.map_err(|status| Error::Refused { call, status })?.into_inner())
}
