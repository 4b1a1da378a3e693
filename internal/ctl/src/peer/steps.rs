//! What a peering is made of, in the order in which it comes to be, and how far it has come.

use k8s_openapi::api::core::v1::Node;
use liqo_api::ForeignCluster;
use liqo_api::labels::REMOTE_CLUSTER_ID;
use liqo_model::crd::{PeeringCondition, PeeringConditionStatus as Status, PeeringConditionType as Part};

use crate::CtlError;
use crate::debug::plain;
use crate::wait::{Awaited, Seen};

/// A step of a peering that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Authentication,
    TenantNamespace,
    Request,
    Offer,
    Network,
    Node,
    ApiServer,
}

impl Step {
    /// In their order.
    pub(crate) const ALL: [Self; 7] = [
        Self::Authentication,
        Self::TenantNamespace,
        Self::Request,
        Self::Offer,
        Self::Network,
        Self::Node,
        Self::ApiServer,
    ];

    /// What the step is called.
    fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::TenantNamespace => "tenant namespace",
            Self::Request => "request",
            Self::Offer => "offer",
            Self::Network => "network",
            Self::Node => "node",
            Self::ApiServer => "API server",
        }
    }

    /// The step in words.
    pub(crate) fn awaited(self, peer: &str) -> Awaited {
        let peer = plain(peer);
        let what = match self {
            Self::Authentication => format!("cluster {peer} to accept the identity of this one"),
            Self::TenantNamespace => format!("the namespaces that are shared with cluster {peer}"),
            Self::Request => format!("cluster {peer} to be asked for resources"),
            Self::Offer => format!("resources of cluster {peer}"),
            Self::Network => format!("the network to cluster {peer}"),
            Self::Node => format!("the virtual node of cluster {peer}"),
            Self::ApiServer => format!("the API server of cluster {peer} to answer"),
        };
        let done = match self {
            Self::Authentication => format!("Authenticated to cluster {peer}"),
            Self::TenantNamespace => format!("Namespaces shared with cluster {peer} made"),
            Self::Request => format!("Cluster {peer} asked for resources"),
            Self::Offer => format!("Resources of cluster {peer} offered and accepted"),
            Self::Network => format!("Network to cluster {peer} established"),
            Self::Node => format!("Virtual node of cluster {peer} ready"),
            Self::ApiServer => format!("API server of cluster {peer} reached"),
        };
        let at = Self::ALL.iter().position(|step| *step == self).unwrap_or_default() + 1;
        let what = format!("{what} (step {at} of {}, {})", Self::ALL.len(), self.name());
        Awaited { what, done, remedy: self.remedy().to_owned() }
    }

    /// What to do when it does not come.
    fn remedy(self) -> &'static str {
        match self {
            Self::Authentication => {
                "check --auth-url, that it is reached from here, and that --auth-token is what `liqoctl generate \
                 peer-command` prints there"
            }
            Self::TenantNamespace => "see with `liqoctl status` whether the controller manager runs here",
            Self::Request => {
                "check with `liqoctl status` in this cluster that its authentication service has an address for peers"
            }
            Self::Offer => {
                "check in the other cluster that it allows incoming peerings, and that it reaches this one: `liqoctl \
                 status peer`"
            }
            Self::Network => {
                "check that the gateways reach each other by UDP: `liqoctl status peer --verbose` shows their addresses"
            }
            Self::Node => "look at the pod of the virtual kubelet in the tenant namespace",
            Self::ApiServer => {
                "check that it is reached from the nodes of this cluster; the other cluster tells its address, which \
                 `liqoctl status` shows there"
            }
        }
    }

    fn part(self) -> Part {
        match self {
            Self::Authentication | Self::TenantNamespace | Self::Node => Part::AuthenticationStatus,
            Self::Request | Self::Offer => Part::OutgoingPeering,
            Self::Network => Part::NetworkStatus,
            Self::ApiServer => Part::ApiServerStatus,
        }
    }
}

/// How far a step has come that the `ForeignCluster` tells.
pub(crate) fn peering_seen(step: Step, peer: &ForeignCluster) -> Seen {
    let status = status_of(peer, step.part());
    // What comes later tells that what comes before it is there.
    let asked = [Status::Pending, Status::Established].contains(&status_of(peer, Part::OutgoingPeering));
    let done = match step {
        Step::Authentication | Step::Offer => status == Status::Established,
        Step::TenantNamespace => asked || has_namespaces(peer),
        Step::Request => asked,
        Step::Network => matches!(status, Status::Established | Status::External),
        // A control plane that never says anything about it does not look.
        Step::ApiServer => matches!(status, Status::Established | Status::None),
        Step::Node => false,
    };
    match (done, step) {
        (true, _) => Seen::Done,
        (false, Step::TenantNamespace) => Seen::NotYet(namespaces(peer)),
        (false, _) => Seen::NotYet(said_of(peer, step.part())),
    }
}

