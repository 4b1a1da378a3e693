//! The API servers that the process talks to now.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use liqo_model::ClusterRef;

use super::ApiServer;

/// The API servers that the process talks to now. Clones share one list; peers come and go.
#[derive(Clone, Default)]
pub struct ApiServers(Arc<RwLock<BTreeMap<ClusterRef, Arc<ApiServer>>>>);

impl ApiServers {
    /// The one of a cluster.
    pub fn get(&self, cluster: &ClusterRef) -> Option<Arc<ApiServer>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(cluster).cloned()
    }

    /// Adds one, in place of an earlier one of the same cluster, which ends when nobody uses it any more.
    pub fn insert(&self, server: Arc<ApiServer>) {
        let mut servers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        servers.insert(server.cluster().clone(), server);
    }

    /// Takes one away, and its metrics with it. Whatever watches it ends before.
    pub fn remove(&self, cluster: &ClusterRef) {
        let removed = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(cluster);
        if let Some(server) = removed {
            server.metrics().forget(cluster);
        }
    }
}
