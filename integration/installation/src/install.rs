//! The steps of an installation.

use std::path::{Path, PathBuf};

use liqo_testbed::{ClusterName, Testbed};

use crate::error::Result;
use crate::image::{Image, Outcome};
use crate::kubectl::Kubectl;

/// The namespace that Liqo is installed in.
pub const NAMESPACE: &str = "liqo";
/// What runs in [`NAMESPACE`] when Liqo is installed.
pub const WORKLOADS: [&str; 3] =
    ["deployment/liqo-controller-manager", "deployment/liqo-gateway", "daemonset/liqo-route"];

/// The directories of manifests, in the order in which they are applied.
const MANIFESTS: [&str; 3] = ["deploy/crds", "deploy/rbac", "deploy/manifests"];
/// How long the pods may take to become ready. They take ten seconds; a machine that compiles beside may take longer.
const PATIENCE: &str = "--timeout=120s";

/// Installs Liqo in a cluster of the testbed from the programs in a directory, and waits until it runs. It may be called
/// again for a cluster that has it.
///
/// # Errors
///
/// [`crate::Error`], with the command that failed.
pub async fn install(testbed: &Testbed, cluster: &ClusterName, programs: &Path) -> Result<Kubectl> {
    let kubectl = Kubectl::of(testbed, cluster).await?;
    load(testbed, cluster, programs).await?;
    apply(&kubectl)?;
    configure(testbed, cluster, &kubectl)?;
    for workload in WORKLOADS {
        kubectl.run(&["rollout", "status", workload, "--namespace", NAMESPACE, PATIENCE])?;
    }
    Ok(kubectl)
}

/// Gives the images to every node.
async fn load(testbed: &Testbed, cluster: &ClusterName, programs: &Path) -> Result<()> {
    let images = checkout().join("target/images");
    for image in Image::ALL.iter().filter(|image| image.is_installed()) {
        if !matches!(image.make(programs, &images)?, Outcome::Absent(_)) {
            testbed.load(cluster, &images.join(image.archive())).await?;
        }
    }
    Ok(())
}

/// Applies the manifests.
///
/// # Errors
///
/// As [`Kubectl::run`].
pub fn apply(kubectl: &Kubectl) -> Result<String> {
    let directories = MANIFESTS.map(|directory| checkout().join(directory).display().to_string());
    let files = directories.iter().flat_map(|directory| ["-f", directory]);
    kubectl.run(&["apply", "--server-side"].into_iter().chain(files).collect::<Vec<_>>())
}

/// Tells what differs from cluster to cluster.
fn configure(testbed: &Testbed, cluster: &ClusterName, kubectl: &Kubectl) -> Result<String> {
    let spec = testbed.layout().record(cluster)?.spec;
    kubectl.apply(&format!(
        "
apiVersion: v1
kind: ConfigMap
metadata: {{name: liqo-config, namespace: {NAMESPACE}}}
data:
  LIQO_CLUSTER_NAME: {cluster}
  LIQO_POD_CIDR: {}
  LIQO_SERVICE_CIDR: {}
",
        spec.pod_cidr, spec.service_cidr
    ))
}

/// The repository.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
