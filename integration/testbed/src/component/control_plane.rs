//! etcd, the API server, the controller manager, the scheduler.

use serde_json::json;

use super::{CONFIG, PKI, flag};
use crate::model::{ClusterRecord, ClusterSpec};
use crate::node::Component;

/// Where the API server writes its audit log on the node.
const AUDIT_LOG: &str = "/var/log/testbed/audit.log";

pub(super) fn etcd(spec: &ClusterSpec) -> Component {
    let mut arguments = vec![
        flag("name", "etcd"),
        flag("data-dir", "/var/lib/etcd"),
        flag("listen-client-urls", "https://127.0.0.1:2379"),
        flag("advertise-client-urls", "https://127.0.0.1:2379"),
        flag("listen-peer-urls", "http://127.0.0.1:2380"),
        flag("initial-advertise-peer-urls", "http://127.0.0.1:2380"),
        flag("initial-cluster", "etcd=http://127.0.0.1:2380"),
        flag("client-cert-auth", true),
        flag("trusted-ca-file", format_args!("{PKI}/etcd-ca.crt")),
        flag("cert-file", format_args!("{PKI}/etcd-server.crt")),
        flag("key-file", format_args!("{PKI}/etcd-server.key")),
        flag("snapshot-count", 10_000),
        flag("log-level", "warn"),
        // A cluster of the testbed ends with its machine; waiting for the disk would only slow tests down.
        flag("unsafe-no-fsync", true),
    ];
    arguments.extend(spec.flags_of("etcd").map(str::to_owned));
    Component::new("etcd", arguments)
}

pub(super) fn api_server(record: &ClusterRecord) -> Component {
    let spec = &record.spec;
    let mut arguments = vec![
        flag("advertise-address", record.addresses().node(0).address),
        flag("secure-port", 6443),
        flag("allow-privileged", true),
        flag("authorization-mode", "Node,RBAC"),
        flag("enable-admission-plugins", "NodeRestriction"),
        flag("enable-bootstrap-token-auth", true),
        flag("client-ca-file", format_args!("{PKI}/ca.crt")),
        flag("tls-cert-file", format_args!("{PKI}/apiserver.crt")),
        flag("tls-private-key-file", format_args!("{PKI}/apiserver.key")),
        flag("etcd-servers", "https://127.0.0.1:2379"),
        flag("etcd-cafile", format_args!("{PKI}/etcd-ca.crt")),
        flag("etcd-certfile", format_args!("{PKI}/apiserver-etcd-client.crt")),
        flag("etcd-keyfile", format_args!("{PKI}/apiserver-etcd-client.key")),
        flag("kubelet-certificate-authority", format_args!("{PKI}/ca.crt")),
        flag("kubelet-client-certificate", format_args!("{PKI}/apiserver-kubelet-client.crt")),
        flag("kubelet-client-key", format_args!("{PKI}/apiserver-kubelet-client.key")),
        flag("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname"),
        flag("service-cluster-ip-range", spec.service_cidr),
        flag("service-account-issuer", "https://kubernetes.default.svc.cluster.local"),
        flag("service-account-key-file", format_args!("{PKI}/sa.pub")),
        flag("service-account-signing-key-file", format_args!("{PKI}/sa.key")),
    ];
    arguments.extend(aggregation());
    if spec.audit {
        arguments.extend([
            flag("audit-policy-file", format_args!("{CONFIG}/audit-policy.yaml")),
            flag("audit-log-path", AUDIT_LOG),
        ]);
    }
    arguments.extend(spec.flags_of("kube-apiserver").map(str::to_owned));
    Component::new("kube-apiserver", arguments)
}

/// How API servers behind this one know on whose behalf it asks.
fn aggregation() -> [String; 7] {
    [
        flag("requestheader-client-ca-file", format_args!("{PKI}/front-proxy-ca.crt")),
        flag("requestheader-allowed-names", "front-proxy-client"),
        flag("requestheader-username-headers", "X-Remote-User"),
        flag("requestheader-group-headers", "X-Remote-Group"),
        flag("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        flag("proxy-client-cert-file", format_args!("{PKI}/front-proxy-client.crt")),
        flag("proxy-client-key-file", format_args!("{PKI}/front-proxy-client.key")),
    ]
}

pub(super) fn controller_manager(spec: &ClusterSpec) -> Component {
    let mut arguments = clients("controller-manager");
    arguments.extend([
        flag("leader-elect", false),
        flag("flex-volume-plugin-dir", "/var/lib/kubelet/volume-plugins"),
        flag("use-service-account-credentials", true),
        flag("controllers", "*,bootstrapsigner,tokencleaner"),
        flag("client-ca-file", format_args!("{PKI}/ca.crt")),
        flag("root-ca-file", format_args!("{PKI}/ca.crt")),
        flag("cluster-signing-cert-file", format_args!("{PKI}/ca.crt")),
        flag("cluster-signing-key-file", format_args!("{PKI}/ca.key")),
        flag("service-account-private-key-file", format_args!("{PKI}/sa.key")),
        flag("requestheader-client-ca-file", format_args!("{PKI}/front-proxy-ca.crt")),
        flag("allocate-node-cidrs", true),
        flag("cluster-cidr", spec.pod_cidr),
        flag("node-cidr-mask-size", spec.node_block()),
        flag("service-cluster-ip-range", spec.service_cidr),
    ]);
    arguments.extend(spec.flags_of("kube-controller-manager").map(str::to_owned));
    Component::new("kube-controller-manager", arguments)
}

pub(super) fn scheduler(spec: &ClusterSpec) -> Component {
    let mut arguments = clients("scheduler");
    arguments.push(flag("leader-elect", false));
    arguments.extend(spec.flags_of("kube-scheduler").map(str::to_owned));
    Component::new("kube-scheduler", arguments)
}

fn clients(identity: &str) -> Vec<String> {
    ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]
        .map(|name| flag(name, format_args!("{CONFIG}/{identity}.kubeconfig")))
        .into()
}

/// Who did what, without bodies: they hold Secrets.
pub(super) fn audit_policy() -> String {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    });
    format!("{policy:#}\n")
}

/// What the load balancer of the cluster needs to know.
pub(super) fn load_balancer(record: &ClusterRecord) -> String {
    let config = crate::load_balancer::Config {
        kubeconfig: format!("{CONFIG}/load-balancer.kubeconfig").into(),
        pool: record.addresses().load_balancer_pool(),
        network: crate::node::filesystem::SEGMENT.into(),
    };
    serde_json::to_string_pretty(&config).unwrap_or_default()
}
