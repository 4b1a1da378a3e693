//! Pods of home and their ShadowPods.

use liqo_reflection::kinds::pod::{FIELDS, home_mark, remote, token_key};
use liqo_reflection::{ApiServerSupport, Context, Forged, HomeApiServer, ReflectError, Why, difference};
use serde_json::{Value, json};

use crate::tree::with;
use crate::world::{MILAN, ROME, World, body};

fn pod() -> Value {
    json!({
        "kind": "Pod", "metadata": {"name": "p", "namespace": "demo", "uid": "u1", "labels": {"app": "a", "liqo.io/shadowPod": "true"}},
        "spec": {"containers": [{"name": "c", "image": "example.com/app:1"}], "restartPolicy": "Always", "nodeName": "liqo-milan"},
    })
}

fn forge_in(home: &Value, existing: Option<&Value>, context: &Context<'_>) -> Forged {
    remote(home, existing, context).unwrap()
}

fn forge(home: &Value, existing: Option<&Value>) -> Forged {
    forge_in(home, existing, &World::default().context())
}

/// The spec of the remote pod of one whose spec differs like this.
fn remote_spec_in(spec: &Value, world: &World) -> Value {
    let home = with(pod(), &json!({"spec": spec}));
    body(forge_in(&home, None, &world.context()))["spec"]["pod"].clone()
}

fn remote_spec(spec: &Value) -> Value {
    remote_spec_in(spec, &World::default())
}

#[test]
fn whether_there_is_a_shadow_pod_follows_from_the_home_pod() {
    let shadow = body(forge(&pod(), None));
    let terminating = json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}});
    let ended = |phase: &str| json!({"status": {"phase": phase}});
    let aborted = json!({"status": {"phase": "Failed", "reason": "OffloadingAborted"}});
    let waiting = json!({"status": {"phase": "Pending", "reason": "OffloadingBackOff"}});
    let skipped = json!({"metadata": {"annotations": {"liqo.io/skip-reflection": ""}}});
    for (patch, without, with_one) in [
        (terminating, Forged::Absent(Why::HomeTerminating), Some(Forged::Absent(Why::HomeTerminating))),
        (aborted, Forged::Absent(Why::Aborted), Some(Forged::Absent(Why::Aborted))),
        // A pod that has ended is never sent again, but its remote pod stays for its logs.
        (ended("Succeeded"), Forged::Skip(Why::Completed), None),
        (ended("Failed"), Forged::Skip(Why::Completed), None),
    ] {
        let home = with(pod(), &patch);
        assert_eq!(forge(&home, None), without);
        match with_one {
            Some(expected) => assert_eq!(forge(&home, Some(&shadow)), expected),
            None => assert!(matches!(forge(&home, Some(&shadow)), Forged::Object(_))),
        }
    }
    for patch in [waiting, skipped, ended("Running"), ended("Unknown")] {
        assert!(matches!(forge(&with(pod(), &patch), None), Forged::Object(_)), "{patch}");
    }
}

#[test]
fn a_shadow_pod_of_somebody_else_or_of_another_life_is_not_adopted() {
    let shadow = body(forge(&pod(), None));
    let theirs =
        with(shadow.clone(), &json!({"metadata": {"labels": {"virtualkubelet.liqo.io/origin": MILAN}}}));
    assert_eq!(forge(&pod(), Some(&theirs)), Forged::Skip(Why::NotOurs));
    let earlier = with(shadow.clone(), &json!({"metadata": {"annotations": {"liqo.io/home-uid": "u0"}}}));
    assert_eq!(forge(&pod(), Some(&earlier)), Forged::Absent(Why::OtherLife));
    let going = with(shadow.clone(), &json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}}));
    assert_eq!(forge(&pod(), Some(&going)), Forged::Skip(Why::Terminating));
    // One that version 0.8.3 made says nothing of lives, and gets the annotation.
    let old = with(shadow, &json!({"metadata": {"annotations": {"liqo.io/home-uid": null}}}));
    let adopted = body(forge(&pod(), Some(&old)));
    let patch = difference::patch(&old, &adopted, FIELDS);
    assert_eq!(patch, Some(json!({"metadata": {"annotations": {"liqo.io/home-uid": "u1"}}})));
}