fn status_of(peer: &ForeignCluster, part: Part) -> Status {
    peer.status.as_ref().map(|status| status.condition_status(part)).unwrap_or_default()
}

fn has_namespaces(peer: &ForeignCluster) -> bool {
    let names = peer.status.as_ref().map(|status| &status.tenant_namespace);
    names.is_some_and(|names| !names.local.is_empty() && !names.remote.is_empty())
}

/// Which of the two namespaces is there.
fn namespaces(peer: &ForeignCluster) -> String {
    if let Some(refused) = refused(peer) {
        return in_words(refused);
    }
    let names = peer.status.as_ref().map(|status| status.tenant_namespace.clone()).unwrap_or_default();
    let known = |name: &str| if name.is_empty() { "not known yet".to_owned() } else { plain(name) };
    format!("the namespace here is {}, and there {}", known(&names.local), known(&names.remote))
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
    match refused(peer).or_else(|| condition_of(peer, part)) {
        Some(condition) => in_words(condition),
        None => "the control plane has not said anything about it yet".to_owned(),
    }
}

fn condition_of(peer: &ForeignCluster, part: Part) -> Option<&PeeringCondition> {
    let conditions =
        peer.status.as_ref().map(|status| status.peering_conditions.as_slice()).unwrap_or_default();
    conditions.iter().find(|condition| condition.condition_type == part)
}

/// The condition that says that the control plane does not handle the object.
fn refused(peer: &ForeignCluster) -> Option<&PeeringCondition> {
    condition_of(peer, Part::ProcessForeignClusterStatus)
        .filter(|condition| condition.status == Status::Error)
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

/// The `ForeignCluster` is gone while something of it was waited for.
pub(crate) fn vanished(name: &str) -> CtlError {
    CtlError::Object {
        object: format!("ForeignCluster {}", plain(name)),
        fault: "was deleted by somebody else".to_owned(),
        remedy: "run the command again, and see who deleted it".to_owned(),
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
            (Step::Request, "OutgoingPeering", "Pending", true),
            (Step::Request, "OutgoingPeering", "None", false),
            (Step::Request, "OutgoingPeering", "Disconnecting", false),
            (Step::Offer, "OutgoingPeering", "Established", true),
            (Step::Offer, "OutgoingPeering", "Pending", false),
            (Step::Network, "NetworkStatus", "Established", true),
            (Step::Network, "NetworkStatus", "External", true),
            (Step::Network, "NetworkStatus", "Pending", false),
            (Step::ApiServer, "APIServerStatus", "Established", true),
            (Step::ApiServer, "APIServerStatus", "Error", false),
        ];
        for (step, part, status, done) in table {
            let seen = peering_seen(step, &peer(json!([condition(part, status)])));
            let expected = if done {
                Seen::Done
            } else {
                Seen::NotYet(format!("{} is {status} (Why): because", spelt(part)))
            };
            assert_eq!(seen, expected, "{part} {status}");
        }
        assert_eq!(peering_seen(Step::ApiServer, &peer(json!([]))), Seen::Done);
    }

    /// As the enumeration spells it.
    fn spelt(part: &str) -> String {
        part.replace("APIServer", "ApiServer")
    }

    #[test]
    fn namespaces_are_there_when_both_are_known_or_used() {
        let seen = |namespaces: Value, conditions: Value| {
            let mut peer = peer(conditions);
            let status = peer.status.as_mut().unwrap();
            status.tenant_namespace = serde_json::from_value(namespaces).unwrap();
            peering_seen(Step::TenantNamespace, &peer)
        };
        assert_eq!(seen(json!({"local": "a", "remote": "b"}), json!([])), Seen::Done);
        assert_eq!(seen(json!({}), json!([condition("OutgoingPeering", "Pending")])), Seen::Done);
        let half = Seen::NotYet("the namespace here is a, and there not known yet".into());
        assert_eq!(seen(json!({"local": "a"}), json!([])), half);
        let refused = json!([condition("ProcessForeignClusterStatus", "Error")]);
        let told = Seen::NotYet("ProcessForeignClusterStatus is Error (Why): because".into());
        assert_eq!(seen(json!({}), refused), told);
    }

    #[test]
    fn each_step_tells_its_place_and_name() {
        let what: Vec<String> = Step::ALL.iter().map(|step| step.awaited("milan").what).collect();
        assert_eq!(what[0], "cluster milan to accept the identity of this one (step 1 of 7, authentication)");
        assert_eq!(what[6], "the API server of cluster milan to answer (step 7 of 7, API server)");
    }

    #[test]
    fn what_keeps_the_control_plane_from_acting_is_said_first() {
        let refused = condition("ProcessForeignClusterStatus", "Error");
        let seen = peering_seen(Step::Offer, &peer(json!([condition("OutgoingPeering", "None"), refused])));
        assert_eq!(seen, Seen::NotYet("ProcessForeignClusterStatus is Error (Why): because".into()));
        let silent = peering_seen(Step::Offer, &peer(json!([])));
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
