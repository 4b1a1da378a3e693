//! Objects as an API server keeps them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use liqo_domain::OFFLOADING_FINALIZER;
use liqo_events::{
    Applied, BodyDigest, Facts, ForeignClusterFacts, NamespaceMapFacts, OffloadingFacts, Proof, UnixMillis,
    Vanished,
};
use liqo_model::{Kind, ObjectKey, ResourceVersion, Uid};

/// Keeps a virtual node while the peer has anything of this cluster.
const NODE_FINALIZER: &str = "virtualnode-controller.liqo.io/finalizer";

/// An object. Its body is what a projection shows of it, and a rest that no projection shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) key: ObjectKey,
    pub(crate) uid: Uid,
    pub(crate) version: u64,
    pub(crate) generation: i64,
    pub(crate) created_at: UnixMillis,
    pub(crate) deleting: bool,
    pub(crate) finalizers: BTreeSet<String>,
    /// Objects without which it goes, by kind, name and life.
    pub(crate) owners: BTreeSet<(Kind, String, Uid)>,
    pub(crate) facts: Facts,
    /// Why the body cannot be read, if it cannot.
    pub(crate) malformed: Option<String>,
    /// Annotations, data, environment: whatever must never be in an event.
    pub(crate) rest: String,
}

impl Stored {
    /// The observation that a watch makes of it.
    pub(crate) fn applied(&self) -> Applied {
        let facts = match &self.malformed {
            Some(reason) => Facts::Malformed(reason.clone()),
            None => self.facts.clone(),
        };
        Applied {
            object: self.key.clone(),
            uid: self.uid.clone(),
            resource_version: version(self.version),
            generation: self.generation,
            created_at: self.created_at,
            deleting: self.deleting,
            digest: self.digest(),
            facts,
            coalesced: 0,
        }
    }

    /// The observation of its end.
    pub(crate) fn vanished(&self) -> Vanished {
        Vanished {
            object: self.key.clone(),
            uid: self.uid.clone(),
            resource_version: version(self.version),
            proof: Proof::Deleted,
        }
    }

    /// What the projection takes from the metadata follows the metadata.
    pub(super) fn settle(&mut self) {
        match &mut self.facts {
            Facts::Offloading(facts) => facts.finalizer = self.finalizers.contains(OFFLOADING_FINALIZER),
            Facts::ForeignCluster(facts) => {
                facts.finalizers =
                    self.finalizers.iter().filter(|name| name.contains("liqo.io")).cloned().collect();
            }
            Facts::Node(facts) => facts.finalizer = self.finalizers.contains(NODE_FINALIZER),
            _ => super::exchanged::settle(&mut self.facts, &self.finalizers, &self.owners),
        }
    }

    fn digest(&self) -> BodyDigest {
        let mut hasher = DefaultHasher::new();
        (&self.facts, &self.finalizers, self.deleting, &self.malformed, &self.rest).hash(&mut hasher);
        let half = hasher.finish().to_be_bytes();
        let mut digest = [0; 16];
        digest[..8].copy_from_slice(&half);
        digest[8..].copy_from_slice(&half);
        BodyDigest(digest)
    }
}

/// A version as the API shows it.
pub(crate) fn version(number: u64) -> ResourceVersion {
    ResourceVersion::new(number.to_string())
}

/// The part of a body whose changes `metadata.generation` counts; nothing where a kind has no generation.
pub(super) fn spec(facts: &Facts) -> Option<Facts> {
    match facts {
        Facts::Offloading(facts) => Some(Facts::Offloading(OffloadingFacts {
            mapping: facts.mapping,
            pods: facts.pods,
            selector: facts.selector.clone(),
            ..OffloadingFacts::default()
        })),
        Facts::ForeignCluster(facts) => Some(Facts::ForeignCluster(ForeignClusterFacts {
            labelled_id: "".into(),
            discovery_type: String::new(),
            finalizers: Vec::new(),
            tenant_local: "".into(),
            tenant_remote: "".into(),
            conditions: Vec::new(),
            ..facts.clone()
        })),
        Facts::NamespaceMap(facts) => Some(Facts::NamespaceMap(NamespaceMapFacts {
            desired: facts.desired.clone(),
            ..NamespaceMapFacts::default()
        })),
        _ => None,
    }
}
