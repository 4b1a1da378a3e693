//! What may be lost in a peer, and who may write.

use liqo_events::{Effect, Facts, OrphanReleased};

use super::{Checked, ensure};
use crate::api::Stored;
use crate::process::{Actor, Flight, remote_of};
use crate::user::peer_of_map;
use crate::world::{NAMES, World};

/// After a store was taken back, the lease may be that of an earlier holder, who sees it and believes it. Two of them
/// end after this: neither writes longer than its patience without renewing.
const TWO_HOLDERS: u64 = 20_000;

/// A place in words: the namespace of a consumer in a provider.
fn say(place: &(usize, liqo_model::NamespaceName, usize)) -> String {
    format!("namespace {} of {} in {}", place.1, NAMES[place.0], NAMES[place.2])
}

impl World {
    /// Only the holder of the lease writes. What left while it was held may still be under way when another takes it: it
    /// counts only for the version that it was made for.
    pub(crate) fn check_holder(&mut self, flight: &Flight) -> Checked {
        let (now, id) = (self.now, flight.actor.process);
        let pod = self.process(id).pod.clone();
        let api = &self.clusters[id.cluster].api;
        let restored = api.restored_at.is_some_and(|at| now < at + TWO_HOLDERS);
        let holder =
            api.lease.as_ref().is_some_and(|lease| lease.holder == pod || lease.epoch == flight.epoch);
        ensure(holder || restored || flight.held, "only_the_live_holder_of_the_lease_writes", || {
            format!("{id} writes in epoch {}, and the lease is {:?}", flight.epoch, api.lease)
        })
    }

    /// Who goes on without looking at everything anew must have seen everything that was done: nobody else wrote, and its
    /// own writes are in the log that it began with; or it has listed since.
    pub(crate) fn check_continued(&mut self, actor: Actor, continued: bool) -> Checked {
        let left = self.clusters[actor.process.cluster].left.filter(|_| continued);
        let Some(left) = left else { return Ok(()) };
        let Some(running) = self.running(actor) else { return Ok(()) };
        let opened_at = running.opened_at;
        let own =
            left.actor.process == actor.process && (left.actor.run == actor.run || left.issued <= opened_at);
        let list = running.writer.state().local_list(left.kind);
        let listed = list.and_then(|list| list.body.resource_version.as_str().parse().ok());
        let known = own || listed.is_some_and(|listed: u64| listed >= left.version);
        ensure(known, "who_continues_has_seen_everything_that_was_done", || {
            format!("{} continues with a log up to {opened_at} after {left:?}", actor.process)
        })
    }

    /// A write to a map was carried out: what it took away must have been given up by a user.
    pub(crate) fn mapped(&mut self, flight: &Flight, before: Option<&Stored>) -> Checked {
        let Some(before) = before else { return Ok(()) };
        let Some(peer) = peer_of_map(&before.key) else { return Ok(()) };
        let cluster = flight.actor.process.cluster;
        let (namespace, remote) = match &flight.dispatch.command.effect {
            Effect::MapNamespace { namespace, remote, .. } => (namespace, remote),
            Effect::Delete { .. } => return self.map_ended((cluster, peer), &before.facts),
            _ => return Ok(()),
        };
        let place = (cluster, namespace.clone(), peer);
        if remote.is_some() {
            self.truth.taken.remove(&place);
            if remote_of(before, namespace) != remote.as_ref() {
                self.truth.mapped_at.insert(place, self.now);
            }
            return Ok(());
        }
        if remote_of(before, namespace).is_some() {
            self.check_taken(&place)?;
            self.truth.taken.insert(place);
        }
        Ok(())
    }

    /// A mapping is taken away, which a user must have caused.
    fn check_taken(&mut self, place: &(usize, liqo_model::NamespaceName, usize)) -> Checked {
        let since = self.truth.mapped_at.get(place).copied().unwrap_or(0);
        ensure(
            self.truth.justifies(place, since),
            "a_mapping_is_taken_away_only_for_a_recorded_cause",
            || format!("{} was mapped at {since} ms, and no user gave it up", say(place)),
        )?;
        // What the peer loses because of it was given up with it, also when it was made anew in between.
        self.truth.allow(place.clone(), self.now);
        Ok(())
    }

    /// A map was deleted, and with it every mapping.
    fn map_ended(&mut self, (cluster, peer): (usize, usize), facts: &Facts) -> Checked {
        let Facts::NamespaceMap(map) = facts else { return Ok(()) };
        for namespace in map.desired.keys() {
            self.check_taken(&(cluster, namespace.clone(), peer))?;
        }
        self.truth.unpeered.insert((cluster, peer));
        Ok(())
    }

    /// An administrator lets go of an orphan, which is a decision.
    pub(crate) fn released(&mut self, cluster: usize, orphan: &OrphanReleased) {
        if let Some(peer) = peer_of_map(&orphan.map) {
            self.truth.allow((cluster, orphan.namespace.clone(), peer), self.now);
        }
    }

    /// A remote namespace with its content is about to be deleted.
    pub(crate) fn check_loss(&mut self, place: &(usize, liqo_model::NamespaceName, usize)) -> Checked {
        let since = self.truth.made_at.get(place).copied().unwrap_or(0);
        ensure(self.truth.justifies(place, since), "nothing_in_a_peer_is_lost_that_no_user_gave_up", || {
            format!("{} was made at {since} ms, and no user gave it up", say(place))
        })
    }
}
