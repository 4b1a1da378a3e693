//! A Lease in JSON.

use std::time::Duration;

use liqo_events::{UnixMillis, parse_rfc3339};
use liqo_model::{ResourceVersion, Uid};
use serde_json::{Value, json};

use super::{DURATION, LeaseSettings};
use crate::RawObject;
use crate::keys::EPOCH;
use crate::watch::Testimony;

/// What a Lease says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseRecord {
    /// `spec.holderIdentity`: the uid of a pod, or empty when it was given back.
    pub holder: Uid,
    /// Annotation `liqo.io/epoch`; 0 when there is none.
    pub epoch: u64,
    /// `spec.renewTime`; 1970 when there is none.
    pub renewed_at: UnixMillis,
    /// `spec.leaseDurationSeconds`.
    pub duration: Duration,
    /// `spec.leaseTransitions`.
    pub transitions: i64,
    /// Version of the object, by which exactly one of two writers succeeds.
    pub resource_version: ResourceVersion,
}

impl LeaseRecord {
    /// Reads a Lease; fields that are missing or wrong read as those of a Lease that nobody holds.
    pub(crate) fn read(object: &RawObject) -> Self {
        let spec = &object.body["spec"];
        let epoch = object.body["metadata"]["annotations"][EPOCH].as_str().and_then(|text| text.parse().ok());
        let renewed_at = spec["renewTime"].as_str().and_then(parse_rfc3339);
        let seconds = spec["leaseDurationSeconds"].as_u64().unwrap_or_default();
        Self {
            holder: spec["holderIdentity"].as_str().unwrap_or_default().into(),
            epoch: epoch.unwrap_or_default(),
            renewed_at: renewed_at.unwrap_or_default(),
            // A Lease of a week would be somebody's mistake; it must not lock everybody out.
            duration: Duration::from_secs(seconds).min(4 * DURATION),
            transitions: spec["leaseTransitions"].as_i64().unwrap_or_default(),
            resource_version: object.resource_version.clone(),
        }
    }

    /// What it says of the state of the cluster.
    pub(crate) fn testimony(&self) -> Testimony {
        Testimony { epoch: self.epoch, version: self.resource_version.clone() }
    }

    /// A new Lease that is held.
    pub(super) fn create(settings: &LeaseSettings, epoch: u64, now: UnixMillis) -> Value {
        let mut lease = taken(&settings.holder, epoch, now, 0);
        lease["apiVersion"] = json!("coordination.k8s.io/v1");
        lease["kind"] = json!("Lease");
        lease["metadata"]["name"] = json!(settings.name);
        lease["metadata"]["namespace"] = json!(settings.namespace);
        lease
    }

    /// The patch by which `me` takes this Lease.
    pub(super) fn take(&self, me: &Uid, epoch: u64, now: UnixMillis) -> Value {
        let changes_hands = i64::from(self.holder != *me);
        at(taken(me, epoch, now, self.transitions.saturating_add(changes_hands)), &self.resource_version)
    }

    /// The patch by which its holder renews it.
    pub(super) fn renew(&self, now: UnixMillis) -> Value {
        at(json!({"spec": {"renewTime": micro_time(now)}}), &self.resource_version)
    }

    /// The patch by which its holder gives it back. The epoch stays, so that the next one is larger.
    pub(super) fn release(&self, now: UnixMillis) -> Value {
        let spec = json!({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": micro_time(now)});
        at(json!({"spec": spec}), &self.resource_version)
    }
}

fn taken(me: &Uid, epoch: u64, now: UnixMillis, transitions: i64) -> Value {
    json!({
        "metadata": {"annotations": {EPOCH: epoch.to_string()}},
        "spec": {
            "holderIdentity": me.as_str(),
            "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": micro_time(now),
            "renewTime": micro_time(now),
            "leaseTransitions": transitions,
        },
    })
}

fn at(mut patch: Value, version: &ResourceVersion) -> Value {
    patch["metadata"]["resourceVersion"] = json!(version.as_str());
    patch
}

/// `metav1.MicroTime`, which is refused without exactly six digits behind the point.
fn micro_time(at: UnixMillis) -> String {
    format!("{}000Z", at.to_string().trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Tree;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_123);

    fn read(lease: Value) -> LeaseRecord {
        let mut body = lease;
        body["metadata"]["uid"] = json!("lease-uid");
        body["metadata"]["resourceVersion"] = json!("7");
        LeaseRecord::read(&RawObject::from_tree(Tree { body, too_deep: false }).unwrap())
    }

    #[test]
    fn a_lease_is_read_as_it_is_written() {
        let settings = LeaseSettings {
            namespace: "liqo".to_owned(),
            name: "lease".to_owned(),
            holder: "pod-1".into(),
            may_continue: true,
        };
        let lease = LeaseRecord::create(&settings, 41, NOW);
        let expected = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "lease", "namespace": "liqo", "annotations": {"liqo.io/epoch": "41"}},
            "spec": {
                "holderIdentity": "pod-1",
                "leaseDurationSeconds": 15,
                "acquireTime": "2023-11-14T22:13:20.123000Z",
                "renewTime": "2023-11-14T22:13:20.123000Z",
                "leaseTransitions": 0,
            },
        });
        assert_eq!(lease, expected);
        let record = LeaseRecord {
            holder: "pod-1".into(),
            epoch: 41,
            renewed_at: NOW,
            duration: DURATION,
            transitions: 0,
            resource_version: "7".into(),
        };
        assert_eq!(read(lease), record);
    }

    #[test]
    fn patches_count_for_the_version_that_was_read() {
        let record = LeaseRecord {
            holder: "pod-1".into(),
            transitions: 3,
            resource_version: "7".into(),
            ..LeaseRecord::default()
        };
        assert_eq!(
            record.renew(NOW),
            json!({"metadata": {"resourceVersion": "7"}, "spec": {"renewTime": "2023-11-14T22:13:20.123000Z"}})
        );
        let taken = record.take(&"pod-2".into(), 42, NOW);
        assert_eq!(
            taken["metadata"],
            json!({"resourceVersion": "7", "annotations": {"liqo.io/epoch": "42"}})
        );
        assert_eq!(taken["spec"]["leaseTransitions"], json!(4));
        assert_eq!(record.take(&"pod-1".into(), 42, NOW)["spec"]["leaseTransitions"], json!(3));
        let released = record.release(NOW);
        assert_eq!(
            (&released["spec"]["holderIdentity"], &released["spec"]["leaseDurationSeconds"]),
            (&json!(""), &json!(1))
        );
    }

    #[test]
    fn nonsense_is_a_lease_that_nobody_holds() {
        let lease = json!({
            "metadata": {"name": "l", "annotations": {"liqo.io/epoch": "-3"}},
            "spec": {"holderIdentity": 7, "leaseDurationSeconds": 1_000_000, "renewTime": "soon"},
        });
        let expected =
            LeaseRecord { duration: 4 * DURATION, resource_version: "7".into(), ..LeaseRecord::default() };
        assert_eq!(read(lease), expected);
    }
}
