//! What runs, and how it is reached.

use std::collections::BTreeSet;

use liqo_installation::{Image, WORKLOADS};
use serde_json::{Value, json};

use crate::objects::{all, name, named, of_kind, strings};

fn workloads() -> Vec<Value> {
    [of_kind("Deployment"), of_kind("DaemonSet")].concat()
}

fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

fn containers(workload: &Value) -> &[Value] {
    pod(workload)["containers"].as_array().unwrap()
}

#[test]
fn these_workloads_are_there_and_are_waited_for() {
    let workload =
        |object: &Value| format!("{}/{}", object["kind"].as_str().unwrap().to_lowercase(), name(object));
    let found: BTreeSet<_> = workloads().iter().map(workload).collect();
    assert_eq!(found, WORKLOADS.map(str::to_owned).into());
}

#[test]
fn images_are_those_that_are_made() {
    let made: BTreeSet<_> = Image::ALL.iter().map(Image::name).collect();
    for container in workloads().iter().flat_map(containers) {
        let mut asked = vec![container["image"].as_str().unwrap()];
        let variables = container["env"].as_array().into_iter().flatten();
        asked.extend(variables.filter(|variable| name_of(variable).ends_with("_IMAGE")).map(value_of));
        assert!(asked.iter().all(|image| made.contains(*image)), "{asked:?} are not all among {made:?}");
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    }
}

fn name_of(variable: &Value) -> &str {
    variable["name"].as_str().unwrap()
}

fn value_of(variable: &Value) -> &str {
    variable["value"].as_str().unwrap()
}

#[test]
fn nothing_has_more_privilege_than_the_data_path_takes() {
    for workload in workloads() {
        let pod = pod(&workload);
        let name = name(&workload);
        let is_agent = name != "liqo-controller-manager";
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"] == true, !is_agent, "{name}");
        assert_eq!(pod["hostNetwork"] == true, name == "liqo-route", "{name}");
        // An agent's only credential is worthless at the API server.
        assert_eq!(pod["automountServiceAccountToken"] == false, is_agent, "{name}");
        for container in containers(&workload) {
            let added = if is_agent {
                json!({"drop": ["ALL"], "add": ["NET_ADMIN"]})
            } else {
                json!({"drop": ["ALL"]})
            };
            let expected = json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": added,
            });
            assert_eq!(container["securityContext"], expected, "{name}");
        }
    }
}

#[test]
fn nothing_but_the_tunnel_device_and_the_remembered_view_is_the_hosts() {
    let mut found = Vec::new();
    for workload in workloads() {
        let volumes = pod(&workload)["volumes"].as_array().unwrap().clone();
        let of_host = volumes.into_iter().filter(|volume| !volume["hostPath"].is_null());
        found.extend(of_host.map(|volume| (name(&workload).to_owned(), volume["hostPath"].clone())));
    }
    let expected = [
        ("liqo-gateway", json!({"path": "/dev/net/tun", "type": "CharDevice"})),
        ("liqo-route", json!({"path": "/var/lib/liqo/fabric", "type": "DirectoryOrCreate"})),
    ];
    assert_eq!(found, expected.map(|(workload, path)| (workload.to_owned(), path)));
}

#[test]
fn every_mount_has_its_volume_and_every_pod_its_account() {
    let accounts = of_kind("ServiceAccount");
    for workload in workloads() {
        let pod = pod(&workload);
        let account = pod["serviceAccountName"].as_str().unwrap();
        assert!(accounts.iter().any(|known| name(known) == account), "{account}");
        let volumes = pod["volumes"].as_array().unwrap();
        let volumes: BTreeSet<_> = volumes.iter().map(name_of).collect();
        let mounts =
            containers(&workload).iter().flat_map(|container| container["volumeMounts"].as_array().unwrap());
        assert_eq!(mounts.map(name_of).collect::<BTreeSet<_>>(), volumes, "{}", name(&workload));
    }
}

