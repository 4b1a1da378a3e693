//! How a peering looks to a user, as 0.8.3 has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::user::{User, text, until};

/// The columns of `kubectl get foreignclusters`.
const COLUMNS: [&str; 6] =
    ["TYPE", "OUTGOING PEERING", "INCOMING PEERING", "NETWORKING", "AUTHENTICATION", "AGE"];

/// Type, status and reason of the conditions of the consumer's ForeignCluster.
const OUTGOING: [(&str, &str, &str); 6] = [
    ("ProcessForeignClusterStatus", "Success", "ForeignClusterProcessable"),
    ("NetworkStatus", "Established", "TunnelEndpointAvailable"),
    ("AuthenticationStatus", "Established", "IdentityAccepted"),
    ("OutgoingPeering", "Established", "ResourceRequestAccepted"),
    ("IncomingPeering", "None", "NoResourceRequest"),
    ("APIServerStatus", "Established", "APIServerReady"),
];

/// Type, status and reason of the conditions of the virtual node.
const NODE: [(&str, &str, &str); 5] = [
    ("Ready", "True", "KubeletReady"),
    ("MemoryPressure", "False", "RemoteClusterHasSufficientMemory"),
    ("DiskPressure", "False", "RemoteClusterHasNoDiskPressure"),
    ("PIDPressure", "False", "RemoteClusterHasNoPIDPressure"),
    ("NetworkUnavailable", "False", "LiqoNetworkingUp"),
];

/// Both sides show an established peering, now or within a moment.
pub(crate) fn peering_is_shown(consumer: &User, provider: &User) {
    let foreign = consumer.get(&format!("foreigncluster {}", provider.name));
    let id = text(&foreign, "/spec/clusterIdentity/clusterID");
    assert_eq!(text(&foreign, "/metadata/labels/discovery.liqo.io~1cluster-id"), id);
    assert_eq!(foreign["metadata"]["finalizers"], json!(["crdReplicator.liqo.io"]));
    rows(consumer, provider.name, ["OutOfBand", "Established", "None", "Established", "Established"]);
    rows(provider, consumer.name, ["OutOfBand", "None", "Established", "Established", "Established"]);
    everything_is_established(consumer, provider);
    node(consumer, provider.name, id);
}

/// All conditions of the consumer are as they should be, now or within a moment.
pub(crate) fn everything_is_established(consumer: &User, provider: &User) {
    let (foreign, node) =
        (format!("foreigncluster {}", provider.name), format!("node liqo-{}", provider.name));
    for (object, list, expected) in
        [(&foreign, "/status/peeringConditions", &OUTGOING[..]), (&node, "/status/conditions", &NODE[..])]
    {
        let expected: Vec<_> =
            expected.iter().map(|(kind, status, reason)| format!("{kind}={status} ({reason})")).collect();
        until(&format!("{expected:?} of {object}"), || {
            let object = consumer.get(object);
            let conditions = object.pointer(list).and_then(Value::as_array).cloned().unwrap_or_default();
            let shown = |one: &Value| {
                format!("{}={} ({})", text(one, "/type"), text(one, "/status"), text(one, "/reason"))
            };
            let conditions: Vec<_> = conditions.iter().map(shown).collect();
            if conditions == expected { Ok(()) } else { Err(conditions) }
        });
    }
}

fn rows(user: &User, peer: &str, expected: [&str; 5]) {
    until(&format!("{expected:?} of {peer}"), || {
        let table = user.kubectl(&format!("get foreignclusters {peer}"));
        let mut lines = table.lines();
        let header = lines.next().unwrap_or_default();
        assert_eq!(cells(header)[1..], COLUMNS, "{table}");
        let row = lines.next().map(cells).unwrap_or_default();
        if row[..6] == [&[peer], &expected[..]].concat()[..] { Ok(()) } else { Err(table) }
    });
}

/// Columns are at least three spaces apart.
fn cells(line: &str) -> Vec<&str> {
    line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

fn node(consumer: &User, peer: &str, id: &str) {
    let name = format!("liqo-{peer}");
    let table = consumer.kubectl(&format!("get node {name}"));
    let row = table.lines().nth(1).map(cells).unwrap_or_default();
    let version = consumer.get(&format!("node {}-control-plane", consumer.name));
    let version = text(&version, "/status/nodeInfo/kubeletVersion");
    assert_eq!((&row[..3], row[4]), (&[name.as_str(), "Ready", "agent"][..], version), "{table}");

    let node = consumer.get(&format!("node {name}"));
    let labels: BTreeMap<String, String> =
        serde_json::from_value(node["metadata"]["labels"].clone()).unwrap();
    let expected = [
        ("alpha.service-controller.kubernetes.io/exclude-balancer", "true"),
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", &name),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/role", "agent"),
        ("liqo.io/remote-cluster-id", id),
        ("liqo.io/type", "virtual-node"),
        ("node.kubernetes.io/exclude-from-external-load-balancers", "true"),
        // Volumes stay at home.
        ("storage.liqo.io/available", "false"),
    ];
    assert_eq!(labels, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(node["metadata"]["finalizers"], json!(["virtualnode-controller.liqo.io/finalizer"]));
    let taint = json!([{"key": "virtual-node.liqo.io/not-allowed", "value": "true", "effect": "NoExecute"}]);
    assert_eq!(node["spec"]["taints"], taint);
    for resource in ["cpu", "memory", "pods", "ephemeral-storage"] {
        assert!(node["status"]["allocatable"][resource].is_string(), "{resource}: {}", node["status"]);
    }
}
