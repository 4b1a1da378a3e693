//! Restarts of a home pod's containers across the lives of its remote pod.

use std::collections::BTreeMap;

use liqo_model::Uid;
use serde_json::Value;

use crate::fields;

/// Which remote pod the status comes from, and how often each container had restarted before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restarts {
    /// The remote pod.
    pub remote_uid: Uid,
    /// Restarts in earlier remote pods, the change of pods counted as one; by name of the container.
    pub before: BTreeMap<String, u64>,
}

impl Restarts {
    /// Counts on for a remote pod.
    ///
    /// When it is another one than before, each container has restarted once more than home shows. When nothing is
    /// known, as after a restart of the virtual kubelet, home shows what had been counted.
    pub(super) fn of(home: &Value, remote: &Value, known: Option<&Self>) -> Self {
        let remote_uid = Uid::from(fields::text(remote, "/metadata/uid"));
        let before = match known {
            Some(known) if known.remote_uid == remote_uid => known.before.clone(),
            Some(known) => {
                let shown = counts(home);
                let after = |name: &str| {
                    shown.get(name).or_else(|| known.before.get(name)).copied().unwrap_or_default() + 1
                };
                let containers = fields::items(remote, "/spec/containers").iter();
                let names = containers.map(|container| fields::text(container, "/name"));
                names.map(|name| (name.to_owned(), after(name))).collect()
            }
            None => {
                let own = counts(remote);
                let shown = counts(home).into_iter();
                let earlier = shown.filter_map(|(name, shown)| {
                    let before = shown.checked_sub(*own.get(&name)?)?;
                    (before > 0).then_some((name, before))
                });
                earlier.collect()
            }
        };
        Self { remote_uid, before }
    }

    /// Adds the earlier restarts to statuses of a remote pod's containers.
    pub(super) fn add_to(&self, statuses: &mut [Value]) {
        for status in statuses {
            let before = self.before.get(fields::text(status, "/name")).copied().unwrap_or_default();
            let own = status.get("restartCount").and_then(Value::as_u64).unwrap_or_default();
            if let (Value::Object(fields), true) = (status, before > 0) {
                fields.insert("restartCount".to_owned(), own.saturating_add(before).into());
            }
        }
    }
}

fn counts(pod: &Value) -> BTreeMap<String, u64> {
    let statuses = fields::items(pod, "/status/containerStatuses").iter();
    let of = |status: &Value| {
        let count = status.get("restartCount").and_then(Value::as_u64).unwrap_or_default();
        (fields::text(status, "/name").to_owned(), count)
    };
    statuses.map(of).collect()
}
