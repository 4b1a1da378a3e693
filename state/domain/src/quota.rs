//! What this cluster can offer: what its nodes have, less what runs on them.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §5.1 and §5.2. The account is kept while events are folded in, so that a
//! pod costs the same in a cluster of ten and of ten thousand; a resource that is overcommitted counts as used up, and
//! takes no other along.

use std::collections::BTreeMap;

use liqo_events::Facts;
use liqo_model::{ClusterId, ClusterRef, ObjectKey};

use crate::aggregate::Aggregate;
use crate::state::State;

/// Label of a pod that runs in a peer, and its value.
const SHADOW_POD: (&str, &str) = ("liqo.io/shadowPod", "true");
/// Label with the consumer that a pod is of.
const ORIGIN: &str = "virtualkubelet.liqo.io/origin";
/// Change, in percent, below which an offer stays as it is: otherwise every pod would be told to every peer.
const THRESHOLD_PERCENT: u128 = 5;
const CPU: &str = "cpu";
const MEMORY: &str = "memory";

/// Amounts by resource, in thousandths of the unit.
pub(crate) type Amounts = BTreeMap<String, u64>;

/// Sums over nodes and pods. They follow from the objects, so they are no part of what makes two states equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// What the ready nodes have, and how many of them have any: a resource that none has is not offered.
    nodes: BTreeMap<String, (u128, u128)>,
    /// What running pods ask for.
    all: Requests,
    /// The same for the pods of each consumer.
    consumers: BTreeMap<ClusterId, Requests>,
}

/// What pods ask for, in thousandths of the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Requests {
    cpu: u128,
    memory: u128,
}

/// What one object has or takes.
#[derive(PartialEq, Eq)]
enum Share<'a> {
    Node(&'a Amounts),
    Pod { origin: &'a str, requests: Requests },
}

impl<'a> Share<'a> {
    fn of(facts: &'a Facts) -> Option<Self> {
        match facts {
            Facts::Node(node) if node.ready && !node.is_virtual => Some(Self::Node(&node.allocatable)),
            Facts::Pod(pod) if pod.phase == "Running" => {
                let label = |key: &str| pod.labels.get(key).unwrap_or_default();
                if label(SHADOW_POD.0) == SHADOW_POD.1 {
                    return None;
                }
                let memory = u128::from(pod.memory_bytes) * 1000;
                let requests = Requests { cpu: u128::from(pod.cpu_millis), memory };
                Some(Self::Pod { origin: label(ORIGIN), requests })
            }
            _ => None,
        }
    }
}

impl Requests {
    fn change(&mut self, by: Self, how: fn(u128, u128) -> u128) {
        self.cpu = how(self.cpu, by.cpu);
        self.memory = how(self.memory, by.memory);
    }
}

impl Account {
    fn change(&mut self, share: &Share<'_>, how: fn(u128, u128) -> u128) {
        match share {
            Share::Node(allocatable) => {
                for (resource, amount) in *allocatable {
                    let (sum, nodes) = self.nodes.entry(resource.clone()).or_default();
                    *sum = how(*sum, u128::from(*amount));
                    *nodes = how(*nodes, 1);
                }
                self.nodes.retain(|_, (_, nodes)| *nodes > 0);
            }
            Share::Pod { origin, requests } => {
                self.all.change(*requests, how);
                if !origin.is_empty() {
                    let sum = self.consumers.entry(ClusterId::new(*origin)).or_default();
                    sum.change(*requests, how);
                }
            }
        }
    }
}

impl State {
    /// Keeps the account when an object is replaced by another, or by nothing.
    pub(crate) fn account(&mut self, key: &ObjectKey, before: Option<&Facts>, after: Option<&Facts>) {
        if key.cluster != ClusterRef::Local {
            return;
        }
        let (had, has) = (before.and_then(Share::of), after.and_then(Share::of));
        if had == has {
            return;
        }
        if let Some(share) = &had {
            self.derived.account.change(share, u128::saturating_sub);
        }
        if let Some(share) = &has {
            self.derived.account.change(share, u128::saturating_add);
        }
        self.touch(Aggregate::Quota);
    }
}

/// What a consumer is offered: a share of what nobody else uses.
pub(crate) fn offered(state: &State, consumer: &ClusterId, percentage: u8) -> Amounts {
    let account = &state.derived.account;
    let own = account.consumers.get(consumer).copied().unwrap_or_default();
    let share = |(resource, (total, _)): (&String, &(u128, u128))| {
        let (taken, precision) = match resource.as_str() {
            CPU => (account.all.cpu.saturating_sub(own.cpu), 1),
            MEMORY => (account.all.memory.saturating_sub(own.memory), 1_000_000_000),
            _ => (0, 1_000),
        };
        let free = total.saturating_sub(taken);
        let amount = free * u128::from(percentage) / 100 / precision * precision;
        (resource.clone(), u64::try_from(amount).unwrap_or(u64::MAX))
    };
    account.nodes.iter().map(share).collect()
}

/// Whether two offers differ by so little that the consumer need not know.
pub(crate) fn is_close(old: &Amounts, new: &Amounts) -> bool {
    let near = |(resource, new): (&String, &u64)| {
        old.get(resource)
            .is_some_and(|old| u128::from(old.abs_diff(*new)) * 100 <= u128::from(*old) * THRESHOLD_PERCENT)
    };
    old.len() == new.len() && new.iter().all(near)
}
