//! kubelet and kube-proxy.

use serde_json::json;

use super::{CONFIG, PKI, flag};
use crate::control_plane::pki::kubelet_file;
use crate::model::ClusterRecord;
use crate::node::{Component, cgroup};

pub(super) fn kubelet(record: &ClusterRecord, ordinal: usize) -> Component {
    let node = record.spec.name.node(ordinal);
    let mut arguments = vec![
        flag("config", format_args!("{CONFIG}/kubelet.json")),
        flag("kubeconfig", format_args!("{CONFIG}/{}.kubeconfig", kubelet_file(&node))),
        flag("hostname-override", &node),
        flag("node-ip", record.addresses().node(ordinal).address),
    ];
    arguments.extend(record.spec.flags_of("kubelet").map(str::to_owned));
    Component::new("kubelet", arguments)
}

pub(super) fn config(record: &ClusterRecord, ordinal: usize) -> String {
    let node = record.spec.name.node(ordinal);
    let file = kubelet_file(&node);
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": format!("{PKI}/ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": format!("{PKI}/{file}.crt"),
        "tlsPrivateKeyFile": format!("{PKI}/{file}.key"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup::path(node.as_str()),
        "failCgroupV1": false,
        "failSwapOn": false,
        "clusterDNS": record.spec.dns_address().map(|a| a.to_string()).into_iter().collect::<Vec<_>>(),
        "clusterDomain": "cluster.local",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "resolvConf": "/etc/resolv.conf",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "maxPods": 110,
        // The group of a node is not a machine: the kubelet divides nothing among its own and the system's processes.
        "enforceNodeAllocatable": [],
        // All nodes share one disk and images cannot be pulled again, so nothing is evicted or removed for space.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "logging": {"verbosity": 1},
    });
    format!("{config:#}\n")
}

/// Started with flags alone: with a configuration file kube-proxy ignores most of those that a user adds.
pub(super) fn kube_proxy(record: &ClusterRecord, ordinal: usize) -> Component {
    let mut arguments = vec![
        flag("kubeconfig", format_args!("{CONFIG}/kube-proxy.kubeconfig")),
        flag("hostname-override", record.spec.name.node(ordinal)),
        flag("proxy-mode", "nftables"),
        flag("cluster-cidr", record.spec.pod_cidr),
        // The table of connections belongs to the machine; a node leaves its size alone.
        flag("conntrack-max-per-core", 0),
        flag("conntrack-tcp-timeout-established", 0),
        flag("conntrack-tcp-timeout-close-wait", 0),
    ];
    arguments.extend(record.spec.flags_of("kube-proxy").map(str::to_owned));
    Component::new("kube-proxy", arguments)
}

/// What leaves a pod for anything but a pod of its own cluster leaves with the node's address, as in most clusters:
/// nobody else has a route to pods, and other clusters may use the same range.
pub(super) fn masquerade(record: &ClusterRecord) -> String {
    let pods = record.spec.pod_cidr;
    format!(
        "table ip testbed {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {pods} ip daddr != {pods} counter masquerade
  }}
}}
"
    )
}
