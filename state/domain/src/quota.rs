//! The account of what this cluster has and of what runs in it.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §5.1. The sums are kept while events are folded in, so that a pod costs the
//! same in a cluster of ten and of ten thousand. A node counts while it is real and ready, and a pod while it is bound to a
//! node that counts and has not ended: what peers lend to this cluster is never offered on, and what runs there takes
//! nothing here. A resource that is overcommitted counts as used up, and takes no other along.

use std::collections::BTreeMap;

use liqo_events::{Facts, PodFacts};
use liqo_model::{ClusterId, ClusterRef, ObjectKey};

use crate::aggregate::Aggregate;
use crate::state::State;

/// Label with the consumer that a pod is of.
const ORIGIN: &str = "virtualkubelet.liqo.io/origin";
/// Phases of pods that take nothing any more.
const ENDED: [&str; 2] = ["Succeeded", "Failed"];

/// Amounts by resource, in thousandths of the unit.
pub(crate) type Amounts = BTreeMap<String, u64>;

/// Adds or takes away.
type How = fn(u128, u128) -> u128;

/// Sums over nodes and pods. They follow from the objects, so they are no part of what makes two states equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// What the nodes that count have, and how many of them have any: a resource that none has is not offered.
    has: BTreeMap<String, (u128, u128)>,
    /// What pods take on nodes that count.
    all: Taken,
    /// The same for the pods of each consumer.
    consumers: BTreeMap<ClusterId, Taken>,
    /// What pods take on each node, whether it counts or not: it may come to count, and cease to.
    places: BTreeMap<String, Place>,
    /// Offers that were not withdrawn.
    pub(crate) promises: usize,
}

/// What pods take together, in thousandths of the unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Taken {
    pods: u128,
    cpu: u128,
    memory: u128,
    /// Everything else, of which most pods ask nothing.
    more: BTreeMap<String, u128>,
}

/// A node, be it known or only named by pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    counts: bool,
    /// By consumer; the empty ID stands for this cluster itself.
    pods: BTreeMap<ClusterId, Taken>,
}

/// What one pod takes, and where.
#[derive(PartialEq, Eq)]
struct Load<'a> {
    node: &'a str,
    origin: &'a str,
    cpu_millis: u64,
    memory_bytes: u64,
    more: &'a Amounts,
}

impl<'a> Load<'a> {
    fn of(pod: &'a PodFacts) -> Option<Self> {
        let takes = !pod.node.is_empty() && !ENDED.contains(&pod.phase.as_str());
        takes.then(|| Self {
            node: &pod.node,
            origin: pod.labels.get(ORIGIN).unwrap_or_default(),
            cpu_millis: pod.cpu_millis,
            memory_bytes: pod.memory_bytes,
            more: &pod.requests,
        })
    }
}

impl Taken {
    fn by(load: &Load<'_>) -> Self {
        let more = load.more.iter().map(|(resource, amount)| (resource.clone(), u128::from(*amount)));
        Self {
            pods: 1_000,
            cpu: u128::from(load.cpu_millis),
            memory: u128::from(load.memory_bytes) * 1_000,
            more: more.collect(),
        }
    }

    fn change(&mut self, by: &Self, how: How) {
        self.pods = how(self.pods, by.pods);
        self.cpu = how(self.cpu, by.cpu);
        self.memory = how(self.memory, by.memory);
        for (resource, amount) in &by.more {
            let sum = self.more.entry(resource.clone()).or_default();
            *sum = how(*sum, *amount);
        }
        self.more.retain(|_, sum| *sum > 0);
    }

    fn of(&self, resource: &str) -> u128 {
        match resource {
            "pods" => self.pods,
            "cpu" => self.cpu,
            "memory" => self.memory,
            _ => self.more.get(resource).copied().unwrap_or_default(),
        }
    }
}

fn change_one(sums: &mut BTreeMap<ClusterId, Taken>, origin: &ClusterId, by: &Taken, how: How) {
    let sum = sums.entry(origin.clone()).or_default();
    sum.change(by, how);
    if sum.pods == 0 {
        sums.remove(origin);
    }
}

