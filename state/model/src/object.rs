//! Which object in which cluster is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ClusterId, Kind};

/// One of the API servers that a process talks to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClusterRef {
    /// The cluster that the process runs in.
    #[default]
    Local,
    /// A peer.
    Remote(ClusterId),
}

impl fmt::Display for ClusterRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => out.write_str("local"),
            Self::Remote(id) => write!(out, "{id}"),
        }
    }
}

/// The name of an object among all that a process knows. It outlives the object: the uid tells two lives apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKey {
    /// Where it is.
    pub cluster: ClusterRef,
    /// What it is.
    pub kind: Kind,
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// An object of the local cluster in a namespace.
    pub fn local(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { cluster: ClusterRef::Local, kind, namespace: namespace.into(), name: name.into() }
    }

    /// A cluster-scoped object of the local cluster.
    pub fn local_cluster_scoped(kind: Kind, name: impl Into<String>) -> Self {
        Self::local(kind, "", name)
    }
}

/// `Kind/name` or `Kind/namespace/name`, with the cluster before it when that is not the local one.
impl fmt::Display for ObjectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cluster != ClusterRef::Local {
            write!(out, "{}:", self.cluster)?;
        }
        if self.namespace.is_empty() {
            write!(out, "{}/{}", self.kind, self.name)
        } else {
            write!(out, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_as_a_reader_expects() {
        let mut key = ObjectKey::local(Kind::NamespaceOffloading, "shop", "offloading");
        assert_eq!(key.to_string(), "NamespaceOffloading/shop/offloading");
        key.cluster = ClusterRef::Remote("milan-id".into());
        assert_eq!(key.to_string(), "milan-id:NamespaceOffloading/shop/offloading");
        assert_eq!(ObjectKey::local_cluster_scoped(Kind::Node, "n1").to_string(), "Node/n1");
    }
}
