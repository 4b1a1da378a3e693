//! What a peering is made of, in the order in which it comes to be, and how far it has come.

use k8s_openapi::api::core::v1::Node;
use liqo_api::ForeignCluster;
use liqo_api::labels::REMOTE_CLUSTER_ID;
use liqo_model::crd::{PeeringCondition, PeeringConditionStatus as Status, PeeringConditionType as Part};

use crate::CtlError;
use crate::debug::plain;
use crate::wait::{Awaited, Seen};

/// A part of a peering that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Authentication,
    Outgoing,
    Network,
    Node,
}

impl Step {
    /// In their order.
    pub(crate) const ALL: [Self; 4] = [Self::Authentication, Self::Outgoing, Self::Network, Self::Node];

    /// The step in words.
    pub(crate) fn awaited(self, peer: &str) -> Awaited {
        let peer = plain(peer);
        let (what, done, remedy) = match self {
            Self::Authentication => (
                format!("cluster {peer} to accept the identity of this one"),
                format!("Authenticated to cluster {peer}"),
                "check --auth-url, that it is reached from here, and that --auth-token is what `liqoctl generate \
                 peer-command` prints there",
            ),
            Self::Outgoing => (
                format!("resources of cluster {peer}"),
                format!("Resources of cluster {peer} offered and accepted"),
                "check in the other cluster that it allows incoming peerings, and that it reaches this one: \
                 `liqoctl status peer`",
            ),
            Self::Network => (
                format!("the network to cluster {peer}"),
                format!("Network to cluster {peer} established"),
                "check that the gateways reach each other by UDP: `liqoctl status peer --verbose` shows their addresses",
            ),
            Self::Node => (
                format!("the virtual node of cluster {peer}"),
                format!("Virtual node of cluster {peer} ready"),
                "look at the pod of the virtual kubelet in the tenant namespace",
            ),
        };
        Awaited { what, done, remedy: remedy.to_owned() }
    }

    fn part(self) -> Part {
        match self {
            Self::Authentication | Self::Node => Part::AuthenticationStatus,
            Self::Outgoing => Part::OutgoingPeering,
            Self::Network => Part::NetworkStatus,
        }
    }
}

/// How far a part of the peering has come that the `ForeignCluster` tells.
pub(crate) fn peering_seen(step: Step, peer: &ForeignCluster) -> Seen {
    let status = peer.status.as_ref().map(|status| status.condition_status(step.part())).unwrap_or_default();
    let wanted: &[Status] = match step {
        Step::Network => &[Status::Established, Status::External],
        Step::Authentication | Step::Outgoing => &[Status::Established],
        Step::Node => &[],
    };
    if wanted.contains(&status) { Seen::Done } else { Seen::NotYet(said_of(peer, step.part())) }
}

/// How far the virtual node has come.
pub(crate) fn node_seen(nodes: &[Node], peer: &ForeignCluster) -> Seen {
    let Some(node) = nodes.first() else {
        let id = plain(&peer.spec.cluster_identity.cluster_id);
        return Seen::NotYet(format!("there is no node with label {REMOTE_CLUSTER_ID}={id}"));
    };
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let name = plain(node.metadata.name.as_deref().unwrap_or_default());
    match conditions.iter().find(|condition| condition.type_ == "Ready") {
        Some(ready) if ready.status == "True" => Seen::Done,
        Some(ready) => {
            let because = because(
                ready.reason.as_deref().unwrap_or_default(),
                ready.message.as_deref().unwrap_or_default(),
            );
            Seen::NotYet(format!("node {name} has Ready {}{because}", plain(&ready.status)))
        }
        None => Seen::NotYet(format!("node {name} does not say whether it is Ready")),
    }
}

/// A condition of a peer in words. When the control plane does not handle the object at all, that is said instead.
pub(crate) fn said_of(peer: &ForeignCluster, part: Part) -> String {
    let conditions =
        peer.status.as_ref().map(|status| status.peering_conditions.as_slice()).unwrap_or_default();
    let find = |part| conditions.iter().find(|condition| condition.condition_type == part);
    let refused =
        find(Part::ProcessForeignClusterStatus).filter(|condition| condition.status == Status::Error);
    match refused.or_else(|| find(part)) {
        Some(condition) => in_words(condition),
        None => "the control plane has not said anything about it yet".to_owned(),
    }
}

