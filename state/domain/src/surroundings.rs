//! Folds in what is not an object: settings, the networks of peers, tunnels, answers of API servers; and keeps account of
//! the copies that were made.

use liqo_events::{BodyDigest, CommandSucceeded, Effect, Event, Facts, Labels, Seq, Slot, UnixMillis};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use crate::aggregate::Aggregate;
use crate::state::{Fact, Mirrored, Object, State};

/// Parts of slots whose writes are remembered for good.
pub(crate) const COPY: &str = "copy";

impl State {
    pub(crate) fn evolve_surroundings(&mut self, seq: Seq, at: UnixMillis, event: &Event) {
        match event {
            Event::Configured(body) => {
                self.configured = Some(Fact { seq, at, body: body.clone() });
            }
            Event::TunnelReported(body) => {
                self.tunnels.insert(body.peer.clone(), Fact { seq, at, body: body.clone() });
            }
            Event::ServerProbed(body) => {
                self.probes.insert(body.cluster.clone(), Fact { seq, at, body: body.clone() });
            }
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
        for aggregate in [Aggregate::Peers, Aggregate::Network, Aggregate::Node] {
            self.touch(aggregate);
        }
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

    /// Marks what depends on an object, in whatever cluster it is.
    pub(crate) fn touch_peerings(&mut self, key: &ObjectKey) {
        match key.kind {
            Kind::Secret => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Replication);
            }
            Kind::Deployment | Kind::ServiceAccount | Kind::ClusterRoleBinding => {
                self.touch(Aggregate::Peers);
            }
            Kind::RoleBinding => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Namespaces);
            }
            Kind::ForeignCluster => {
                self.touch(Aggregate::Signing);
                self.touch(Aggregate::Replication);
                self.touch(Aggregate::Network);
                self.touch(Aggregate::Node);
            }
            Kind::ResourceRequest | Kind::ResourceOffer => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Replication);
                self.touch(Aggregate::Node);
            }
            Kind::NetworkConfig | Kind::TunnelEndpoint | Kind::IpamStorage | Kind::NatMapping => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Network);
                self.touch(Aggregate::Replication);
                self.touch(Aggregate::Node);
            }
            Kind::NamespaceMap => {
                self.touch(Aggregate::Replication);
                self.touch(Aggregate::Namespaces);
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Copies);
            }
            Kind::Node => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Network);
                self.touch(Aggregate::Node);
            }
            Kind::Namespace => self.touch(Aggregate::Namespaces),
            Kind::CertificateSigningRequest => self.touch(Aggregate::Signing),
            Kind::Service if key.cluster == ClusterRef::Local => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Network);
            }
            // The gateway among them.
            Kind::Pod if self.is_of_liqo(key) => self.touch(Aggregate::Network),
            // Those of virtual kubelets, which the Deployment of this name makes.
            Kind::Pod if key.name.starts_with("virtual-kubelet-") => self.touch(Aggregate::Peers),
            _ => {}
        }
        if COPIED.contains(&key.kind) {
            self.touch(Aggregate::Copy(key.clone()));
        }
    }

    /// Whether a pod is one of our own: the gateway is among them.
    fn is_of_liqo(&self, key: &ObjectKey) -> bool {
        let namespace = self.started.as_ref().map(|started| started.body.namespace.as_str());
        key.cluster == ClusterRef::Local && namespace == Some(key.namespace.as_str())
    }

    /// Marks the shadows in a namespace that came or goes: nothing can be made in one that is being deleted.
    pub(crate) fn touch_shadows_in(&mut self, namespace: &str) {
        for kind in [Kind::ShadowPod, Kind::ShadowEndpointSlice] {
            let first = ObjectKey::local(kind, namespace, "");
            let within = |key: &ObjectKey| {
                key.cluster == ClusterRef::Local && key.kind == kind && key.namespace == namespace
            };
            let keys = self.objects.range(first..).map(|(key, _)| key).take_while(|key| within(key));
            let keys: Vec<ObjectKey> = keys.cloned().collect();
            keys.into_iter().for_each(|key| self.touch(Aggregate::Copy(key)));
        }
    }

    /// Marks what waits for complete lists.
    pub(crate) fn touch_listed(&mut self, kind: Kind) {
        match kind {
            Kind::Pod => {
                self.touch(Aggregate::Peers);
                self.touch(Aggregate::Network);
                self.touch(Aggregate::Copies);
            }
            kind => {
                self.touch_peerings(&ObjectKey::local(kind, "", ""));
                if COPIED.contains(&kind) {
                    self.touch(Aggregate::Copies);
                }
            }
        }
    }
}

/// Kinds of which there are copies in other clusters, or that are made after such.
pub(crate) const COPIED: [Kind; 9] = [
    Kind::Pod,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Ingress,
    Kind::ServiceAccount,
    Kind::ShadowPod,
    Kind::ShadowEndpointSlice,
];

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
