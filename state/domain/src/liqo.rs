//! The machine of the control plane: every aggregate behind one `evolve` and one `decide`.

use liqo_events::{Applied, Event, Proof, Recorded, RelistCompleted, StateDigest, Vanished};
use liqo_model::ObjectKey;

use crate::aggregate::Aggregate;
use crate::machine::{ArmedDeadline, Listed, Machine, Output, Ready};
use crate::state::{Object, State};
use crate::{
    compact, evolve, identity, network, offloading, orphans, peering, remote_namespaces, replication,
    shadows, signing,
};

/// The machine of the control plane.
#[derive(Clone, Copy, Debug)]
pub struct LiqoMachine;

impl Machine for LiqoMachine {
    type State = State;

    fn evolve(state: &mut State, event: &Recorded) {
        evolve::evolve(state, event);
    }

    fn fold(state: &mut State, event: Recorded) {
        evolve::fold(state, event);
    }

    fn decide(state: &State, _: &Recorded) -> Vec<Output> {
        let touched = &state.derived.touched;
        let covered = |aggregate: &Aggregate| match aggregate {
            Aggregate::Offloading(_) => touched.contains(&Aggregate::Offloadings),
            Aggregate::Copy(_) => touched.contains(&Aggregate::Copies),
            Aggregate::Quota | Aggregate::Peer(_) => touched.contains(&Aggregate::Peers),
            Aggregate::ReplicationTo(_) => touched.contains(&Aggregate::Replication),
            Aggregate::NetworkWith(_) => touched.contains(&Aggregate::Network),
            _ => false,
        };
        touched
            .iter()
            .filter(|aggregate| !covered(aggregate))
            .flat_map(|aggregate| plan(state, aggregate))
            .collect()
    }

    fn resume(state: &State) -> Vec<Output> {
        ALL.iter().flat_map(|aggregate| plan(state, aggregate)).collect()
    }

    fn next_deadline(state: &State) -> Option<ArmedDeadline> {
        let (due, deadline, armed_at) = state.derived.deadlines.first()?;
        Some(ArmedDeadline {
            armed_at: *armed_at,
            after_millis: due.since(*armed_at),
            deadline: deadline.clone(),
        })
    }

    fn is_news(state: &State, event: &Event) -> bool {
        match event {
            Event::Applied(applied) => applied_is_news(state, applied),
            Event::Vanished(vanished) => vanished_is_news(state, vanished),
            Event::CursorMoved(cursor) => {
                let known = state.cursors.get(&State::cursor_key(&cursor.watch));
                known.is_none_or(|known| known.body != *cursor)
            }
            Event::CommandIssued(issued) => {
                let known = state.outbox.get(&issued.command.id);
                known.is_none_or(|pending| pending.command.slot != issued.command.slot)
            }
            Event::CommandSucceeded(done) => state.outbox.contains_key(&done.id),
            Event::CommandSuperseded(done) => state.outbox.contains_key(&done.id),
            Event::CommandFailed(failed) => state.outbox.contains_key(&failed.id),
            Event::IdentityChosen(chosen) => {
                state.identity.as_ref().is_none_or(|known| known.body != *chosen)
            }
            Event::RemoteNamespaceChosen(chosen) => {
                state.remote_names.get(&chosen.namespace).is_none_or(|known| known.body != *chosen)
            }
            Event::Rejected(rejected) => {
                state.rejected.get(&rejected.object).is_none_or(|known| known.body != *rejected)
            }
            Event::OrphanNoticed(orphan) => {
                !state.orphans.contains_key(&(orphan.map.clone(), orphan.namespace.clone()))
            }
            Event::Configured(configured) => {
                state.configured.as_ref().is_none_or(|known| known.body != *configured)
            }
            Event::TunnelReported(report) => {
                state.tunnels.get(&report.peer).is_none_or(|known| known.body != *report)
            }
            Event::ServerProbed(probe) => {
                state.probes.get(&probe.cluster).is_none_or(|known| known.body != *probe)
            }
            Event::SharingConfigured(rules) => {
                state.sharing.as_ref().is_none_or(|known| known.body != *rules)
            }
            Event::ShareReported(report) => peering::is_news(state, report),
            Event::SubnetsChosen(chosen) => {
                state.subnets.get(&chosen.peer).is_none_or(|known| known.body != *chosen)
            }
            Event::SubnetsReleased(released) => state.subnets.contains_key(&released.peer),
            Event::ExternalCidrChosen(chosen) => {
                state.external_cidr.as_ref().is_none_or(|known| known.body != *chosen)
            }
            Event::Started(_)
            | Event::RelistCompleted(_)
            | Event::GenerationChanged(_)
            | Event::DeadlinePassed(_)
            | Event::LeaseGained(_)
            | Event::LeaseLost(_)
            | Event::OrphanReleased(_) => true,
        }
    }