fn in_words(condition: &PeeringCondition) -> String {
    let because = because(&condition.reason, &condition.message);
    format!("{:?} is {:?}{because}", condition.condition_type, condition.status)
}

/// Reason and message, of which either may be missing.
fn because(reason: &str, message: &str) -> String {
    let (reason, message) = (plain(reason), plain(message));
    match (reason.as_str(), message.as_str()) {
        ("", "") => String::new(),
        (reason, "") => format!(" ({reason})"),
        ("", message) => format!(": {message}"),
        (reason, message) => format!(" ({reason}): {message}"),
    }
}

/// No `ForeignCluster` of that name.
pub(crate) fn vanished(name: &str) -> CtlError {
    CtlError::Object {
        object: format!("ForeignCluster {}", plain(name)),
        fault: "does not exist".to_owned(),
        remedy: "`kubectl get foreignclusters` shows those that do; `liqoctl peer out-of-band` makes one"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn peer(conditions: Value) -> ForeignCluster {
        let spec = json!({"clusterIdentity": {"clusterID": "1", "clusterName": "milan"}, "foreignAuthUrl": "https://a.b"});
        serde_json::from_value(json!({
            "metadata": {"name": "milan"}, "spec": spec, "status": {"peeringConditions": conditions},
        }))
        .unwrap()
    }

    fn condition(part: &str, status: &str) -> Value {
        json!({"type": part, "status": status, "reason": "Why", "message": "because"})
    }

    #[test]
    fn a_part_is_done_in_these_states_alone() {
        let table = [
            (Step::Authentication, "AuthenticationStatus", "Established", true),
            (Step::Authentication, "AuthenticationStatus", "Error", false),
            (Step::Outgoing, "OutgoingPeering", "Established", true),
            (Step::Outgoing, "OutgoingPeering", "Pending", false),
            (Step::Network, "NetworkStatus", "Established", true),
            (Step::Network, "NetworkStatus", "External", true),
            (Step::Network, "NetworkStatus", "Pending", false),
        ];
        for (step, part, status, done) in table {
            let seen = peering_seen(step, &peer(json!([condition(part, status)])));
            let expected =
                if done { Seen::Done } else { Seen::NotYet(format!("{part} is {status} (Why): because")) };
            assert_eq!(seen, expected, "{part} {status}");
        }
    }

    #[test]
    fn what_keeps_the_control_plane_from_acting_is_said_first() {
        let refused = condition("ProcessForeignClusterStatus", "Error");
        let seen =
            peering_seen(Step::Outgoing, &peer(json!([condition("OutgoingPeering", "None"), refused])));
        assert_eq!(seen, Seen::NotYet("ProcessForeignClusterStatus is Error (Why): because".into()));
        let silent = peering_seen(Step::Outgoing, &peer(json!([])));
        assert_eq!(silent, Seen::NotYet("the control plane has not said anything about it yet".into()));
    }

    #[test]
    fn a_node_is_there_when_it_is_ready() {
        let node = |conditions: Value| -> Node {
            serde_json::from_value(
                json!({"metadata": {"name": "liqo-milan"}, "status": {"conditions": conditions}}),
            )
            .unwrap()
        };
        let seen = |nodes: &[Node]| node_seen(nodes, &peer(json!([])));
        assert_eq!(seen(&[node(json!([{"type": "Ready", "status": "True"}]))]), Seen::Done);
        let unready = node(json!([{"type": "Ready", "status": "False", "reason": "NoNetwork"}]));
        assert_eq!(seen(&[unready]), Seen::NotYet("node liqo-milan has Ready False (NoNetwork)".into()));
        assert_eq!(seen(&[]), Seen::NotYet("there is no node with label liqo.io/remote-cluster-id=1".into()));
        assert!(matches!(seen(&[node(json!([]))]), Seen::NotYet(_)));
    }

    #[test]
    fn reason_and_message_may_be_missing() {
        assert_eq!(
            [because("", ""), because("A", ""), because("", "b"), because("A", "b")],
            ["", " (A)", ": b", " (A): b"]
        );
    }
}