#[test]
fn metadata_is_copied_without_the_mark_of_home() {
    let shadow = body(forge(&pod(), None));
    let labels = json!({"app": "a", "virtualkubelet.liqo.io/origin": ROME, "virtualkubelet.liqo.io/destination": MILAN});
    assert_eq!(shadow["metadata"]["labels"], labels);
    let unmarked = with(pod(), &json!({"metadata": {"labels": {"liqo.io/shadowPod": null}}}));
    assert_eq!(home_mark(&unmarked), Some(json!({"metadata": {"labels": {"liqo.io/shadowPod": "true"}}})));
    assert_eq!(home_mark(&pod()), None);
}

#[test]
fn what_only_home_can_know_is_dropped_and_the_rest_is_copied() {
    let dropped = json!({
        "affinity": {"nodeAffinity": {}}, "ephemeralContainers": [], "hostIPC": true, "hostNetwork": true, "hostPID": true,
        "hostUsers": false, "nodeSelector": {"a": "b"}, "os": {"name": "linux"}, "overhead": {"cpu": "1"},
        "preemptionPolicy": "Never", "priority": 1, "priorityClassName": "high", "resourceClaims": [], "runtimeClassName": "r",
        "schedulerName": "s", "schedulingGates": [], "serviceAccount": "sa", "serviceAccountName": "sa",
        "automountServiceAccountToken": true,
    });
    let expected = json!({
        "automountServiceAccountToken": false, "restartPolicy": "Always",
        "containers": [{"name": "c", "image": "example.com/app:1"}],
    });
    assert_eq!(remote_spec(&dropped), expected);
    let copied = json!({
        "activeDeadlineSeconds": 5, "dnsConfig": {"nameservers": ["1.1.1.1"]}, "dnsPolicy": "None", "enableServiceLinks": false,
        "hostAliases": [{"ip": "1.2.3.4"}], "hostname": "h", "imagePullSecrets": [{"name": "s"}],
        "readinessGates": [{"conditionType": "x"}], "restartPolicy": "Never", "securityContext": {"runAsUser": 0},
        "setHostnameAsFQDN": true, "shareProcessNamespace": true, "subdomain": "d", "terminationGracePeriodSeconds": 0,
        "topologySpreadConstraints": [{"maxSkew": 1}], "initContainers": [{"name": "i"}], "fromTheFuture": {"a": [1]},
    });
    assert_eq!(remote_spec(&copied), with(expected, &copied));
}

#[test]
fn the_remote_pod_is_not_sent_on() {
    let tolerations = json!([
        {"key": "virtual-node.liqo.io/not-allowed", "operator": "Exists", "effect": "NoExecute"},
        {"key": "gpu", "operator": "Exists"}, {"operator": "Exists"},
    ]);
    let kept = json!([{"key": "gpu", "operator": "Exists"}, {"operator": "Exists"}]);
    assert_eq!(remote_spec(&json!({"tolerations": tolerations}))["tolerations"], kept);
}

