//! Names that both clusters of a peering must come to in the same way.
//!
//! Source: names of tenant namespaces, virtual nodes and remote namespaces as Liqo 0.8.3 gives them.

use sha2::{Digest, Sha256};

use crate::{ClusterId, ClusterName, NamespaceName};

/// Bytes of the hash that a unique name ends with; two hexadecimal digits each.
const HASH_BYTES: usize = 3;

/// `<cluster name>-<first six hexadecimal digits of SHA-256 of the cluster ID>`.
pub fn unique_name(name: &ClusterName, id: &ClusterId) -> String {
    let hash = Sha256::digest(id.as_str().as_bytes());
    let digits: String = hash.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{digits}")
}

/// The namespace in this cluster that belongs to the peer.
pub fn tenant_namespace_name(name: &ClusterName, id: &ClusterId) -> NamespaceName {
    NamespaceName::new(format!("liqo-tenant-{}", unique_name(name, id)))
}

/// The node that stands for the peer.
pub fn virtual_node_name(name: &ClusterName) -> String {
    format!("liqo-{name}")
}

/// The default name of the namespace that extends `namespace` in a peer; the identity is that of the home cluster.
pub fn remote_namespace_name(namespace: &NamespaceName, home: &ClusterName, id: &ClusterId) -> NamespaceName {
    NamespaceName::new(format!("{namespace}-{}", unique_name(home, id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_with_the_hash_of_the_identity() {
        // printf '' | sha256sum begins with e3b0c442, printf abc | sha256sum with ba7816bf.
        assert_eq!(unique_name(&"".into(), &"".into()), "-e3b0c4");
        assert_eq!(unique_name(&"milan".into(), &"abc".into()), "milan-ba7816");
        assert_eq!(
            tenant_namespace_name(&"milan".into(), &"abc".into()).as_str(),
            "liqo-tenant-milan-ba7816"
        );
        assert_eq!(
            remote_namespace_name(&"shop".into(), &"rome".into(), &"abc".into()).as_str(),
            "shop-rome-ba7816"
        );
    }
}
