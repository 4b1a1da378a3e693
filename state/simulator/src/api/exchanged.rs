//! What the projections of exchanged objects take from the metadata: finalizers, owners, and digests of both halves.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use liqo_events::{BodyDigest, Facts, Replication};
use liqo_model::{Kind, Uid};

/// Keeps an origin until its copy is gone.
const REPLICATOR: &str = "crdReplicator.liqo.io";
/// Keeps a copy of a map until the namespaces that it asked for are gone.
const NAMESPACES: &str = "namespacemap-controller.liqo.io/finalizer";
/// Keeps a NetworkConfig of a peer until its tunnel is gone.
const TUNNEL: &str = "tunnelendpointcreator.net.liqo.io";
/// Keeps an offer until its virtual kubelet is gone.
const KUBELET: &str = "liqo.io/virtualkubelet";
/// Keeps an offer until its node is gone.
pub(crate) const NODE: &str = "liqo.io/node";

/// Settles the facts of an object with its metadata.
pub(super) fn settle(
    facts: &mut Facts,
    finalizers: &BTreeSet<String>,
    owners: &BTreeSet<(Kind, String, Uid)>,
) {
    let has = |name: &str| finalizers.contains(name);
    let (spec, status) = halves(facts);
    let part: &mut Replication = match facts {
        Facts::ResourceRequest(facts) => &mut facts.replication,
        Facts::ResourceOffer(facts) => {
            facts.kubelet_finalizer = has(KUBELET);
            facts.node_finalizer = has(NODE);
            &mut facts.replication
        }
        Facts::NetworkConfig(facts) => {
            facts.finalizer = has(TUNNEL);
            &mut facts.replication
        }
        Facts::NamespaceMap(facts) => {
            facts.finalizer = has(NAMESPACES);
            &mut facts.replication
        }
        _ => return,
    };
    part.finalizer = has(REPLICATOR);
    part.spec = spec;
    part.status = status;
    let peers = owners.iter().filter(|(kind, ..)| *kind == Kind::ForeignCluster);
    part.owners = peers.map(|(_, name, _)| name.clone()).collect();
}

/// The digests of spec and status.
fn halves(facts: &Facts) -> (BodyDigest, BodyDigest) {
    match facts {
        Facts::ResourceRequest(facts) => (
            digest(&(&facts.cluster_id, &facts.cluster_name, &facts.auth_url, facts.withdrawn)),
            digest(&(facts.offer_withdrawn, &facts.offer_state)),
        ),
        Facts::ResourceOffer(facts) => (
            digest(&(&facts.cluster_id, &facts.hard, &facts.labels, facts.withdrawn)),
            digest(&(&facts.phase, &facts.virtual_kubelet)),
        ),
        Facts::NetworkConfig(facts) => {
            let networks = (&facts.cluster_id, &facts.pod_cidr, &facts.external_cidr);
            let remapped = (facts.processed, &facts.pod_cidr_nat, &facts.external_cidr_nat);
            (digest(&(networks, &facts.endpoint, &facts.public_key, &facts.port)), digest(&remapped))
        }
        Facts::NamespaceMap(facts) => (digest(&facts.desired), digest(&facts.current)),
        _ => (BodyDigest::default(), BodyDigest::default()),
    }
}

fn digest(of: &impl Hash) -> BodyDigest {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    BodyDigest(bytes)
}
