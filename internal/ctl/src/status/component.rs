//! A part of Liqo that runs in pods.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Pod, PodStatus, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Serialize;

use crate::debug::plain;

/// How a Deployment or DaemonSet is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Component {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) exists: bool,
    pub(crate) desired: i32,
    pub(crate) ready: i32,
    pub(crate) available: i32,
    /// Images of its containers, in their order.
    pub(crate) images: Vec<String>,
    /// What is wrong with it.
    pub(crate) faults: Vec<String>,
}

pub(crate) const DEPLOYMENT: &str = "Deployment";
pub(crate) const DAEMON_SET: &str = "DaemonSet";

impl Component {
    /// One that should be there.
    pub(crate) fn missing(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            faults: vec!["does not exist".to_owned()],
            ..Self::default()
        }
    }

    pub(crate) fn of_deployment(found: &Deployment, pods: &[Pod]) -> Self {
        let spec = found.spec.clone().unwrap_or_default();
        let status = found.status.clone().unwrap_or_default();
        let counts = [
            spec.replicas.unwrap_or(1),
            status.ready_replicas.unwrap_or_default(),
            status.available_replicas.unwrap_or_default(),
        ];
        Self::new(DEPLOYMENT, (&found.metadata, &spec.template), counts, pods)
    }

    pub(crate) fn of_daemon_set(found: &DaemonSet, pods: &[Pod]) -> Self {
        let template = found.spec.clone().unwrap_or_default().template;
        let status = found.status.clone().unwrap_or_default();
        let counts = [
            status.desired_number_scheduled,
            status.number_ready,
            status.number_available.unwrap_or_default(),
        ];
        Self::new(DAEMON_SET, (&found.metadata, &template), counts, pods)
    }

    fn new(
        kind: &'static str,
        (metadata, template): (&ObjectMeta, &PodTemplateSpec),
        [desired, ready, available]: [i32; 3],
        pods: &[Pod],
    ) -> Self {
        let mut faults: Vec<String> = pods.iter().filter_map(pod_fault).collect();
        if faults.is_empty() && ready < desired {
            faults.push(format!("{ready} of {desired} pods are ready"));
        }
        let containers = template.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
        Self {
            kind,
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            exists: true,
            desired,
            ready,
            available,
            images: containers.iter().filter_map(|container| container.image.clone()).collect(),
            faults,
        }
    }
}

/// The selector of its pods as a list request takes it. Selectors of Liqo's own objects have labels alone.
pub(crate) fn labels(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter().flatten();
    labels.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// What keeps a pod from being ready; nothing when it is, or is on its way out.
fn pod_fault(pod: &Pod) -> Option<String> {
    let status = pod.status.clone().unwrap_or_default();
    let ended = status.phase.as_deref() == Some("Succeeded") || pod.metadata.deletion_timestamp.is_some();
    let not = |kind: &str| {
        let conditions = status.conditions.iter().flatten();
        let mut found = conditions.filter(|condition| condition.type_ == kind);
        found.next().is_none_or(|condition| condition.status != "True")
    };
    if ended || !not("Ready") {
        return None;
    }
    let fault = if not("PodScheduled") {
        "not scheduled"
    } else if not("Initialized") {
        "not initialized"
    } else {
        "not ready"
    };
    let name = plain(pod.metadata.name.as_deref().unwrap_or_default());
    Some(format!("pod {name}: {fault}{}", why(&status)))
}

/// What the first container that has something to say waits for, or why the pod is not scheduled.
fn why(status: &PodStatus) -> String {
    let containers = status.init_container_statuses.iter().flatten();
    let containers = containers.chain(status.container_statuses.iter().flatten());
    let mut waiting = containers.filter_map(|container| {
        let state = container.state.as_ref()?.waiting.as_ref()?;
        Some(format!(
            ": container {} waits: {}",
            container.name,
            state.reason.as_deref().unwrap_or("no reason")
        ))
    });
    let unscheduled = || {
        let conditions = status.conditions.iter().flatten();
        let mut found =
            conditions.filter(|condition| condition.type_ == "PodScheduled" && condition.status != "True");
        found.find_map(|condition| condition.message.as_ref().map(|message| format!(": {message}")))
    };
    plain(&waiting.next().or_else(unscheduled).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(conditions: Value, containers: Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "status": {"phase": "Pending", "conditions": conditions, "containerStatuses": containers},
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_says_what_it_lacks() {
        let yes = |kind: &str| json!({"type": kind, "status": "True"});
        let unscheduled = json!({"type": "PodScheduled", "status": "False", "message": "no node fits"});
        let waiting = json!([{
            "name": "manager", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff"}},
        }]);
        let table = [
            (pod(json!([yes("Ready")]), json!([])), None),
            (pod(json!([unscheduled]), json!([])), Some("pod p: not scheduled: no node fits")),
            (pod(json!([yes("PodScheduled")]), json!([])), Some("pod p: not initialized")),
            (
                pod(json!([yes("PodScheduled"), yes("Initialized")]), waiting),
                Some("pod p: not ready: container manager waits: ImagePullBackOff"),
            ),
        ];
        for (pod, expected) in table {
            assert_eq!(pod_fault(&pod).as_deref(), expected);
        }
    }

    #[test]
    fn pods_that_were_never_made_are_missed() {
        let found: Deployment = serde_json::from_value(json!({
            "metadata": {"name": "liqo-gateway", "namespace": "liqo"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b", "c": "d"}}, "template": {}},
            "status": {"readyReplicas": 1},
        }))
        .unwrap();
        assert_eq!(Component::of_deployment(&found, &[]).faults, ["1 of 2 pods are ready"]);
        assert_eq!(labels(&found.spec.unwrap().selector), "a=b,c=d");
    }
}
