//! Conditions of the virtual node.

use liqo_model::crd::Quantity;
use serde_json::{Map, Value};

use super::{Network, NodeFacts};
use crate::fields;

/// Resources without which nothing can run.
const NEEDED: &[&str] = &["cpu", "memory"];

/// A condition with what it says when it is true and when it is false: reason and message.
struct Sort {
    kind: &'static str,
    when_true: (&'static str, &'static str),
    when_false: (&'static str, &'static str),
}

const SUFFICIENT: &str = "The remote cluster is advertising sufficient resources";
const INSUFFICIENT: &str = "The remote cluster is advertising no/insufficient resources";

const READY: Sort = Sort {
    kind: "Ready",
    when_true: ("KubeletReady", "The Liqo Virtual Kubelet is posting ready status"),
    when_false: ("KubeletNotReady", "The Liqo Virtual Kubelet is currently not ready"),
};
const MEMORY: Sort = Sort {
    kind: "MemoryPressure",
    when_true: ("RemoteClusterHasMemoryPressure", INSUFFICIENT),
    when_false: ("RemoteClusterHasSufficientMemory", SUFFICIENT),
};
const DISK: Sort = Sort {
    kind: "DiskPressure",
    when_true: ("RemoteClusterHasDiskPressure", INSUFFICIENT),
    when_false: ("RemoteClusterHasNoDiskPressure", SUFFICIENT),
};
const PROCESSES: Sort = Sort {
    kind: "PIDPressure",
    when_true: ("RemoteClusterHasPIDPressure", INSUFFICIENT),
    when_false: ("RemoteClusterHasNoPIDPressure", SUFFICIENT),
};
const NETWORK: Sort = Sort {
    kind: "NetworkUnavailable",
    when_true: ("LiqoNetworkingDown", "The Liqo cluster interconnection is down"),
    when_false: ("LiqoNetworkingUp", "The Liqo cluster interconnection is established"),
};

/// The conditions that are ours, in the order in which they are always written.
pub(super) fn conditions(facts: &NodeFacts<'_>, existing: Option<&Value>, now: &str) -> Vec<Value> {
    let has_resources = has_resources(facts);
    let is_connected = match facts.network {
        Network::Unknown => None,
        Network::Up | Network::Unchecked => Some(true),
        Network::Down => Some(false),
    };
    // A node that goes away has pressure only in the one respect that keeps every pod off it.
    let lacks = has_resources.map(|has| !has);
    let lacks_others = lacks.map(|lacks| lacks && !facts.is_terminating);
    let ready = match (has_resources, is_connected) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let network = is_connected.map(|connected| !connected);
    let all = [
        (READY, ready),
        (MEMORY, lacks),
        (DISK, lacks_others),
        (PROCESSES, lacks_others),
        (NETWORK, network),
    ];
    // When nobody looks at the network there is no such condition, but one of before must not keep pods away for
    // ever.
    let is_wanted = |sort: &Sort| {
        facts.network != Network::Unchecked || sort.kind != NETWORK.kind || known(sort, existing).is_some()
    };
    let wanted = all.into_iter().filter(|(sort, _)| is_wanted(sort));
    wanted.map(|(sort, holds)| condition(&sort, holds, existing, now)).collect()
}

/// Whether the offer has what every pod needs; nothing when there is none yet.
fn has_resources(facts: &NodeFacts<'_>) -> Option<bool> {
    if facts.is_terminating {
        return Some(false);
    }
    let hard = &facts.offer?.resource_quota.hard;
    let is_there = |key: &str| hard.get(key).and_then(Quantity::billionths).is_some_and(|amount| amount > 0);
    Some(NEEDED.iter().all(|key| is_there(key)))
}

/// The condition as it is.
fn known<'a>(sort: &Sort, existing: Option<&'a Value>) -> Option<&'a Value> {
    let mut known = existing.into_iter().flat_map(|node| fields::items(node, "/status/conditions"));
    known.find(|condition| fields::text(condition, "/type") == sort.kind)
}

/// A condition that is not known stays what it was.
fn condition(sort: &Sort, holds: Option<bool>, existing: Option<&Value>, now: &str) -> Value {
    let known = known(sort, existing);
    let (status, (reason, message)) = match (holds, known) {
        (None, Some(known)) => return known.clone(),
        (None, None) => ("Unknown", ("", "")),
        (Some(true), _) => ("True", sort.when_true),
        (Some(false), _) => ("False", sort.when_false),
    };
    let since = known.filter(|known| fields::text(known, "/status") == status);
    let since =
        since.map(|known| fields::text(known, "/lastTransitionTime")).filter(|since| !since.is_empty());
    let mut condition = Map::new();
    let texts = [
        ("type", sort.kind),
        ("status", status),
        ("reason", reason),
        ("message", message),
        ("lastHeartbeatTime", now),
        ("lastTransitionTime", since.unwrap_or(now)),
    ];
    let filled = texts.into_iter().filter(|(_, text)| !text.is_empty());
    condition.extend(filled.map(|(key, text)| (key.to_owned(), text.into())));
    condition.into()
}
