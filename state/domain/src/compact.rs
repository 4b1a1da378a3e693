//! The shortest list of events that the same state follows from: what a snapshot holds.
//!
//! Events keep the place in the log that they had. The order matters: lives of clusters before objects, objects before
//! what is said of them, complete lists before cursors.

use std::collections::BTreeMap;

use liqo_events::{
    Applied, CommandFailed, CommandId, CommandIssued, CommandSucceeded, Deadline, DeadlinePassed,
    Disposition, Event, GenerationChanged, LeaseGained, LeaseLost, OrphanNoticed, OrphanReleased, Proof,
    Recorded, Seq, Slot, UnixMillis, Vanished,
};
use liqo_model::{ClusterRef, Kind, NamespaceName, ObjectKey, ResourceVersion, Uid};

use crate::offloading::OFFLOADING_NAME;
use crate::outbox::{Pending, Waiting};
use crate::state::{Fact, Grave, Mirrored, Object, Orphan, State, Written};

/// Where the events go.
pub(crate) struct Events<'a>(pub(crate) &'a mut dyn FnMut(Recorded));

impl Events<'_> {
    fn push(&mut self, event: Recorded) {
        (self.0)(event);
    }
}

impl Extend<Recorded> for Events<'_> {
    fn extend<I: IntoIterator<Item = Recorded>>(&mut self, events: I) {
        events.into_iter().for_each(|event| self.push(event));
    }
}

/// The events that [`crate::evolve`] makes an equal state of, from nothing.
pub(crate) fn compact(state: &State, events: &mut Events<'_>) {
    events.extend(state.started.as_ref().map(of));
    events.extend(lease(state));
    objects(state, events);
    events.extend(state.graves.iter().map(|(key, grave)| buried(state, key, grave)));
    events.extend(state.gone_offloadings.iter().map(|(namespace, gone)| ended(namespace, gone)));
    events.extend(state.configured.as_ref().map(of));
    events.extend(state.identity.as_ref().map(of));
    events.extend(state.external_cidr.as_ref().map(of));
    events.extend(state.subnets.iter().map(|(_, fact)| of(fact)));
    events.extend(state.tunnels.iter().map(|(_, fact)| of(fact)));
    events.extend(state.probes.iter().map(|(_, fact)| of(fact)));
    // What a monitor says counts only after it was said that there is one.
    events.extend(state.sharing.as_ref().map(of));
    events.extend(state.shares.iter().map(|(_, fact)| of(fact)));
    events.extend(state.remote_names.iter().map(|(_, fact)| of(fact)));
    events.extend(state.rejected.iter().map(|(_, fact)| of(fact)));
    state.orphans.iter().for_each(|(key, orphan)| events.extend(orphan_events(key, orphan)));
    events.extend(state.lists.iter().map(|(_, fact)| of(fact)));
    events.extend(state.cursors.iter().map(|(_, fact)| of(fact)));
    events.extend(state.mirrored.iter().map(|(slot, mirrored)| copied(slot, mirrored)));
    events.extend(state.written.iter().map(|(slot, written)| succeeded(slot, written)));
    state.outbox.iter().for_each(|(id, pending)| events.extend(pending_events(*id, pending)));
}

fn recorded(seq: Seq, recorded_at: UnixMillis, event: impl Into<Event>) -> Recorded {
    Recorded { seq, recorded_at, caused_by: None, event: event.into() }
}

fn of<T: Clone + Into<Event>>(fact: &Fact<T>) -> Recorded {
    recorded(fact.seq, fact.at, fact.body.clone())
}

fn lease(state: &State) -> Option<Recorded> {
    let lease = &state.lease;
    if lease.seq == Seq::default() {
        return None;
    }
    Some(if lease.held {
        recorded(lease.seq, lease.at, LeaseGained { epoch: lease.epoch, continued: lease.continued })
    } else {
        recorded(lease.seq, lease.at, LeaseLost { epoch: lease.epoch })
    })
}

/// Objects remember the generation of the cluster that they were seen in, so those of earlier ones come first.
fn objects(state: &State, events: &mut Events<'_>) {
    let mut by_life: BTreeMap<(&ClusterRef, u64), Vec<(&ObjectKey, &Object)>> = BTreeMap::new();
    for (key, object) in &state.objects {
        by_life.entry((&key.cluster, object.cluster_generation)).or_default().push((key, object));
    }
    for ((cluster, generation), of_life) in by_life {
        if generation > 0 && generation != state.generation(cluster) {
            events.push(earlier_life(cluster, generation));
        } else if generation > 0 {
            events.extend(state.clusters.get(cluster).map(of));
        }
        events.extend(of_life.into_iter().map(|(key, object)| applied(key, object)));
    }
    events.extend(state.clusters.iter().map(|(_, fact)| of(fact)));
}

