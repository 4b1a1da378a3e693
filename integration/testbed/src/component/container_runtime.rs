//! containerd and the pod network of a node.

use serde_json::json;

use super::CONFIG;
use crate::image::PAUSE_IMAGE;
use crate::model::ClusterRecord;
use crate::node::Component;
use crate::node::filesystem::CNI_PLUGINS as CNI_PLUGINS_OF_NODE;

/// The directories where distributions put CNI plugins: Debian's own, then everybody else's.
pub(crate) const CNI_DIRECTORIES: [&str; 2] = ["/usr/lib/cni", "/opt/cni/bin"];
/// The plugins that the pod network is made of.
pub(crate) const CNI_PLUGINS: [&str; 4] = ["bridge", "host-local", "loopback", "portmap"];

pub(super) fn containerd() -> Component {
    Component::new("containerd", ["--config".into(), format!("{CONFIG}/containerd.toml")])
}

/// The directory that holds the CNI plugins on this machine.
pub(crate) fn plugin_directory() -> Option<&'static str> {
    CNI_DIRECTORIES.into_iter().find(|directory| {
        CNI_PLUGINS.iter().all(|plugin| std::path::Path::new(directory).join(plugin).exists())
    })
}

/// Configuration version 2, which containerd 1.5 and all later ones take. AppArmor is left out because its profiles are
/// loaded into the machine's kernel and would stay there.
pub(super) fn config() -> String {
    format!(
        r#"version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.blockfile", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  disable_apparmor = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS_OF_NODE}"
    conf_dir = "{CONFIG}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"#
    )
}

/// The pod network of one node: a bridge with the node's block of addresses. Masquerading is the node's own (see
/// `nodes.nft`), since the plugin knows only the block of one node.
pub(super) fn network(record: &ClusterRecord, ordinal: usize) -> String {
    let pods = record.spec.node_pods(ordinal).map(|cidr| cidr.to_string()).unwrap_or_default();
    let config = json!({
        "cniVersion": "0.4.0",
        "name": "testbed",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": true,
                "isDefaultGateway": true,
                "hairpinMode": true,
                "ipMasq": false,
                "mtu": 1500,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": pods}]], "dataDir": "/run/cni"},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    });
    format!("{config:#}\n")
}