#[test]
fn every_service_leads_to_a_port_of_one_workload() {
    for service in of_kind("Service") {
        let selector = service["spec"]["selector"].as_object().unwrap();
        let workloads = workloads();
        let selected: Vec<_> = workloads
            .iter()
            .filter(|workload| {
                let labels = &workload["spec"]["template"]["metadata"]["labels"];
                selector.iter().all(|(key, value)| labels[key] == *value)
            })
            .collect();
        let [workload] = selected.as_slice() else { panic!("{} selects {}", name(&service), selected.len()) };
        let ports = containers(workload)[0]["ports"].as_array().unwrap();
        for port in service["spec"]["ports"].as_array().unwrap() {
            let same =
                |known: &&Value| known["name"] == port["targetPort"] && known["protocol"] == port["protocol"];
            assert!(ports.iter().any(|known| same(&known)), "{} {port}", name(&service));
        }
    }
}

#[test]
fn peers_reach_authentication_and_gateway_from_outside() {
    for (service, port) in [("liqo-auth", ("https", 443)), ("liqo-gateway", ("wireguard", 5871))] {
        let spec = &named("Service", service)["spec"];
        assert_eq!(spec["type"], "NodePort");
        assert_eq!(
            (spec["ports"][0]["name"].as_str().unwrap(), spec["ports"][0]["port"].as_u64().unwrap()),
            port
        );
    }
    let labels = &named("Service", "liqo-gateway")["metadata"]["labels"];
    assert_eq!(labels["net.liqo.io/gateway"], "true");
}

#[test]
fn node_agents_are_on_every_node_that_has_pods_of_its_own() {
    let pod = &named("DaemonSet", "liqo-route")["spec"]["template"]["spec"];
    assert_eq!(pod["tolerations"], json!([{"operator": "Exists"}]));
    let terms = &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
    let expected = json!([{"matchExpressions": [
        {"key": "liqo.io/type", "operator": "NotIn", "values": ["virtual-node"]},
    ]}]);
    assert_eq!(*terms, expected);
}

/// Source: the webhooks of Liqo 0.8.3. It also sees deletions of ShadowPods, which this one has no use for.
#[test]
fn webhooks_are_those_of_0_8_3() {
    let expected = [
        ("pod.mutate.liqo.io", "/mutate/pod", "CREATE", "pods"),
        ("fc.mutate.liqo.io", "/mutate/foreign-cluster", "CREATE,UPDATE", "foreignclusters"),
        ("fc.validate.liqo.io", "/validate/foreign-cluster", "UPDATE", "foreignclusters"),
        ("nsoff.validate.liqo.io", "/validate/namespace-offloading", "CREATE,UPDATE", "namespaceoffloadings"),
        ("shadowpod.validate.liqo.io", "/validate/shadowpods", "CREATE,UPDATE", "shadowpods"),
    ];
    let configurations =
        [of_kind("MutatingWebhookConfiguration"), of_kind("ValidatingWebhookConfiguration")].concat();
    assert!(configurations.iter().all(|configuration| name(configuration) == "liqo-webhook"));
    let webhooks =
        configurations.iter().flat_map(|configuration| configuration["webhooks"].as_array().unwrap());
    let found: Vec<_> = webhooks
        .map(|webhook| {
            let service = &webhook["clientConfig"]["service"];
            assert_eq!(
                (&service["name"], &service["port"]),
                (&json!("liqo-controller-manager"), &json!(9443))
            );
            let rule = &webhook["rules"][0];
            let operations = strings(&rule["operations"]).join(",");
            (
                name_of(webhook),
                service["path"].as_str().unwrap(),
                operations,
                strings(&rule["resources"]).concat(),
            )
        })
        .collect();
    let found: Vec<_> =
        found.iter().map(|(name, path, on, what)| (*name, *path, on.as_str(), what.as_str())).collect();
    assert_eq!(found, expected);
}

/// A webhook that fails closed on pods of any namespace would stop the cluster that it runs in.
#[test]
fn pods_of_other_namespaces_are_nobodys_business() {
    let webhooks = &named("MutatingWebhookConfiguration", "liqo-webhook")["webhooks"];
    let selector = json!({"matchLabels": {"liqo.io/scheduling-enabled": "true"}});
    assert_eq!(webhooks[0]["namespaceSelector"], selector);
}

#[test]
fn everything_is_in_the_namespace_that_is_made_first() {
    let everything = all();
    for object in &everything {
        let namespace = &object["metadata"]["namespace"];
        assert!(namespace.is_null() || namespace == liqo_installation::NAMESPACE, "{object}");
    }
    let first = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rbac")).unwrap();
    assert_eq!(first.map(|entry| entry.unwrap().file_name()).min().unwrap(), "00-namespace.yaml");
}
