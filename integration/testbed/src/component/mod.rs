//! The components of a node as pure functions: command lines and files, from the record of the cluster.
//!
//! Paths are those of a kubeadm node. Flags of the user come last, so they win.

mod container_runtime;
mod control_plane;
mod dns;
mod kubelet;
mod storage;

use std::collections::BTreeMap;

use crate::control_plane::pki::kubelet_file;
use crate::model::ClusterRecord;
use crate::node::Component;

pub(crate) use container_runtime::plugin_directory;
pub(crate) use storage::{
    ACCOUNT as STORAGE_ACCOUNT, NAMESPACE as STORAGE_NAMESPACE, STORAGE_CLASS, config as storage_config,
    helper_pod as storage_helper_pod, scripts as storage_scripts,
};

/// Where a node has its configuration.
pub(crate) const CONFIG: &str = "/etc/kubernetes";
/// Where a node has its certificates.
pub(crate) const PKI: &str = "/etc/kubernetes/pki";
/// The name of the component that gives Services of type LoadBalancer their addresses.
pub(crate) const LOAD_BALANCER: &str = "load-balancer";

/// The processes of a node, the first of which may start before the API server answers.
pub(crate) struct Components {
    /// etcd and the API server; empty on workers.
    pub first: Vec<Component>,
    /// Everything else.
    pub then: Vec<Component>,
}

/// The components of the node with this ordinal.
pub(crate) fn components(record: &ClusterRecord, ordinal: usize) -> Components {
    let spec = &record.spec;
    let (mut first, mut then) = (Vec::new(), Vec::new());
    if !spec.control_plane_only() {
        then.push(container_runtime::containerd());
    }
    if ordinal == 0 {
        first.extend([control_plane::etcd(spec), control_plane::api_server(record)]);
        then.extend([control_plane::controller_manager(spec), control_plane::scheduler(spec)]);
        if !spec.control_plane_only() {
            then.extend([dns::coredns(), storage::provisioner()]);
            if spec.load_balancer {
                then.push(Component {
                    name: LOAD_BALANCER.into(),
                    command: vec![
                        "testbed".into(),
                        LOAD_BALANCER.into(),
                        format!("{CONFIG}/load-balancer.json"),
                    ],
                });
            }
        }
    }
    if !spec.control_plane_only() {
        then.extend([kubelet::kubelet(record, ordinal), kubelet::kube_proxy(record, ordinal)]);
    }
    Components { first, then }
}

/// Files below [`CONFIG`] on the node with this ordinal, without certificates and kubeconfigs.
pub(crate) fn files(record: &ClusterRecord, ordinal: usize) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    if ordinal == 0 {
        files.insert("audit-policy.yaml".into(), control_plane::audit_policy());
    }
    if record.spec.control_plane_only() {
        return files;
    }
    files.insert("containerd.toml".into(), container_runtime::config());
    files.insert("cni/10-testbed.conflist".into(), container_runtime::network(record, ordinal));
    files.insert("kubelet.json".into(), kubelet::config(record, ordinal));
    files.insert("nodes.nft".into(), kubelet::masquerade(record));
    if ordinal == 0 {
        files.insert("Corefile".into(), dns::corefile());
        files.insert("load-balancer.json".into(), control_plane::load_balancer(record));
        files.extend(storage::files());
    }
    files
}

/// The certificates (without extension) and the kubeconfigs that the node gets: nothing that it has no use for.
pub(crate) fn secrets(record: &ClusterRecord, ordinal: usize) -> (Vec<String>, Vec<String>) {
    let node = kubelet_file(&record.spec.name.node(ordinal));
    let mut certificates = vec![node.clone()];
    let mut kubeconfigs = vec![node, "kube-proxy".to_owned()];
    if ordinal == 0 {
        let control_plane = [
            "ca",
            "front-proxy-ca",
            "etcd-ca",
            "sa",
            "apiserver",
            "apiserver-kubelet-client",
            "apiserver-etcd-client",
            "front-proxy-client",
            "etcd-server",
        ];
        certificates.extend(control_plane.map(str::to_owned));
        let clients = [
            "admin",
            "controller-manager",
            "scheduler",
            "coredns",
            "load-balancer",
            "local-path-provisioner",
        ];
        kubeconfigs.extend(clients.map(str::to_owned));
    }
    (certificates, kubeconfigs)
}

/// `--name=value`.
fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterSpec, Network};

    fn record(nodes: usize) -> ClusterRecord {
        let mut spec = ClusterSpec::new("rome".parse().unwrap());
        spec.nodes = nodes;
        spec.flags = vec!["kube-apiserver=--v=4".parse().unwrap()];
        ClusterRecord { spec, index: 1, network: Network::default() }
    }

    fn names(nodes: usize, ordinal: usize) -> Vec<String> {
        let components = components(&record(nodes), ordinal);
        components.first.iter().chain(&components.then).map(|c| c.name.clone()).collect()
    }

    #[test]
    fn a_control_plane_alone_has_no_kubelet() {
        assert_eq!(names(0, 0), ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]);
    }

    #[test]
    fn a_worker_has_nothing_of_the_control_plane() {
        assert_eq!(names(2, 1), ["containerd", "kubelet", "kube-proxy"]);
        let (certificates, kubeconfigs) = secrets(&record(2), 1);
        assert_eq!(certificates, ["kubelet-rome-worker"]);
        assert_eq!(kubeconfigs, ["kubelet-rome-worker", "kube-proxy"]);
    }

    #[test]
    fn flags_of_the_user_come_last() {
        let all = components(&record(1), 0);
        let api_server = all.first.iter().find(|c| c.name == "kube-apiserver").unwrap();
        assert_eq!(api_server.command.last().map(String::as_str), Some("--v=4"));
    }

    #[test]
    fn each_file_that_a_command_names_is_there() {
        let record = record(2);
        let components = components(&record, 0);
        let (certificates, kubeconfigs) = secrets(&record, 0);
        let mut there: Vec<String> = files(&record, 0).into_keys().map(|f| format!("{CONFIG}/{f}")).collect();
        there.extend(certificates.iter().flat_map(|c| ["crt", "key"].map(|e| format!("{PKI}/{c}.{e}"))));
        there.extend([format!("{PKI}/ca.crt"), format!("{PKI}/sa.pub")]);
        there.extend(kubeconfigs.iter().map(|k| format!("{CONFIG}/{k}.kubeconfig")));
        for component in components.first.iter().chain(&components.then) {
            for word in &component.command {
                let named = word.split_once('=').map_or(word.as_str(), |(_, value)| value);
                if named.starts_with(CONFIG) {
                    assert!(there.contains(&named.to_owned()), "{} names {named}", component.name);
                }
            }
        }
    }
}