fn earlier_life(cluster: &ClusterRef, generation: u64) -> Recorded {
    let (uid, reason) = (Uid::default(), String::new());
    recorded(
        Seq::default(),
        UnixMillis(0),
        GenerationChanged { cluster: cluster.clone(), uid, generation, reason },
    )
}

fn applied(key: &ObjectKey, object: &Object) -> Recorded {
    let event = Applied {
        object: key.clone(),
        uid: object.uid.clone(),
        resource_version: object.resource_version.clone(),
        generation: object.generation,
        created_at: object.created_at,
        deleting: object.deleting,
        digest: object.digest,
        facts: object.facts.clone(),
        coalesced: object.coalesced,
    };
    recorded(object.seen, object.seen_at, event)
}

/// What is no proof of an end ends nothing else.
fn buried(state: &State, key: &ObjectKey, grave: &Fact<Grave>) -> Recorded {
    let event = Vanished {
        object: key.clone(),
        uid: grave.body.uid.clone(),
        resource_version: grave.body.resource_version.clone(),
        proof: Proof::AbsentFromList { generation: state.generation(&key.cluster) },
    };
    recorded(grave.seq, grave.at, event)
}

fn ended(namespace: &NamespaceName, gone: &Fact<Uid>) -> Recorded {
    let event = Vanished {
        object: ObjectKey::local(Kind::NamespaceOffloading, namespace.as_str(), OFFLOADING_NAME),
        uid: gone.body.clone(),
        resource_version: ResourceVersion::default(),
        proof: Proof::Deleted,
    };
    recorded(gone.seq, gone.at, event)
}

fn orphan_events(key: &(ObjectKey, NamespaceName), orphan: &Orphan) -> Vec<Recorded> {
    let (map, namespace) = key.clone();
    let noticed = OrphanNoticed {
        map: map.clone(),
        namespace: namespace.clone(),
        generation: orphan.generation,
        held: orphan.held,
    };
    let key = (map, namespace);
    let due = orphan.due.map(|seq| {
        let deadline = Deadline::Orphan { map: key.0.clone(), namespace: key.1.clone() };
        recorded(seq, orphan.noticed_at, DeadlinePassed { deadline })
    });
    let released = orphan.released.map(|seq| {
        let event = OrphanReleased { map: key.0.clone(), namespace: key.1.clone() };
        recorded(seq, orphan.noticed_at, event)
    });
    let noticed = recorded(orphan.noticed, orphan.noticed_at, noticed);
    std::iter::once(noticed).chain(due).chain(released).collect()
}

/// Without a version nothing waits to be seen.
fn copied(slot: &Slot, mirrored: &Mirrored) -> Recorded {
    let event = CommandSucceeded {
        id: mirrored.id,
        slot: slot.clone(),
        effect: mirrored.effect,
        resource_version: ResourceVersion::default(),
        destructive: false,
    };
    recorded(mirrored.seq, mirrored.at, event)
}

fn succeeded(slot: &Slot, written: &Written) -> Recorded {
    let event = CommandSucceeded {
        id: written.id,
        slot: slot.clone(),
        effect: written.effect,
        resource_version: written.resource_version.clone(),
        destructive: written.destructive,
    };
    recorded(written.seq, written.at, event)
}

fn pending_events(id: CommandId, pending: &Pending) -> Vec<Recorded> {
    let issued = CommandIssued { command: pending.command.clone() };
    let mut events = vec![recorded(pending.issued, pending.issued_at, issued)];
    let Some((seq, at, error)) = &pending.failure else { return events };
    let disposition = match pending.waiting {
        Waiting::Parked => Disposition::Park,
        Waiting::Retry { after_millis } => Disposition::Retry { after_millis },
        Waiting::Ready => Disposition::Retry { after_millis: 0 },
    };
    let failed = CommandFailed { id, attempt: pending.attempts, disposition, error: error.clone() };
    events.push(recorded(*seq, *at, failed));
    if pending.waiting == Waiting::Ready {
        events.push(recorded(*seq, *at, DeadlinePassed { deadline: Deadline::Retry(id) }));
    }
    events
}
