//! The server on the unix socket, with reflection and health.

use std::io;
use std::sync::Arc;

use futures::Stream;
use futures::stream::unfold;
use liqo_listening::Places;
use liqo_proto::debug::debug_server::DebugServer;
use tokio::net::UnixStream;
use tonic::transport::Server;
use tonic_reflection::server::Builder;

use super::DebugService;
use super::socket::{DebugSocket, SocketError};
use crate::incoming::Placed;
use crate::{DebugSource, Metrics};

/// Connections at a time: a person and their tools.
const MOST_CONNECTIONS: usize = 32;
/// Calls of one connection at a time.
const MOST_CALLS: u32 = 16;
/// What reflection lists, beside itself: what is served here and nothing else of the descriptors.
const SERVED: &[&str] =
    &["liqo.debug.v1.Debug", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];

/// Serves until the service is told to stop, and removes the socket.
///
/// # Errors
///
/// [`SocketError::Serve`], [`SocketError::Describe`].
pub async fn serve<S: DebugSource>(
    socket: DebugSocket,
    service: DebugService<S>,
    metrics: Metrics,
) -> Result<(), SocketError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<DebugServer<DebugService<S>>>().await;
    let describe = |source| SocketError::Describe { source };
    let mut stopping = service.stopping();
    let router = Server::builder()
        .max_concurrent_streams(MOST_CALLS)
        .add_service(DebugServer::new(service))
        .add_service(health_service)
        .add_service(reflection().build_v1().map_err(describe)?)
        .add_service(reflection().build_v1alpha().map_err(describe)?);
    let stopped = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let served = router.serve_with_incoming_shutdown(incoming(Arc::new(socket), metrics), stopped).await;
    served.map_err(|source| SocketError::Serve { source })
}

fn reflection() -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(liqo_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    SERVED.iter().fold(builder, |builder, name| builder.with_service_name(*name))
}

/// Connections of users who may. Others are closed before they are read from.
fn incoming(
    socket: Arc<DebugSocket>,
    metrics: Metrics,
) -> impl Stream<Item = io::Result<Placed<UnixStream>>> {
    let places = Places::new(MOST_CONNECTIONS);
    unfold((socket, places, metrics), |(socket, places, metrics)| async {
        loop {
            let place = places.take().await;
            match socket.accept().await {
                Ok((connection, true)) => {
                    return Some((Ok(Placed::new(connection, place)), (socket, places, metrics)));
                }
                Ok((_, false)) => {
                    metrics.debug_refused.inc();
                    tracing::warn!("a connection to the debug socket was refused: its user is another one");
                }
                Err(error) => return Some((Err(error), (socket, places, metrics))),
            }
        }
    })
}
