//! Tests of the policy: one line each for what is refused.

use serde_json::json;

use super::*;

/// A harmless ShadowPod, as every consumer sends it.
fn shadow(patch: Value) -> Value {
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "containers": [{"name": "c", "image": "example.com/app:1"}],
    });
    if let (Value::Object(pod), Value::Object(patch)) = (&mut pod, patch) {
        pod.extend(patch);
    }
    json!({"kind": "ShadowPod", "metadata": {"name": "p"}, "spec": {"pod": pod}})
}

fn found(shadow: &Value) -> Vec<(Rule, String)> {
    let violations = violations(shadow, &PodPolicy::default());
    violations.into_iter().map(|violation| (violation.rule, violation.path)).collect()
}

/// Of a pod with these fields.
fn refused(patch: Value) -> Vec<(Rule, String)> {
    found(&shadow(patch))
}

/// Of a container with these fields, in every list of containers.
fn refused_in_containers(fields: Value) -> Vec<Rule> {
    let mut rules = Vec::new();
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let mut container = json!({"name": "c"});
        if let (Value::Object(container), Value::Object(fields)) = (&mut container, fields.clone()) {
            container.extend(fields);
        }
        let found = refused(json!({(list): [{"name": "good"}, container]}));
        let at = format!("spec.pod.{list}[1]");
        assert!(found.iter().all(|(_, path)| path.starts_with(&at)), "{found:?} is not at {at}");
        rules.push(found.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>());
    }
    assert!(rules.iter().all(|of_list| *of_list == rules[0]), "{rules:?}");
    rules.swap_remove(0)
}

#[test]
fn a_harmless_pod_is_let_in() {
    assert_eq!(refused(json!({})), []);
    assert_eq!(
        refused(json!({
            "hostNetwork": false, "hostPID": null, "serviceAccountName": "default", "schedulerName": "default-scheduler",
            "securityContext": {"sysctls": [{"name": "net.ipv4.tcp_syncookies"}], "seccompProfile": {"type": "Localhost"}},
            "volumes": [
                {"name": "a", "emptyDir": {}}, {"name": "b", "secret": {}}, {"name": "c", "configMap": {}},
                {"name": "d", "persistentVolumeClaim": {}}, {"name": "e", "downwardAPI": {}},
                {"name": "f", "projected": {"sources": [{"secret": {}}, {"configMap": {}}]}},
            ],
            "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "c", "ports": [{"containerPort": 80, "hostPort": 0}],
                "livenessProbe": {"httpGet": {"port": 80, "host": ""}},
                "securityContext": {"privileged": false, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}},
            }],
        })),
        []
    );
}

#[test]
fn what_belongs_to_a_node_is_refused() {
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        assert_eq!(refused(json!({(key): true})), [(Rule::HostNamespaces, format!("spec.pod.{key}"))]);
    }
    // Whatever a later version may read as true.
    assert_eq!(refused(json!({"hostPID": "false"})).len(), 1);
    assert_eq!(
        refused(json!({"volumes": [{"name": "v"}, {"name": "v", "hostPath": {"path": "/"}}]})),
        [(Rule::HostPath, "spec.pod.volumes[1].hostPath".to_owned())]
    );
    for source in ["flexVolume", "awsElasticBlockStore", "gcePersistentDisk", "iscsi", "fromTheFuture"] {
        let found = refused(json!({"volumes": [{"name": "v", (source): {}}]}));
        assert_eq!(found, [(Rule::Volumes, format!("spec.pod.volumes[0].{source}"))]);
    }
    assert_eq!(refused_in_containers(json!({"ports": [{"hostPort": 80}]})), [Rule::HostPorts]);
    assert_eq!(refused_in_containers(json!({"ports": [{"hostPort": "80"}]})), [Rule::HostPorts]);
    assert_eq!(refused_in_containers(json!({"ports": [{"hostIP": "10.0.0.1"}]})), [Rule::HostPorts]);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        for action in ["httpGet", "tcpSocket"] {
            let probe = json!({(probe): {(action): {"host": "169.254.169.254"}}});
            assert_eq!(refused_in_containers(probe), [Rule::HostProbes]);
        }
    }
    let hook = json!({"lifecycle": {"preStop": {"httpGet": {"host": "10.0.0.1"}}}});
    assert_eq!(refused_in_containers(hook), [Rule::HostProbes]);
}

#[test]
fn what_widens_the_rights_of_a_container_is_refused() {
    for (context, rule) in [
        (json!({"privileged": true}), Rule::Privileged),
        (json!({"privileged": "true"}), Rule::Privileged),
        (json!({"capabilities": {"add": ["SYS_ADMIN"]}}), Rule::Capabilities),
        (json!({"capabilities": {"add": ["ALL"]}}), Rule::Capabilities),
        (json!({"capabilities": {"add": ["CAP_SYS_ADMIN"]}}), Rule::Capabilities),
        (json!({"capabilities": {"add": ["net_bind_service"]}}), Rule::Capabilities),
        (json!({"capabilities": {"add": [1]}}), Rule::Malformed),
        (json!({"procMount": "Unmasked"}), Rule::ProcMount),
        (json!({"seLinuxOptions": {"type": "spc_t"}}), Rule::SeLinux),
        (json!({"seLinuxOptions": {"user": "u"}}), Rule::SeLinux),
        (json!({"seLinuxOptions": {"role": "r"}}), Rule::SeLinux),
        (json!({"seccompProfile": {"type": "Unconfined"}}), Rule::Seccomp),
        (json!({"appArmorProfile": {"type": "Unconfined"}}), Rule::AppArmor),
        (json!({"windowsOptions": {"hostProcess": true}}), Rule::HostProcess),
        (json!([]), Rule::Malformed),
    ] {
        assert_eq!(refused_in_containers(json!({"securityContext": context})), [rule], "{context}");
    }
}