    fn compare(state: &State, list: &Listed) -> Vec<Event> {
        let watch = &list.watch;
        let gone: Vec<Event> = state
            .objects_of(&watch.cluster, watch.kind)
            .filter(|(key, _)| watch.reaches(&key.namespace) && !list.present.contains_key(key))
            .map(|(key, object)| absent(key, object, list))
            .collect();
        let differences = u32::try_from(gone.len()).unwrap_or(u32::MAX);
        let completed = RelistCompleted {
            watch: watch.clone(),
            resource_version: list.resource_version.clone(),
            generation: list.generation,
            objects: u32::try_from(list.present.len()).unwrap_or(u32::MAX),
            differences,
        };
        gone.into_iter().chain([Event::RelistCompleted(completed)]).collect()
    }

    fn ready(state: &State) -> Vec<Ready> {
        state.ready()
    }

    fn write_down(state: &State, each: &mut dyn FnMut(Recorded)) {
        compact::compact(state, &mut compact::Events(each));
    }

    fn digest(state: &State) -> StateDigest {
        state.digest()
    }
}

const ALL: [Aggregate; 9] = [
    Aggregate::Identity,
    Aggregate::Peers,
    Aggregate::Offloadings,
    Aggregate::Orphans,
    Aggregate::Replication,
    Aggregate::Network,
    Aggregate::Namespaces,
    Aggregate::Signing,
    Aggregate::Copies,
];

fn plan(state: &State, aggregate: &Aggregate) -> Vec<Output> {
    match aggregate {
        Aggregate::Replication => replication::plan(state),
        Aggregate::ReplicationTo(peer) => replication::plan_to(state, peer),
        Aggregate::Network => network::plan(state),
        Aggregate::NetworkWith(peer) => network::plan_with(state, peer),
        Aggregate::Namespaces => remote_namespaces::plan(state),
        Aggregate::Signing => signing::plan(state),
        Aggregate::Quota => peering::plan_offers(state),
        Aggregate::Copy(key) => shadows::plan(state, key),
        Aggregate::Copies => shadows::plan_all(state),
        // Of the virtual kubelet.
        Aggregate::Node => Vec::new(),
        Aggregate::Identity => identity::plan(state),
        Aggregate::Peers => peering::plan(state),
        Aggregate::Peer(peer) => peering::plan_with(state, peer),
        Aggregate::Offloading(namespace) => offloading::plan(state, namespace),
        Aggregate::Offloadings => offloading::plan_all(state),
        Aggregate::Orphans => orphans::plan(state),
    }
}

/// Same life, same facts, same body: nothing new, whatever the version. Nor is what came before that which is known. But a write that waits to be seen needs it, and
/// an object from an earlier generation of its cluster has to be seen once in this one.
fn applied_is_news(state: &State, applied: &Applied) -> bool {
    let version = &applied.resource_version;
    let Some(known) = state.objects.get(&applied.object) else {
        let grave = state.graves.get(&applied.object);
        return grave.is_none_or(|grave| !version.is_older_than(&grave.body.resource_version));
    };
    let generation = state.generation(&applied.object.cluster);
    // A late echo of an older version would take the state back, be it of this life or of an earlier one.
    if version.is_older_than(&known.resource_version) && known.cluster_generation == generation {
        return false;
    }
    known.uid != applied.uid
        || known.digest != applied.digest
        || known.facts != applied.facts
        || known.deleting != applied.deleting
        || known.generation != applied.generation
        || known.cluster_generation != generation
        || state.derived.awaited.contains_key(&applied.object)
}

/// What is not known cannot vanish, unless its end is all that was seen of it.
fn vanished_is_news(state: &State, vanished: &Vanished) -> bool {
    match state.objects.get(&vanished.object) {
        Some(known) => known.uid == vanished.uid,
        None => vanished.proof == Proof::Deleted && orphans::concerns(state, &vanished.object),
    }
}

fn absent(key: &ObjectKey, object: &Object, list: &Listed) -> Event {
    Event::Vanished(Vanished {
        object: key.clone(),
        uid: object.uid.clone(),
        resource_version: list.resource_version.clone(),
        proof: Proof::AbsentFromList { generation: list.generation },
    })
}
