//! What becomes of ShadowPods.

use liqo_domain::NamespaceOrigin;
use liqo_reflection::policy::Rule;
use serde_json::{Value, json};

use super::cluster::{Cluster, ROME, request};
use crate::Settings;
use crate::answer::{Admission, Refusal};
use crate::webhook::Webhook;

const NAMESPACE: &str = "shop-rome-03c9e0";

/// As the virtual kubelet of Liqo 0.8.3 sends it, with these fields of the pod instead.
fn shadow(patch: Value) -> Value {
    let mut shadow = json!({
        "apiVersion": "virtualkubelet.liqo.io/v1alpha1", "kind": "ShadowPod",
        "metadata": {
            "name": "app", "namespace": NAMESPACE,
            "labels": {
                "app": "app", "virtualkubelet.liqo.io/destination": "b6625701-6aeb-4c46-a864-bfce47c964c0",
                "virtualkubelet.liqo.io/origin": ROME,
            },
        },
        "spec": {"pod": {
            "automountServiceAccountToken": false,
            "containers": [{"name": "app", "image": "docker.io/lab/nettest:1", "resources": {
                "limits": {"cpu": "200m", "memory": "128Mi"}, "requests": {"cpu": "20m", "memory": "16Mi"},
            }}],
            "enableServiceLinks": true, "restartPolicy": "Always", "securityContext": {},
            "hostAliases": [{"hostnames": ["kubernetes.default"], "ip": "10.82.0.2"}],
            "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists"}],
            "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "secret", "secret": {"secretName": "s"}}],
        }},
    });
    if let Value::Object(patch) = patch {
        shadow["spec"]["pod"].as_object_mut().unwrap().extend(patch);
    }
    shadow
}

fn of(origin: Value) -> Value {
    let mut shadow = shadow(json!({}));
    shadow["metadata"]["labels"]["virtualkubelet.liqo.io/origin"] = origin;
    shadow
}

async fn created(cluster: &Cluster, object: Value) -> Result<Admission, Refusal> {
    let mut request = request(Webhook::ShadowPod, "CREATE", NAMESPACE);
    request["object"] = object;
    cluster.asked(Webhook::ShadowPod, request).await
}

async fn updated(old: Value, new: Value) -> Result<Admission, Refusal> {
    let mut request = request(Webhook::ShadowPod, "UPDATE", NAMESPACE);
    request["oldObject"] = old;
    request["object"] = new;
    Cluster::new().asked(Webhook::ShadowPod, request).await
}

fn forbidden(answer: Result<Admission, Refusal>) -> String {
    match answer {
        Err(Refusal::Forbidden(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_makes_pods_in_its_own_namespaces_only() {
    let rome = NamespaceOrigin::Consumer(ROME.into());
    let other = NamespaceOrigin::Consumer("b6625701-6aeb-4c46-a864-bfce47c964c0".into());
    for (owner, object, code) in [
        (rome.clone(), shadow(json!({})), 0),
        (rome.clone(), of(json!("somebody-else")), 403),
        (rome.clone(), of(json!(null)), 403),
        (rome.clone(), of(json!("")), 403),
        (rome.clone(), of(json!(["x"])), 403),
        (rome, json!("garbage"), 403),
        (other, shadow(json!({})), 403),
        (NamespaceOrigin::Local, shadow(json!({})), 403),
        (NamespaceOrigin::Missing, shadow(json!({})), 400),
    ] {
        let answer = created(&Cluster::owned(owner.clone()), object.clone()).await;
        assert_eq!(answer.as_ref().map_or_else(Refusal::code, |_| 0), code, "{owner:?} {object}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_dangerous_is_refused_early() {
    let host = || shadow(json!({"hostNetwork": true, "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}));
    let message = forbidden(created(&Cluster::new(), host()).await);
    for part in ["spec.pod.hostNetwork is set (HostNamespaces)", "spec.pod.volumes[0].hostPath", "(HostPath)"]
    {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let mut lenient = Cluster::new();
    lenient.lifted = vec![Rule::HostNamespaces, Rule::HostPath];
    assert_eq!(created(&lenient, host()).await, Ok(Admission::unchanged()));

    let mut no_pod = shadow(json!({}));
    no_pod["spec"]["pod"] = json!("garbage");
    assert!(forbidden(created(&Cluster::new(), no_pod).await).contains("spec.pod is not a map"));
    let many: Vec<Value> =
        (0..20).map(|_| json!({"name": "c", "securityContext": {"privileged": true}})).collect();
    let message = forbidden(created(&Cluster::new(), shadow(json!({"containers": many}))).await);
    assert!(message.ends_with("; and 12 more"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn images_deadline_and_tolerations_may_change() {
    let container = |image: &str| {
        let mut container = shadow(json!({}))["spec"]["pod"]["containers"][0].clone();
        container["image"] = image.into();
        json!([container])
    };
    for patch in [
        json!({}),
        json!({"containers": container("docker.io/lab/nettest:2")}),
        json!({"activeDeadlineSeconds": 5}),
        json!({"tolerations": []}),
        json!({"initContainers": null}),
    ] {
        assert_eq!(
            updated(shadow(json!({})), shadow(patch.clone())).await,
            Ok(Admission::unchanged()),
            "{patch}"
        );
    }
    for (patch, path) in [
        (json!({"hostNetwork": true}), "spec.pod.hostNetwork"),
        (json!({"initContainers": [{"name": "i"}]}), "spec.pod.initContainers"),
        (json!({"containers": [{"name": "app"}]}), "spec.pod.containers"),
    ] {
        let message = forbidden(updated(shadow(json!({})), shadow(patch)).await);
        assert!(message.contains(path), "{message}");
    }
    for (old, new) in [
        (shadow(json!({})), of(json!("other"))),
        (shadow(json!({})), of(json!(null))),
        (of(json!(null)), shadow(json!({}))),
        (of(json!(null)), of(json!(null))),
    ] {
        assert!(forbidden(updated(old, new).await).contains("virtualkubelet.liqo.io/origin"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_the_policy_can_be_mended() {
    let host = || shadow(json!({"hostNetwork": true}));
    let mut without_finalizer = host();
    without_finalizer["metadata"]["finalizers"] = json!([]);
    assert_eq!(updated(host(), without_finalizer).await, Ok(Admission::unchanged()));
    let mut worse = host();
    worse["metadata"]["annotations"] =
        json!({"container.apparmor.security.beta.kubernetes.io/app": "unconfined"});
    assert!(forbidden(updated(host(), worse).await).contains("AppArmor"));
}

#[tokio::test(start_paused = true)]
async fn with_enforcement_containers_have_limits() {
    let mut strict = Cluster::new();
    strict.settings = Settings { resource_enforcement: true };
    assert_eq!(created(&strict, shadow(json!({}))).await, Ok(Admission::unchanged()));
    let bare = || shadow(json!({"initContainers": [{"name": "i", "resources": {"limits": {"cpu": "1"}}}]}));
    assert_eq!(created(&Cluster::new(), bare()).await, Ok(Admission::unchanged()));
    let message = forbidden(created(&strict, bare()).await);
    assert!(message.ends_with("missing: spec.pod.initContainers[0].resources.limits.memory"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn deleting_is_never_refused() {
    let mut deleted = request(Webhook::ShadowPod, "DELETE", NAMESPACE);
    deleted["oldObject"] = json!("whatever");
    assert_eq!(Cluster::new().asked(Webhook::ShadowPod, deleted).await, Ok(Admission::unchanged()));
}