#[test]
fn what_widens_the_rights_of_a_pod_is_refused() {
    for (context, rule) in [
        (json!({"sysctls": [{"name": "kernel.msgmax"}]}), Rule::Sysctls),
        (json!({"seLinuxOptions": {"type": "spc_t"}}), Rule::SeLinux),
        (json!({"seccompProfile": {"type": "Unconfined"}}), Rule::Seccomp),
        (json!({"windowsOptions": {"hostProcess": true}}), Rule::HostProcess),
    ] {
        let found = refused(json!({"securityContext": context}));
        assert!(matches!(found.as_slice(), [(found, _)] if *found == rule), "{context}: {found:?}");
    }
    let mut annotated = shadow(json!({}));
    annotated["metadata"]["annotations"] =
        json!({"container.apparmor.security.beta.kubernetes.io/c": "unconfined"});
    assert_eq!(found(&annotated).iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), [Rule::AppArmor]);
    annotated["metadata"]["annotations"] =
        json!({"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"});
    assert_eq!(found(&annotated), []);
}

#[test]
fn what_belongs_to_this_cluster_is_refused() {
    for (patch, rule) in [
        (json!({"serviceAccountName": "admin"}), Rule::ServiceAccounts),
        (json!({"serviceAccount": "admin"}), Rule::ServiceAccounts),
        (json!({"automountServiceAccountToken": true}), Rule::Tokens),
        (json!({"automountServiceAccountToken": null}), Rule::Tokens),
        (json!({"nodeName": "n"}), Rule::Scheduling),
        (json!({"schedulerName": "s"}), Rule::Scheduling),
        (json!({"priorityClassName": "system-node-critical"}), Rule::Priorities),
        (json!({"priority": 2_000_000_000}), Rule::Priorities),
        (json!({"runtimeClassName": "r"}), Rule::RuntimeClasses),
    ] {
        let found = refused(patch.clone());
        assert!(matches!(found.as_slice(), [(found, _)] if *found == rule), "{patch}: {found:?}");
    }
    let token = json!({"projected": {"sources": [{"configMap": {}}, {"serviceAccountToken": {"path": "t"}}]}, "name": "v"});
    let path = "spec.pod.volumes[0].projected.sources[1].serviceAccountToken".to_owned();
    assert_eq!(refused(json!({"volumes": [token]})), [(Rule::Tokens, path)]);
}

#[test]
fn what_cannot_be_read_is_refused_and_nothing_panics() {
    for shadow in [json!(null), json!({}), json!({"spec": {"pod": []}}), json!({"spec": 1})] {
        assert_eq!(found(&shadow), [(Rule::Malformed, "spec.pod".to_owned())], "{shadow}");
    }
    for key in ["containers", "initContainers", "volumes", "securityContext", "serviceAccountName"] {
        assert_eq!(refused(json!({(key): 1})), [(Rule::Malformed, format!("spec.pod.{key}"))]);
    }
    assert_eq!(refused(json!({"containers": [1]})), [(Rule::Malformed, "spec.pod.containers[0]".to_owned())]);
    assert_eq!(refused(json!({"volumes": ["v"]})), [(Rule::Malformed, "spec.pod.volumes[0]".to_owned())]);
}

#[test]
fn every_violation_is_reported_up_to_a_bound() {
    let both = refused(json!({"hostPID": true, "containers": [{"securityContext": {"privileged": true}}]}));
    assert_eq!(both.len(), 2);
    let container = json!({"securityContext": {"privileged": true}});
    assert_eq!(refused(json!({"containers": vec![container; 1000]})).len(), 64);
}

#[test]
fn an_administrator_may_lift_rules_for_a_peer() {
    let policy = PodPolicy { allowed: BTreeSet::from([Rule::HostNamespaces, Rule::Malformed, Rule::Update]) };
    let shadow =
        shadow(json!({"hostPID": true, "containers": 1, "volumes": [{"name": "v", "hostPath": {}}]}));
    let rules: Vec<_> = violations(&shadow, &policy).into_iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::HostPath, Rule::Malformed]);
}

#[test]
fn only_images_tolerations_and_the_deadline_may_change() {
    let labelled = |origin: &str, patch: Value| {
        let mut shadow = shadow(patch);
        shadow["metadata"]["labels"] = json!({"virtualkubelet.liqo.io/origin": origin});
        shadow
    };
    let old = labelled("c", json!({}));
    let allowed = json!({
        "containers": [{"name": "c", "image": "example.com/app:2"}], "tolerations": [{"operator": "Exists"}],
        "activeDeadlineSeconds": 5, "hostPID": null,
    });
    assert_eq!(update_violations(&old, &labelled("c", allowed)), []);
    for (new, path) in [
        (labelled("d", json!({})), "metadata.labels[virtualkubelet.liqo.io/origin]"),
        (shadow(json!({})), "metadata.labels[virtualkubelet.liqo.io/origin]"),
        (labelled("c", json!({"hostPID": true})), "spec.pod.hostPID"),
        (labelled("c", json!({"containers": []})), "spec.pod.containers"),
        (
            labelled("c", json!({"containers": [{"name": "c", "image": "example.com/app:1", "args": []}]})),
            "spec.pod.containers",
        ),
        (labelled("c", json!({"initContainers": [{"name": "i"}]})), "spec.pod.initContainers"),
    ] {
        let paths: Vec<_> =
            update_violations(&old, &new).into_iter().map(|violation| violation.path).collect();
        assert_eq!(paths, [path]);
    }
}