impl Account {
    /// What is free of each resource for a consumer: what its own pods take is its own.
    pub(crate) fn free_for(&self, consumer: &ClusterId) -> impl Iterator<Item = (&str, u128)> {
        let own = self.consumers.get(consumer);
        self.has.iter().map(move |(resource, (total, _))| {
            let own = own.map_or(0, |own| own.of(resource));
            let others = self.all.of(resource).saturating_sub(own);
            (resource.as_str(), total.saturating_sub(others))
        })
    }

    /// What the pods of a consumer take of a resource.
    pub(crate) fn taken_by(&self, consumer: &ClusterId, resource: &str) -> u128 {
        self.consumers.get(consumer).map_or(0, |own| own.of(resource))
    }

    fn equip(&mut self, allocatable: &Amounts, how: How) {
        for (resource, amount) in allocatable {
            let (sum, nodes) = self.has.entry(resource.clone()).or_default();
            *sum = how(*sum, u128::from(*amount));
            *nodes = how(*nodes, 1);
        }
        self.has.retain(|_, (_, nodes)| *nodes > 0);
    }

    /// A node comes to count, or ceases to: with what runs on it. Costs as much as consumers have pods there.
    fn stand(&mut self, node: &str, counts: bool) {
        let mut place = self.places.remove(node).unwrap_or_default();
        let how: How = if counts { u128::saturating_add } else { u128::saturating_sub };
        if place.counts != counts {
            place.pods.iter().for_each(|(origin, taken)| self.count(origin, taken, how));
        }
        place.counts = counts;
        if counts || !place.pods.is_empty() {
            self.places.insert(node.to_owned(), place);
        }
    }

    fn load(&mut self, load: &Load<'_>, how: How) {
        let (origin, taken) = (ClusterId::new(load.origin), Taken::by(load));
        let place = self.places.entry(load.node.to_owned()).or_default();
        change_one(&mut place.pods, &origin, &taken, how);
        let (counts, empty) = (place.counts, place.pods.is_empty());
        if counts {
            self.count(&origin, &taken, how);
        } else if empty {
            self.places.remove(load.node);
        }
    }

    fn count(&mut self, origin: &ClusterId, taken: &Taken, how: How) {
        self.all.change(taken, how);
        if !origin.is_empty() {
            change_one(&mut self.consumers, origin, taken, how);
        }
    }
}

/// What a node has, if it counts.
fn capacity(facts: Option<&Facts>) -> Option<&Amounts> {
    match facts {
        Some(Facts::Node(node)) if node.ready && !node.is_virtual => Some(&node.allocatable),
        _ => None,
    }
}

fn load(facts: Option<&Facts>) -> Option<Load<'_>> {
    match facts {
        Some(Facts::Pod(pod)) => Load::of(pod),
        _ => None,
    }
}

/// Whether it is an offer of this cluster that stands.
fn is_promise(facts: Option<&Facts>) -> bool {
    matches!(facts, Some(Facts::ResourceOffer(offer)) if offer.replication.origin && !offer.withdrawn)
}

impl State {
    /// Keeps the account when an object is replaced by another, or by nothing.
    pub(crate) fn account(&mut self, key: &ObjectKey, before: Option<&Facts>, after: Option<&Facts>) {
        if key.cluster != ClusterRef::Local {
            return;
        }
        let account = &mut self.derived.account;
        let (had, has) = (capacity(before), capacity(after));
        if had != has {
            had.into_iter().for_each(|had| account.equip(had, u128::saturating_sub));
            has.into_iter().for_each(|has| account.equip(has, u128::saturating_add));
            account.stand(&key.name, has.is_some());
            self.touch(Aggregate::Quota);
            return;
        }
        let (had, has) = (is_promise(before), is_promise(after));
        if had != has {
            let alone = account.promises <= 1;
            account.promises = account.promises + usize::from(has) - usize::from(had);
            // Each of them says whether it is the only one.
            if alone != (account.promises <= 1) {
                self.touch(Aggregate::Peers);
            }
            return;
        }
        let (had, has) = (load(before), load(after));
        if had != has {
            had.into_iter().for_each(|had| account.load(&had, u128::saturating_sub));
            has.into_iter().for_each(|has| account.load(&has, u128::saturating_add));
            self.touch(Aggregate::Quota);
        }
    }
}
