//! Volumes on demand: the local path provisioner, which makes a directory of the node for each claim.

use serde_json::json;

use super::CONFIG;
use crate::image::TOOLBOX_IMAGE;
use crate::node::Component;

/// The default StorageClass.
pub(crate) const STORAGE_CLASS: &str = "standard";
/// Where the provisioner keeps its objects and runs its helper pods.
pub(crate) const NAMESPACE: &str = "local-path-storage";
/// The account of helper pods.
pub(crate) const ACCOUNT: &str = "local-path-provisioner";
/// The directory of volumes on each node.
const VOLUMES: &str = "/var/local-path-provisioner";

pub(super) fn provisioner() -> Component {
    Component::new(
        "local-path-provisioner",
        [
            "start".to_owned(),
            format!("--config={CONFIG}/local-path/config.json"),
            format!("--kubeconfig={CONFIG}/local-path-provisioner.kubeconfig"),
            "--provisioner-name=rancher.io/local-path".to_owned(),
            format!("--namespace={NAMESPACE}"),
            format!("--helper-image={TOOLBOX_IMAGE}"),
            format!("--helper-pod-file={CONFIG}/local-path/helper-pod.yaml"),
            "--configmap-name=local-path-config".to_owned(),
            format!("--service-account-name={ACCOUNT}"),
        ],
    )
}

/// The provisioner reads the first from disk and the scripts from a ConfigMap with the same contents (see
/// `control_plane::bootstrap`).
pub(super) fn files() -> [(String, String); 2] {
    [("local-path/config.json".into(), config()), ("local-path/helper-pod.yaml".into(), helper_pod())]
}

pub(crate) fn config() -> String {
    let config = json!({
        "nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [VOLUMES]}],
        "setupCommand": null,
        "teardownCommand": null,
    });
    format!("{config:#}\n")
}

/// The pod that makes or removes a directory on the node.
pub(crate) fn helper_pod() -> String {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {
            "priorityClassName": "system-node-critical",
            "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "helper-pod",
                "image": TOOLBOX_IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {"runAsUser": 0},
            }],
        },
    });
    format!("{pod:#}\n")
}

/// The scripts that the helper pod runs; the provisioner passes the volume's directory in `VOL_DIR`.
pub(crate) fn scripts() -> [(&'static str, &'static str); 2] {
    [
        ("setup", "#!/bin/sh\nset -eu\nmkdir -m 0777 -p \"$VOL_DIR\"\n"),
        ("teardown", "#!/bin/sh\nset -eu\nrm -rf \"$VOL_DIR\"\n"),
    ]
}