#[test]
fn presets_of_anti_affinity_replace_the_affinity() {
    let affinity_of = |annotations: Value, spec: Value| {
        let labels = json!({"app": "a", "tier": "t", "pod-template-hash": "1", "controller-revision-hash": "2",
            "statefulset.kubernetes.io/pod-name": "p-0"});
        let home =
            with(pod(), &json!({"metadata": {"annotations": annotations, "labels": labels}, "spec": spec}));
        body(forge(&home, None))["spec"]["pod"].get("affinity").cloned()
    };
    let preset = |value: &str| json!({"liqo.io/anti-affinity-preset": value});
    let term = |labels: Value| json!({"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"});
    let shared = json!({"app": "a", "tier": "t"});
    let hard = |labels: Value| {
        Some(json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(labels)]}}))
    };
    assert_eq!(affinity_of(preset("hard"), json!({})), hard(shared.clone()));
    let soft = json!([{"weight": 1, "podAffinityTerm": term(shared)}]);
    assert_eq!(
        affinity_of(preset("soft"), json!({})),
        Some(json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}}))
    );
    let listed = |keys: &str| with(preset("hard"), &json!({"liqo.io/anti-affinity-labels": keys}));
    assert_eq!(affinity_of(listed("tier, missing"), json!({})), hard(json!({"tier": "t"})));
    assert_eq!(affinity_of(listed("pod-template-hash"), json!({})), hard(json!({"pod-template-hash": "1"})));
    // An empty selector would mean every pod of the namespace.
    assert_eq!(affinity_of(listed("missing,liqo.io/shadowPod"), json!({})), None);
    let own = json!({"affinity": {"nodeAffinity": {"x": 1}, "podAffinity": {}, "podAntiAffinity": {"y": 2}}});
    assert_eq!(affinity_of(preset("propagate"), own.clone()), Some(json!({"podAntiAffinity": {"y": 2}})));
    assert_eq!(affinity_of(preset("propagate"), json!({"affinity": {"nodeAffinity": {}}})), None);
    for annotations in [json!({}), preset("odd")] {
        assert_eq!(affinity_of(annotations, own.clone()), None);
    }
}

fn projected(name: &str) -> Value {
    json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"configMap": {"name": "mine"}},
        {"downwardAPI": {"items": []}},
        {"fromTheFuture": {}},
    ]}})
}

#[test]
fn tokens_are_left_out_of_volumes_or_taken_from_a_secret() {
    let plain =
        json!([{"name": "a", "configMap": {"name": "kube-root-ca.crt"}}, {"name": "b", "emptyDir": {}}]);
    let volumes = json!([plain[0], plain[1], projected("kube-api-access-x"), projected("vault")]);
    let rest = [
        json!({"configMap": {"name": "kube-root-ca.crt.7f081", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}),
        json!({"configMap": {"name": "mine"}}),
        json!({"downwardAPI": {"items": []}}),
        json!({"fromTheFuture": {}}),
    ];
    let volume = |name: &str, token: Option<Value>| {
        let sources: Vec<Value> = token.into_iter().chain(rest.clone()).collect();
        json!({"name": name, "projected": {"defaultMode": 420, "sources": sources}})
    };
    let without = json!([plain[0], plain[1], volume("kube-api-access-x", None), volume("vault", None)]);
    assert_eq!(remote_spec(&json!({"volumes": volumes}))["volumes"], without);
    let token =
        |key: &str| Some(json!({"secret": {"name": "p-token", "items": [{"key": key, "path": "token"}]}}));
    let with_tokens = json!([
        plain[0],
        plain[1],
        volume("kube-api-access-x", token("kube-api-access-x-3c469e")),
        volume("vault", token("vault-3c469e")),
    ]);
    let spec = remote_spec_in(&json!({"volumes": volumes}), &World::with_tokens());
    assert_eq!(spec["volumes"], with_tokens);
    assert_eq!(token_key("vault", "token"), "vault-3c469e");
}

#[test]
fn a_pod_that_needs_no_api_server_gets_no_environment() {
    let variable = json!({"name": "SA", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}});
    let spec = json!({"containers": [{"name": "c", "env": [variable]}], "hostAliases": []});
    let remote = remote_spec(&spec);
    assert_eq!((&remote["containers"], &remote["hostAliases"]), (&spec["containers"], &json!([])));
}

/// Names and values of the environment of the first container.
fn environment(spec: &Value, server: HomeApiServer) -> (Vec<(String, String)>, Value) {
    let world = World { api_server: ApiServerSupport::TokenApi(server), ..World::default() };
    let spec = remote_spec_in(spec, &world);
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let variables = spec["containers"][0]["env"].as_array().unwrap().iter();
    let variables = variables.map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect();
    (variables, spec.get("hostAliases").cloned().unwrap_or_default())
}

