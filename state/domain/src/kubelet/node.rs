//! The virtual node: it appears with the offer of the provider, follows it, and is emptied before it goes.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §6.2 to §6.4.

use std::collections::BTreeMap;

use liqo_events::{
    Content, Effect, Facts, KubeletSettings, NodeFacts, ResourceOfferFacts, Seq, Slot, Status,
};
use liqo_model::{ClusterId, Kind, ObjectKey};

use crate::machine::Output;
use crate::outbox::{Wish, effect_hash};
use crate::state::{Object, State};
use crate::surroundings::COPY;

/// Keeps an offer until the node is empty and gone.
const NODE_FINALIZER: &str = "liqo.io/node";
/// The condition of a ForeignCluster that tells whether the provider's API server answers.
const API_SERVER: &str = "APIServerStatus";

/// Everything that the plan of the node needs.
struct Plan<'a> {
    state: &'a State,
    settings: &'a KubeletSettings,
    key: ObjectKey,
    node: Option<(&'a Object, &'a NodeFacts)>,
    offer: Option<(&'a ObjectKey, &'a Object, &'a ResourceOfferFacts)>,
}

/// What the virtual node needs now.
pub(super) fn plan(state: &State) -> Vec<Output> {
    let Some(settings) = state.kubelet() else { return Vec::new() };
    let key = ObjectKey::local_cluster_scoped(Kind::Node, settings.node.as_str());
    let offers = ObjectKey::local(Kind::ResourceOffer, settings.tenant.as_str(), "");
    // Before both were listed, what is missing may only be unseen.
    if state.list_for(&key).is_none() || state.list_for(&offers).is_none() {
        return Vec::new();
    }
    let node = state.objects.get(&key).and_then(|object| match &object.facts {
        Facts::Node(facts) => Some((object, facts)),
        _ => None,
    });
    let plan = Plan { state, settings, node, offer: offer(state, settings), key };
    match plan.offer {
        Some((_, object, facts)) if !object.deleting && !facts.withdrawn => plan.life(facts),
        _ => plan.end(),
    }
}

fn offer<'a>(
    state: &'a State,
    settings: &KubeletSettings,
) -> Option<(&'a ObjectKey, &'a Object, &'a ResourceOfferFacts)> {
    state.local(Kind::ResourceOffer).find_map(|(key, object)| match &object.facts {
        Facts::ResourceOffer(facts)
            if facts.replication.replicated
                && facts.cluster_id == settings.remote
                && key.namespace == settings.tenant.as_str() =>
        {
            Some((key, object, facts))
        }
        _ => None,
    })
}

