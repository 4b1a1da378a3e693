//! `--plan`: everything is shown, and nothing is done.

use serde_json::{Value, json};

use crate::fake_cluster::FakeCluster;
use crate::golden::golden;
use crate::objects::*;

async fn planned(objects: Vec<(String, Value)>, line: &str) -> String {
    let cluster = FakeCluster::start(objects).await;
    let ran = cluster.run(line).await;
    assert_eq!(ran.error, None, "{line}");
    assert_eq!(cluster.writes(), [""; 0], "{line}");
    assert!(!ran.output.contains(TOKEN) && !ran.output.contains(TOKEN_BASE64), "{}", ran.output);
    ran.output
}

fn out_of_band() -> String {
    format!(
        "peer out-of-band milan --auth-url https://172.18.2.1:31050 --cluster-id {MILAN} --auth-token {TOKEN} --plan"
    )
}

fn object(path: String, kind: &str, spec: Value) -> (String, Value) {
    let name = path.rsplit('/').next().unwrap().to_owned();
    (path, json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}))
}

/// A peering with all that it consists of, a namespace that extends and a pod that runs in milan.
fn whole() -> Vec<(String, Value)> {
    let liqo = |group: &str, plural: &str, name: &str| {
        object(format!("/apis/{group}/v1alpha1/namespaces/{TENANT}/{plural}/{name}"), "X", json!({}))
    };
    let rights = format!(
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{TENANT}/rolebindings/liqo-binding-liqo-remote-peering"
    );
    let mut objects = peered();
    objects.extend([
        namespace(TENANT),
        identity_secret(),
        object(format!("{rights}-basic"), "RoleBinding", json!({})),
        object(format!("{rights}-outgoing"), "RoleBinding", json!({})),
        liqo("discovery.liqo.io", "resourcerequests", "rome"),
        liqo("sharing.liqo.io", "resourceoffers", "milan"),
        object(
            format!("/api/v1/namespaces/{TENANT}/serviceaccounts/virtual-kubelet"),
            "ServiceAccount",
            json!({}),
        ),
        object(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/liqo-virtual-kubelet-milan-efa86c"
                .to_owned(),
            "ClusterRoleBinding",
            json!({}),
        ),
        object(
            format!("/apis/apps/v1/namespaces/{TENANT}/deployments/virtual-kubelet"),
            "Deployment",
            json!({}),
        ),
        liqo("net.liqo.io", "networkconfigs", "milan-efa86c"),
        liqo("net.liqo.io", "networkconfigs", "rome-03c9e0"),
        liqo("net.liqo.io", "tunnelendpoints", "milan-efa86c"),
        object(
            "/apis/net.liqo.io/v1alpha1/natmappings/natmapping-milan-efa86c".to_owned(),
            "NatMapping",
            json!({}),
        ),
    ]);
    let mut map = liqo("virtualkubelet.liqo.io", "namespacemaps", "milan-efa86c");
    map.1["metadata"]["labels"] = json!({"liqo.io/remote-cluster-id": MILAN});
    map.1["spec"] = json!({"desiredMapping": {"demo": "demo-rome-03c9e0"}});
    objects.push(map);
    for (name, node) in [("hello", "liqo-milan"), ("client", "rome-worker")] {
        let path = format!("/api/v1/namespaces/demo/pods/{name}");
        let metadata = json!({"name": name, "namespace": "demo"});
        let containers = json!([{"name": "c"}]);
        objects.push((
            path,
            json!({"metadata": metadata, "spec": {"nodeName": node, "containers": containers}}),
        ));
    }
    objects
}

#[tokio::test]
async fn a_first_peering_is_shown_with_all_that_it_makes() {
    golden("plan-peer.txt", &planned(installed(), &out_of_band()).await);
}

#[tokio::test]
async fn a_network_of_others_is_left_out() {
    let mut objects = installed();
    let args = json!([{"name": "m", "args": ["--disable-internal-network"]}]);
    let path = "/apis/apps/v1/namespaces/liqo/deployments/liqo-controller-manager".to_owned();
    let spec = json!({"selector": {}, "template": {"spec": {"containers": args}}});
    objects.push((path, json!({"metadata": {"name": "liqo-controller-manager"}, "spec": spec})));
    let plan = planned(objects, &out_of_band()).await;
    assert!(plan.contains("NamespaceMap") && !plan.contains("TunnelEndpoint"), "{plan}");
}

#[tokio::test]
async fn what_is_there_is_not_made_again() {
    let mut objects = whole();
    let path = format!("/api/v1/namespaces/liqo/secrets/remote-token-{MILAN}");
    let labels = json!({"discovery.liqo.io/auth-token": "", "discovery.liqo.io/cluster-id": MILAN});
    let token = json!({"metadata": {"labels": labels}, "data": {"token": TOKEN_BASE64}});
    objects.push((path, token));
    assert_eq!(planned(objects, &out_of_band()).await, "There is nothing to do\n");
    assert_eq!(planned(whole(), "peer milan --plan").await, "There is nothing to do\n");
}

#[tokio::test]
async fn the_other_direction_changes_one_object_first() {
    let known = (FOREIGN_CLUSTER.to_owned(), foreign_cluster("Auto"));
    let plan = planned(installed().into_iter().chain([known]).collect(), "peer milan --plan").await;
    let first = "in this cluster, rome:\n  change  ForeignCluster milan: \
                 {\"spec\":{\"outgoingPeeringEnabled\":\"Yes\"}}\n";
    assert!(plan.contains(first), "{plan}");
}

#[tokio::test]
async fn the_end_of_a_peering_is_shown_with_all_that_goes() {
    golden("plan-unpeer.txt", &planned(whole(), "unpeer out-of-band milan --plan").await);
}

#[tokio::test]
async fn what_the_other_cluster_uses_is_kept() {
    let mut objects = whole();
    let peer = objects.iter_mut().find(|(path, _)| path == FOREIGN_CLUSTER).unwrap();
    peer.1["status"] = status(&[("OutgoingPeering", "Established"), ("IncomingPeering", "Established")]);
    let plan = planned(objects, "unpeer out-of-band milan --plan").await;
    assert!(
        plan.contains("  keep    ForeignCluster milan: its cluster uses resources of this one\n"),
        "{plan}"
    );
    assert!(!plan.contains("TunnelEndpoint") && !plan.contains("delete  ForeignCluster"), "{plan}");
}
