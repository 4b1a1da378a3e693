//! What becomes of new pods.

use liqo_domain::{Placement, Undecided};
use liqo_events::{Requirement, SelectorTerm};
use serde_json::{Value, json};

use super::cluster::{Cluster, changed, request};
use crate::answer::{Admission, Refusal};
use crate::webhook::Webhook;

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "app-"}, "spec": spec})
}

async fn asked(placement: Placement, pod: &Value) -> Result<Admission, Refusal> {
    let mut request = request(Webhook::Pod, "CREATE", "shop");
    request["object"] = pod.clone();
    Cluster::placing(placement).asked(Webhook::Pod, request).await
}

/// The spec as the API server goes on with it.
async fn made(placement: Placement, spec: Value) -> Value {
    let pod = pod(spec);
    let admission = asked(placement, &pod).await.unwrap();
    changed(&pod, &admission)["spec"].clone()
}

fn requirement(key: &str, values: &[&str]) -> Requirement {
    Requirement {
        key: key.to_owned(),
        operator: if values.is_empty() { "Exists" } else { "In" }.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn term(expressions: &[Requirement]) -> SelectorTerm {
    SelectorTerm { expressions: expressions.to_vec(), fields: Vec::new() }
}

fn remote(terms: Vec<SelectorTerm>) -> Placement {
    Placement::Remote { terms }
}

fn both(terms: Vec<SelectorTerm>) -> Placement {
    Placement::LocalAndRemote { terms }
}

fn toleration() -> Value {
    json!({"key": "virtual-node.liqo.io/not-allowed", "operator": "Exists", "effect": "NoExecute"})
}

fn kind(operator: &str) -> Value {
    json!({"key": "liqo.io/type", "operator": operator, "values": ["virtual-node"]})
}

fn required(terms: Value) -> Value {
    json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_liqo_0_8_3_becomes_what_it_became_there() {
    let unreachable = |key: &str| {
        json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute",
               "tolerationSeconds": 300})
    };
    let spec = json!({
        "containers": [{"name": "app", "image": "docker.io/lab/nettest:1"}],
        "nodeSelector": {"liqo.io/type": "virtual-node"},
        "tolerations": [unreachable("not-ready"), unreachable("unreachable")],
    });
    let mut expected = spec.clone();
    expected["tolerations"] = json!([unreachable("not-ready"), unreachable("unreachable"), toleration()]);
    assert_eq!(made(both(vec![]), spec).await, expected);
}

#[tokio::test(start_paused = true)]
async fn pods_of_other_namespaces_and_local_ones_stay_as_they_are() {
    for placement in [Placement::Local, Placement::NotOffloaded] {
        assert_eq!(asked(placement, &pod(json!({}))).await, Ok(Admission::unchanged()));
    }
}

#[tokio::test(start_paused = true)]
async fn affinity_follows_strategy_and_selector() {
    let (eu, ssd) = (requirement("region", &["eu"]), requirement("ssd", &[]));
    let eu_json = json!({"key": "region", "operator": "In", "values": ["eu"]});
    let ssd_json = json!({"key": "ssd", "operator": "Exists"});
    let milan =
        SelectorTerm { expressions: vec![], fields: vec![requirement("metadata.name", &["liqo-milan"])] };
    let milan_json = json!([{"key": "metadata.name", "operator": "In", "values": ["liqo-milan"]}]);
    for (placement, terms) in [
        (remote(vec![]), json!([{"matchExpressions": [kind("In")]}])),
        (
            remote(vec![term(&[eu.clone(), ssd.clone()]), milan.clone()]),
            json!([
                {"matchExpressions": [eu_json, ssd_json, kind("In")]},
                {"matchExpressions": [kind("In")], "matchFields": milan_json},
            ]),
        ),
        (
            both(vec![term(std::slice::from_ref(&eu)), milan]),
            json!([
                {"matchExpressions": [eu_json]}, {"matchFields": milan_json}, {"matchExpressions": [kind("NotIn")]},
            ]),
        ),
        // A term without requirements selects no cluster.
        (remote(vec![term(&[]), term(&[ssd])]), json!([{"matchExpressions": [ssd_json, kind("In")]}])),
        (remote(vec![term(&[])]), json!([{}])),
        (both(vec![term(&[])]), json!([{"matchExpressions": [kind("NotIn")]}])),
    ] {
        let expected = json!({"tolerations": [toleration()], "affinity": required(terms)});
        assert_eq!(made(placement.clone(), json!({})).await, expected, "{placement:?}");
    }
    assert_eq!(made(both(vec![]), json!({})).await, json!({"tolerations": [toleration()]}));
}

#[tokio::test(start_paused = true)]
async fn what_a_pod_asks_for_itself_stays() {
    let preferred =
        json!([{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]);
    let anti = json!({"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]});
    // As the controller of DaemonSets binds a pod to its node.
    let pinned = json!([{"key": "metadata.name", "operator": "In", "values": ["worker"]}]);
    let ssd = json!({"key": "ssd", "operator": "Exists"});
    let mut affinity = required(json!([{"matchFields": pinned}, {"matchExpressions": [ssd]}]));
    affinity["podAntiAffinity"] = anti;
    affinity["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = preferred;

    let mut expected = affinity.clone();
    expected["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] = json!([
        {"matchExpressions": [kind("In")], "matchFields": pinned}, {"matchExpressions": [ssd, kind("In")]},
    ]);
    let spec = json!({"affinity": affinity, "tolerations": null});
    let expected = json!({"affinity": expected, "tolerations": [toleration()]});
    assert_eq!(made(remote(vec![]), spec).await, expected);

    // Nothing required is said in many ways.
    let ours = required(json!([{"matchExpressions": [kind("In")]}]));
    for nothing in [
        json!(null),
        json!({}),
        json!({"nodeAffinity": null}),
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": null}}),
        required(json!(null)),
        required(json!([])),
    ] {
        let spec = made(remote(vec![]), json!({"affinity": nothing})).await;
        assert_eq!(spec["affinity"], ours, "{nothing}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_toleration_that_is_there_is_not_repeated() {
    let spec = json!({"tolerations": [{"operator": "Exists"}, toleration()]});
    assert_eq!(made(both(vec![]), spec.clone()).await, spec);
    let longer = json!({"tolerations": [{"operator": "Exists"}, toleration(), toleration()]});
    assert_eq!(made(both(vec![]), longer.clone()).await, longer);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_nobody_can_place_is_refused_with_what_to_do() {
    let refused = asked(Placement::Undecided(Undecided::NoOffloading), &pod(json!({}))).await.unwrap_err();
    assert_eq!(refused.code(), 500);
    let message = refused.message();
    assert!(message.starts_with("pods of namespace shop cannot be placed: it has label"), "{message}");
    assert!(message.contains("liqoctl offload namespace"), "{message}");

    let mut asked = request(Webhook::Pod, "CREATE", "shop");
    asked["object"] = pod(json!({}));
    let refused = Cluster::broken().asked(Webhook::Pod, asked).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message().as_str()),
        (500, "the webhook cannot tell now, the engine has stopped: try again in a moment")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_pod_is_refused() {
    for (object, path) in [
        (json!(null), "spec"),
        (json!([]), "spec"),
        (json!({"spec": 1}), "spec"),
        (pod(json!({"tolerations": {}})), "spec.tolerations"),
        (pod(json!({"affinity": "near"})), "spec.affinity"),
        (pod(json!({"affinity": required(json!("all"))})), "nodeSelectorTerms"),
        (pod(json!({"affinity": required(json!(["all"]))})), "a term"),
    ] {
        let refused = asked(remote(vec![]), &object).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Malformed(text) if text.contains(path)), "{object}: {refused}");
    }
    let many: Vec<Value> = vec![json!({"matchExpressions": [kind("In")]}); 600];
    let two = remote(vec![term(&[requirement("a", &[])]), term(&[requirement("b", &[])])]);
    let refused = asked(two, &pod(json!({"affinity": required(many.into())}))).await.unwrap_err();
    assert!(matches!(refused, Refusal::Forbidden(_)), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn only_new_pods_are_judged_and_nothing_but_pods() {
    let cluster = Cluster::broken();
    for operation in ["UPDATE", "DELETE", "CONNECT", "else"] {
        let asked = cluster.asked(Webhook::Pod, request(Webhook::Pod, operation, "shop")).await;
        assert_eq!(asked, Ok(Admission::unchanged()), "{operation}");
    }
    let mut part = request(Webhook::Pod, "CREATE", "shop");
    part["subResource"] = "binding".into();
    let mut version = request(Webhook::Pod, "CREATE", "shop");
    version["resource"]["version"] = "v2".into();
    let no_namespace = request(Webhook::Pod, "CREATE", "");
    for wrong in [part, version, no_namespace, request(Webhook::ShadowPod, "CREATE", "shop")] {
        let asked = cluster.asked(Webhook::Pod, wrong.clone()).await;
        assert!(matches!(asked, Err(Refusal::Malformed(_))), "{wrong}");
    }
}
