//! What the server needs to know of the world.

use liqo_model::ClusterId;

use crate::RemotePod;

/// What the server needs to know of the world. It is asked with each request, so answers may change.
pub trait Backend: Send + Sync + 'static {
    /// Name of the node.
    fn node(&self) -> &str;

    /// The cluster that the node is in, as the peer knows it.
    fn home_cluster(&self) -> &ClusterId;

    /// The client of the API server that the node is in.
    fn local(&self) -> kube::Client;

    /// The client of the peer's API server; nothing before there is an identity. It must have no limit for the time of a
    /// read, else silent streams end with it.
    fn peer(&self) -> Option<kube::Client>;

    /// Where a pod of this node is in the peer.
    fn locate(&self, namespace: &str, pod: &str) -> Option<RemotePod>;
}