#[test]
fn a_pod_finds_the_api_server_of_its_home_by_name() {
    let expected = |host: &str, port: &str| {
        let url = format!("tcp://{host}:{port}");
        let own = format!("KUBERNETES_PORT_{port}_TCP");
        [
            ("KUBERNETES_SERVICE_HOST".to_owned(), host.to_owned()),
            ("KUBERNETES_SERVICE_PORT".to_owned(), port.to_owned()),
            ("KUBERNETES_PORT".to_owned(), url.clone()),
            (own.clone(), url),
            (format!("{own}_PROTO"), "tcp".to_owned()),
            (format!("{own}_ADDR"), host.to_owned()),
            (format!("{own}_PORT"), port.to_owned()),
        ]
    };
    let service = || HomeApiServer::service("10.82.0.2".parse().unwrap(), 6443);
    let (variables, aliases) = environment(&json!({"hostAliases": [{"ip": "1.1.1.1"}]}), service());
    assert_eq!(variables, expected("kubernetes.default", "6443"));
    let names = json!(["kubernetes.default", "kubernetes.default.svc"]);
    assert_eq!(aliases, json!([{"ip": "1.1.1.1"}, {"ip": "10.82.0.2", "hostnames": names}]));
    let (variables, aliases) = environment(&json!({}), HomeApiServer::given("api.example.com", 443));
    assert_eq!((variables, aliases), (expected("api.example.com", "443").to_vec(), json!(null)));
}

#[test]
fn a_variable_of_the_pod_wins_and_the_account_is_that_of_home() {
    let reference =
        json!({"name": "SA", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}});
    let spec = |account: Value| {
        let own = json!({"name": "KUBERNETES_SERVICE_HOST", "value": "mine"});
        json!({"containers": [{"name": "c", "env": [reference, own]}], "serviceAccountName": account})
    };
    for (account, expected) in [(json!("app-sa"), "app-sa"), (json!(null), "default"), (json!(""), "default")]
    {
        let (variables, _) = environment(&spec(account), HomeApiServer::given("h", 1));
        assert_eq!(variables.len(), 8);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(variables[..2], [pair("SA", expected), pair("KUBERNETES_SERVICE_HOST", "mine")]);
    }
}

#[test]
fn images_tolerations_and_the_deadline_of_a_shadow_pod_follow_and_nothing_else() {
    let shadow = with(body(forge(&pod(), None)), &json!({"spec": {"pod": {"added": "by-others"}}}));
    let changed = with(
        pod(),
        &json!({"spec": {
            "containers": [{"name": "c", "image": "example.com/app:2", "args": ["new"]}, {"name": "d"}],
            "activeDeadlineSeconds": 60, "tolerations": [{"key": "a"}], "dnsPolicy": "Default",
        }}),
    );
    let wanted = body(forge(&changed, Some(&shadow)));
    let patch = difference::patch(&shadow, &wanted, FIELDS);
    let pod_patch = json!({
        "containers": [{"name": "c", "image": "example.com/app:2"}], "activeDeadlineSeconds": 60, "tolerations": [{"key": "a"}],
    });
    assert_eq!(patch, Some(json!({"spec": {"pod": pod_patch}})));
    let same = body(forge(&pod(), Some(&shadow)));
    assert_eq!(difference::patch(&shadow, &same, FIELDS), None);
}

#[test]
fn a_pod_that_cannot_be_read_is_an_error_of_that_object() {
    let world = World::with_tokens();
    for (patch, field) in [
        (json!({"spec": null}), "spec"),
        (json!({"spec": {"volumes": 1}}), "spec.volumes"),
        (json!({"spec": {"containers": {}}}), "spec.containers"),
        (json!({"spec": {"tolerations": "x"}}), "spec.tolerations"),
        (json!({"spec": {"hostAliases": "x"}}), "spec.hostAliases"),
    ] {
        let error = remote(&with(pod(), &patch), None, &world.context()).unwrap_err();
        let expected_object = "Pod demo/p".to_owned();
        assert!(
            matches!(&error, ReflectError::ReadObject { object, field: at, .. } if at == field && *object == expected_object),
            "{error}"
        );
    }
}
