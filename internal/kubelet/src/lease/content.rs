//! What the Lease of a node says: pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, OwnerReference};
use kube::api::ObjectMeta;
use liqo_model::Uid;

/// Where leases of nodes are.
pub(super) const NAMESPACE: &str = "kube-node-lease";

/// Whose Lease it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Name of the node, which is that of the Lease.
    pub node: String,
    /// Uid of the Node object, with which the Lease goes.
    pub node_uid: Uid,
    /// `--node-lease-duration`: after this time without a renewal, the node is not ready.
    pub duration: Duration,
}

impl LeaseSettings {
    /// The default of Liqo 0.8.3.
    pub const DURATION: Duration = Duration::from_secs(40);

    /// Between two renewals: a quarter of the duration, as of every kubelet.
    #[must_use]
    pub fn interval(&self) -> Duration {
        (self.duration / 4).max(Duration::from_secs(1))
    }
}

/// The Lease that is to be written: one that was seen with a new renewal, or a new one.
pub(super) fn renewed(seen: Option<&Lease>, settings: &LeaseSettings, now: Timestamp) -> Lease {
    let mut lease = seen.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta {
            name: Some(settings.node.clone()),
            namespace: Some(NAMESPACE.to_owned()),
            ..ObjectMeta::default()
        },
        ..Lease::default()
    });
    lease.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        name: settings.node.clone(),
        uid: settings.node_uid.as_str().to_owned(),
        ..OwnerReference::default()
    }]);
    let spec = lease.spec.take().unwrap_or_default();
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(settings.node.clone()),
        lease_duration_seconds: Some(i32::try_from(settings.duration.as_secs()).unwrap_or(i32::MAX)),
        renew_time: Some(MicroTime(now)),
        ..spec
    });
    lease
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> LeaseSettings {
        LeaseSettings {
            node: "liqo-milan".to_owned(),
            node_uid: "c6848473-aa40-4cf2-a68f-1a087b0c0920".into(),
            duration: LeaseSettings::DURATION,
        }
    }

    #[test]
    fn a_new_lease_is_the_recorded_one() {
        let lease = renewed(None, &settings(), "2026-11-22T14:52:46.108538Z".parse().unwrap());
        let expected = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "liqo-milan",
                "namespace": "kube-node-lease",
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "liqo-milan",
                    "uid": "c6848473-aa40-4cf2-a68f-1a087b0c0920"}],
            },
            "spec": {"holderIdentity": "liqo-milan", "leaseDurationSeconds": 40,
                "renewTime": "2026-11-22T14:52:46.108538Z"},
        });
        assert_eq!(serde_json::to_value(lease).unwrap(), expected);
    }

    #[test]
    fn a_renewal_keeps_what_is_not_ours_and_mends_what_is() {
        let seen: Lease = serde_json::from_value(json!({
            "metadata": {"name": "liqo-milan", "namespace": "kube-node-lease", "resourceVersion": "7",
                "labels": {"a": "b"}, "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "liqo-milan",
                "uid": "of an earlier life"}]},
            "spec": {"holderIdentity": "x", "leaseDurationSeconds": 1, "leaseTransitions": 3},
        }))
        .unwrap();
        let lease = renewed(Some(&seen), &settings(), "2026-11-22T14:52:46Z".parse().unwrap());
        let new = renewed(None, &settings(), "2026-11-22T14:52:46Z".parse().unwrap());
        assert_eq!(lease.metadata.resource_version.as_deref(), Some("7"));
        assert_eq!(lease.metadata.labels, seen.metadata.labels);
        assert_eq!(lease.metadata.owner_references, new.metadata.owner_references);
        let spec = lease.spec.unwrap();
        assert_eq!(spec.lease_transitions, Some(3));
        assert_eq!(LeaseSpec { lease_transitions: None, ..spec }, new.spec.unwrap());
    }

    #[test]
    fn it_is_renewed_four_times_in_its_duration() {
        assert_eq!(settings().interval(), Duration::from_secs(10));
        let short = LeaseSettings { duration: Duration::from_secs(2), ..settings() };
        assert_eq!(short.interval(), Duration::from_secs(1));
    }
}
