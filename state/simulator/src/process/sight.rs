//! How a process sees an API server: its own, or that of a peer, of which it sees the copies of its own objects.

use liqo_events::{Applied, Event, Facts, Replication, Vanished, WatchKey};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey};

use super::{Actor, Running, Watched};
use crate::api::{Change, Stored};

/// The way in which objects of one watch are seen.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// What the process calls the cluster.
    pub(crate) cluster: ClusterRef,
    /// The namespace and the origin that are looked for; everything when the cluster is the own one.
    copies: Option<(String, ClusterId)>,
}

impl Sight {
    /// Whether an object is in the watch.
    pub(super) fn shows(&self, object: &Stored) -> bool {
        let Some((namespace, home)) = &self.copies else { return true };
        let is_copy =
            replication(&object.facts).is_some_and(|part| part.replicated && part.origin_id == *home);
        object.key.namespace == *namespace && is_copy
    }

    /// The name of an object for the process.
    pub(super) fn key(&self, key: &ObjectKey) -> ObjectKey {
        ObjectKey { cluster: self.cluster.clone(), ..key.clone() }
    }

    /// The name of the watch in the log.
    pub(super) fn watch(&self, kind: Kind) -> WatchKey {
        let selector = self.copies.as_ref().map(|(namespace, home)| {
            format!("namespace={namespace};labels=liqo.io/originID={home},liqo.io/replicated=true")
        });
        WatchKey { cluster: self.cluster.clone(), kind, selector: selector.unwrap_or_default() }
    }

    pub(super) fn applied(&self, object: &Stored) -> Event {
        let applied = object.applied();
        Event::Applied(Applied { object: self.key(&applied.object), ..applied })
    }

    pub(super) fn event(&self, change: &Change) -> Event {
        if !change.deleted {
            return self.applied(&change.object);
        }
        let vanished = change.object.vanished();
        Event::Vanished(Vanished { object: self.key(&vanished.object), ..vanished })
    }
}

impl Running {
    /// How the process sees what it watches.
    pub(super) fn sight(&self, actor: Actor, watched: Watched) -> Sight {
        let own = Sight { cluster: ClusterRef::Local, copies: None };
        let Some(peer) = self.peers.get(&watched.server).filter(|_| watched.server != actor.process.cluster)
        else {
            return own;
        };
        let home = self.writer.state().identity.as_ref().map(|identity| identity.body.id.clone());
        Sight {
            cluster: ClusterRef::Remote(peer.id.clone()),
            copies: Some((peer.namespace.to_string(), home.unwrap_or_default())),
        }
    }
}

/// The part of an object in replication.
pub(crate) fn replication(facts: &Facts) -> Option<&Replication> {
    match facts {
        Facts::ResourceRequest(facts) => Some(&facts.replication),
        Facts::ResourceOffer(facts) => Some(&facts.replication),
        Facts::NetworkConfig(facts) => Some(&facts.replication),
        Facts::NamespaceMap(facts) => Some(&facts.replication),
        _ => None,
    }
}
