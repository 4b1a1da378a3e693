//! Folds in what is not an object: settings, the networks of peers, tunnels, answers of API servers; and keeps account of
//! the copies that were made.

use liqo_events::{BodyDigest, CommandSucceeded, Effect, Event, Facts, Labels, Seq, Slot, UnixMillis};
use liqo_model::ObjectKey;

use crate::state::{Fact, Mirrored, Object, State};

/// Parts of slots whose writes are remembered for good.
pub(crate) const COPY: &str = "copy";

impl State {
    pub(crate) fn evolve_surroundings(&mut self, seq: Seq, at: UnixMillis, event: &Event) {
        match event {
            Event::Configured(body) => {
                self.configured = Some(Fact { seq, at, body: body.clone() });
                self.map_anew();
            }
            Event::TunnelReported(body) => {
                self.tunnels.insert(body.peer.clone(), Fact { seq, at, body: body.clone() });
            }
            Event::ServerProbed(body) => {
                self.probes.insert(body.cluster.clone(), Fact { seq, at, body: body.clone() });
            }
            Event::SharingConfigured(body) => self.evolve_rules(seq, at, body),
            Event::ShareReported(body) => self.evolve_share(seq, at, body),
            Event::SubnetsChosen(body) => {
                self.subnets.insert(body.peer.clone(), Fact { seq, at, body: body.clone() });
            }
            Event::SubnetsReleased(body) => {
                self.subnets.remove(&body.peer);
            }
            Event::ExternalCidrChosen(body) => {
                self.external_cidr = Some(Fact { seq, at, body: body.clone() });
            }
            _ => {}
        }
        self.touch_surroundings(event);
    }

    /// Remembers a copy. Its command says what it is a copy of.
    pub(crate) fn mirror(&mut self, seq: Seq, at: UnixMillis, done: &CommandSucceeded) {
        if done.slot.part == COPY {
            let mirrored = Mirrored { id: done.id, effect: done.effect, seq, at };
            self.mirrored.insert(done.slot.clone(), mirrored);
        }
    }

    /// Whether the copy that the effect asks for was made and nobody changed it since.
    pub(crate) fn is_mirrored(&self, slot: &Slot, effect: &Effect) -> bool {
        self.mirrored.get(slot).is_some_and(|known| known.effect == crate::outbox::effect_hash(effect))
    }

    /// A copy that somebody else has changed is none any more.
    pub(crate) fn forget_overwritten(&mut self, key: &ObjectKey, seen: &Object) {
        // As in each cluster that no peer uses, and so on the way of each of its pods.
        if self.mirrored.is_empty() {
            return;
        }
        let slot = Slot { object: key.clone(), part: COPY.to_owned() };
        if !self.mirrored.contains_key(&slot) {
            return;
        }
        let at_home = self.kubelet().is_some();
        let another = self.objects.get(key).is_some_and(|known| {
            known.uid != seen.uid || copied(&known.facts, at_home) != copied(&seen.facts, at_home)
        });
        let ours = self.written.get(&slot).is_some_and(|written| {
            written.resource_version.compare(&seen.resource_version) == Some(std::cmp::Ordering::Equal)
        });
        // The first look at an object after a start of the log shows what was written before it.
        if another && !ours {
            self.mirrored.remove(&slot);
        }
    }

    pub(crate) fn forget_mirrors_of(&mut self, key: &ObjectKey) {
        self.mirrored.remove(&Slot { object: key.clone(), part: COPY.to_owned() });
    }
}

/// The part of an object that tells whether a copy is still as it was made.
#[derive(PartialEq, Eq)]
enum Copied<'a> {
    Digest(BodyDigest),
    Labels(&'a Labels),
}

/// Of a pod at home that is the status. Of one in the provider it is the labels: a scheduler and a kubelet add to the rest,
/// and each addition would be taken for a change that has to be undone. Of everything else it is the content.
fn copied(facts: &Facts, at_home: bool) -> Option<Copied<'_>> {
    match facts {
        Facts::Pod(pod) if at_home => Some(Copied::Digest(pod.status)),
        Facts::Pod(pod) => Some(Copied::Labels(&pod.labels)),
        Facts::Service(service) => Some(Copied::Digest(service.reflection.content)),
        Facts::ShadowPod(shadow) => Some(Copied::Digest(shadow.reflection.content)),
        Facts::Reflected(reflection) => Some(Copied::Digest(reflection.content)),
        _ => None,
    }
}