impl Plan<'_> {
    /// The node as the provider offers it.
    fn life(&self, offer: &ResourceOfferFacts) -> Vec<Output> {
        let mut outputs: Vec<Output> = self.finalizer(true).into_iter().collect();
        if self.node.is_some_and(|(node, _)| node.deleting) {
            return outputs;
        }
        outputs.extend(self.put(offer, false));
        if self.node.is_some() {
            outputs.extend(self.status(offer));
        }
        outputs
    }

    /// The node takes no pods any more, loses those that it has, and goes.
    fn end(&self) -> Vec<Output> {
        let Some((node, facts)) = self.node else { return self.finalizer(false).into_iter().collect() };
        if node.deleting {
            return self.finalizer(false).into_iter().collect();
        }
        let nothing = ResourceOfferFacts::default();
        let mut outputs: Vec<Output> = Vec::new();
        if !facts.unschedulable {
            outputs.extend(self.put(&nothing, true));
        }
        outputs.extend(self.write_status(false, Some(false), &nothing));
        let pods: Vec<_> = self.pods().collect();
        outputs.extend(pods.iter().filter_map(|(key, pod)| self.delete(key, pod)));
        let pods_are_known = self.state.list_for(&ObjectKey::local(Kind::Pod, "", "")).is_some();
        if facts.unschedulable && pods.is_empty() && pods_are_known {
            outputs.extend(self.delete(&self.key, node));
        }
        outputs
    }

    /// Pods on the node.
    fn pods(&self) -> impl Iterator<Item = (&ObjectKey, &Object)> {
        self.state.local(Kind::Pod).filter(|(_, object)| match &object.facts {
            Facts::Pod(pod) => pod.node == self.settings.node,
            _ => false,
        })
    }

    fn delete(&self, key: &ObjectKey, object: &Object) -> Option<Output> {
        if object.deleting {
            return None;
        }
        let effect = Effect::Delete { uid: object.uid.clone(), grace: None, cause: self.because() };
        let slot = Slot { object: key.clone(), part: "end".to_owned() };
        self.state.request(Wish { slot, effect, because: self.because().max(object.seen) })
    }

    /// The newest of what decides on the node beside itself.
    fn because(&self) -> Seq {
        let listed = self.state.list_for(&self.key).map_or(Seq(0), |list| list.seq);
        let offer = self.offer.map_or(listed, |(_, offer, _)| offer.seen);
        offer.max(self.state.configured.as_ref().map_or(Seq(0), |configured| configured.seq))
    }

    fn finalizer(&self, present: bool) -> Option<Output> {
        let (key, object, facts) = self.offer?;
        if present && object.deleting {
            return None;
        }
        let finalizer = NODE_FINALIZER.to_owned();
        let effect = Effect::SetFinalizer { uid: object.uid.clone(), finalizer, present };
        let slot = Slot { object: key.clone(), part: "node-finalizer".to_owned() };
        let because = object.seen.max(self.node.map_or(Seq(0), |(node, _)| node.seen));
        self.state.ensure(Wish { slot, effect, because }, facts.node_finalizer == present)
    }

    fn put(&self, offer: &ResourceOfferFacts, unschedulable: bool) -> Option<Output> {
        let mut labels = self.settings.labels.clone();
        labels.extend(offer.labels.iter().map(|(key, value)| (key.clone(), value.clone())));
        let settings = fingerprint(&self.settings.annotations, &labels);
        let content = Content::VirtualNode {
            remote: self.settings.remote.clone(),
            labels: labels.clone(),
            unschedulable,
            annotations: self.settings.annotations.clone(),
            settings: settings.clone(),
        };
        let slot = Slot { object: self.key.clone(), part: "node".to_owned() };
        let because = self.because().max(self.node.map_or(Seq(0), |(node, _)| node.seen));
        let fulfilled = self.node.is_some_and(|(_, facts)| {
            facts.remote_cluster == self.settings.remote
                && facts.is_virtual
                && facts.unschedulable == unschedulable
                && facts.settings == settings
                && labels.iter().all(|(key, value)| facts.labels.get(key) == Some(value))
        });
        self.state.ensure(Wish { slot, effect: Effect::Put { content }, because }, fulfilled)
    }

    /// Ready while there is something to offer, the provider's API server answers, and pods reach each other.
    fn status(&self, offer: &ResourceOfferFacts) -> Option<Output> {
        let offered = |name: &str| offer.hard.get(name).is_some_and(|amount| *amount > 0);
        let network = self.settings.check_network.then(|| self.is_connected());
        let ready = offered("cpu") && offered("memory") && network.unwrap_or(true) && self.is_reachable();
        self.write_status(ready, network, offer)
    }

    fn write_status(&self, ready: bool, network: Option<bool>, offer: &ResourceOfferFacts) -> Option<Output> {
        let (node, facts) = self.node?;
        let status = Status::VirtualNode {
            ready,
            network,
            resources: offer.hard.clone(),
            version: self.settings.version.clone(),
            address: self.settings.address.clone(),
            port: self.settings.port,
        };
        let effect = Effect::PutStatus { uid: node.uid.clone(), status };
        let slot = Slot { object: self.key.clone(), part: COPY.to_owned() };
        let said = facts.ready == ready && facts.allocatable == offer.hard;
        if said && self.state.is_mirrored(&slot, &effect) {
            return None;
        }
        // What Kubernetes itself makes of a node whose lease ended has to be written over.
        let because = self.status_because().max(node.seen);
        self.state.request(Wish { slot, effect, because })
    }

    /// The newest of what decides on the status.
    fn status_because(&self) -> Seq {
        let peers = self.state.local(Kind::ForeignCluster).map(|(_, peer)| peer.seen);
        let tunnels = self.state.local(Kind::TunnelEndpoint).map(|(_, tunnel)| tunnel.seen);
        peers.chain(tunnels).fold(self.because(), Seq::max)
    }

    fn is_connected(&self) -> bool {
        self.state.local(Kind::TunnelEndpoint).any(|(_, object)| match &object.facts {
            Facts::TunnelEndpoint(tunnel) => {
                tunnel.spec.cluster_id == self.settings.remote && tunnel.connection == "Connected"
            }
            _ => false,
        })
    }

    /// As the controller manager has it: it asks the API server of the provider now and then.
    fn is_reachable(&self) -> bool {
        if self.settings.ignore_api_server {
            return true;
        }
        let peer = crate::watching::foreign_cluster(self.state, &self.settings.remote);
        peer.is_some_and(|peer| {
            peer.conditions
                .iter()
                .any(|condition| condition.kind == API_SERVER && condition.status == "Established")
        })
    }
}

/// Tells apart annotations, which facts do not have, and labels, of which facts do not say that one is there because of an
/// earlier offer; nothing when there are none of either.
fn fingerprint(annotations: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> String {
    if annotations.is_empty() && labels.is_empty() {
        return String::new();
    }
    let content = Content::VirtualNode {
        remote: ClusterId::default(),
        labels: labels.clone(),
        unschedulable: false,
        annotations: annotations.clone(),
        settings: String::new(),
    };
    format!("{:016x}", effect_hash(&Effect::Put { content }))
}
