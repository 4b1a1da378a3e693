//! Series of clusters, which end when nobody talks to the cluster any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use liqo_model::ClusterRef;
use prometheus_client::metrics::family::Family;

/// One metric with a series for each of the labels of a cluster. A family does not tell which labels it has.
pub(crate) struct Series<L, M> {
    family: Family<L, M>,
    known: Arc<Mutex<BTreeMap<ClusterRef, BTreeSet<L>>>>,
}

impl<L: Clone + Eq + Ord + Hash, M: Default> Default for Series<L, M> {
    fn default() -> Self {
        Self { family: Family::default(), known: Arc::default() }
    }
}

impl<L, M> fmt::Debug for Series<L, M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Series")
    }
}

impl<L: Clone + Eq + Ord + Hash, M: Clone + Default> Series<L, M> {
    /// What is put into a registry.
    pub(crate) fn family(&self) -> Family<L, M> {
        self.family.clone()
    }

    /// The metric of these labels, which are of that cluster.
    pub(crate) fn of(&self, cluster: &ClusterRef, labels: &L) -> M {
        if let Some(metric) = self.family.get(labels) {
            return metric.clone();
        }
        // Held until the series is there, so that it is not forgotten in between.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(cluster.clone()).or_default().insert(labels.clone());
        self.family.get_or_create(labels).clone()
    }

    /// Ends the series of a cluster.
    pub(crate) fn forget(&self, cluster: &ClusterRef) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for labels in known.remove(cluster).unwrap_or_default() {
            self.family.remove(&labels);
        }
    }
}
