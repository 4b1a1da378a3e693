//! What a peer allows: its tenant namespaces have bindings, and each gives a right to some kinds.

use liqo_model::{Kind, ObjectKey};

use super::{Actor, Watched};
use crate::api::ApiServer;
use crate::world::World;

/// Roles that give the right to a kind in a tenant namespace, as the chart has them.
fn roles(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::ResourceRequest => &["basic"],
        Kind::ResourceOffer => &["outgoing"],
        Kind::NetworkConfig => &["outgoing", "incoming"],
        Kind::NamespaceMap => &["incoming"],
        _ => &[],
    }
}

/// Whether the tenant of a namespace may read and write a kind in it.
pub(super) fn allows(api: &ApiServer, tenant: &str, kind: Kind) -> bool {
    roles(kind).iter().any(|role| {
        let name = format!("liqo-binding-liqo-remote-peering-{role}");
        api.get(&ObjectKey::local(Kind::RoleBinding, tenant, name)).is_some()
    })
}

impl World {
    /// Whether a process may look at what it wishes to watch.
    pub(super) fn may_look(&mut self, actor: Actor, watched: Watched) -> bool {
        if watched.server == actor.process.cluster {
            return true;
        }
        let peer = self.running(actor).and_then(|running| running.peers.get(&watched.server));
        let tenant = peer.map(|peer| peer.namespace.to_string());
        tenant.is_some_and(|tenant| allows(&self.clusters[watched.server].api, &tenant, watched.kind))
    }
}
