//! The steps of an installation.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use liqo_testbed::{ClusterName, Testbed};

use crate::administrator::Administrator;
use crate::error::Result;
use crate::image::{Image, Outcome, file};

/// The namespace that Liqo is installed in.
pub const NAMESPACE: &str = "liqo";
/// What runs in [`NAMESPACE`] when Liqo is installed.
pub const WORKLOADS: [&str; 3] =
    ["deployment/liqo-controller-manager", "deployment/liqo-gateway", "daemonset/liqo-route"];

/// The directories of manifests, in the order in which they are applied.
const MANIFESTS: [&str; 3] = ["deploy/crds", "deploy/rbac", "deploy/manifests"];
/// The label of everything that is installed.
const OURS: &str = "app.kubernetes.io/part-of=liqo";
/// Namespace, name, start and image of pods.
const POD_LINE: &str = "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} {.status.startTime} \
                        {.spec.containers[0].image}{\"\\n\"}{end}";
/// How long the pods may take to become ready. They take ten seconds; a machine that compiles beside may take longer.
const PATIENCE: &str = "--timeout=120s";

/// Installs Liqo in a cluster of the testbed from the programs in a directory, and waits until it runs. It may be called
/// again for a cluster that has it.
///
/// # Errors
///
/// [`crate::Error`], with the command that failed.
pub async fn install(testbed: &Testbed, cluster: &ClusterName, programs: &Path) -> Result<Administrator> {
    let administrator = Administrator::of(testbed, cluster, programs).await?;
    let archives = load(testbed, cluster, programs).await?;
    renew(&administrator, &archives)?;
    configure(testbed, cluster, &administrator)?;
    apply(&administrator)?;
    for workload in WORKLOADS {
        administrator.kubectl(&["rollout", "status", workload, "--namespace", NAMESPACE, PATIENCE])?;
    }
    Ok(administrator)
}

/// An image that every node has now.
struct Loaded {
    name: String,
    /// When its archive was written, as Kubernetes writes times.
    written: String,
}

/// Gives the images to every node.
async fn load(testbed: &Testbed, cluster: &ClusterName, programs: &Path) -> Result<Vec<Loaded>> {
    let images = checkout().join("target/images");
    let mut loaded = Vec::new();
    for image in Image::ALL.iter().filter(|image| image.is_installed()) {
        if matches!(image.make(programs, &images)?, Outcome::Absent(_)) {
            continue;
        }
        let archive = images.join(image.archive());
        testbed.load(cluster, &archive).await?;
        loaded.push(Loaded { name: image.name(), written: modified(&archive)? });
    }
    Ok(loaded)
}

fn modified(path: &Path) -> Result<String> {
    let time =
        std::fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(file("read", path))?;
    let time = Timestamp::try_from(time).unwrap_or_default();
    Ok(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Ends pods that run an earlier image of the same name: whoever looks after them makes others.
fn renew(administrator: &Administrator, images: &[Loaded]) -> Result<()> {
    let pods =
        administrator.kubectl(&["get", "pods", "--all-namespaces", "--selector", OURS, "-o", POD_LINE])?;
    for (namespace, pod) in outdated(&pods, images) {
        administrator.kubectl(&["delete", "pod", pod, "--namespace", namespace, "--ignore-not-found"])?;
    }
    Ok(())
}

/// Namespace and name of pods, each a line of [`POD_LINE`], that started before their image was written.
fn outdated<'a>(pods: &'a str, images: &'a [Loaded]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let words = pods.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    words.filter_map(|words| match words.as_slice() {
        [namespace, pod, started, image] => {
            let loaded = images.iter().find(|loaded| loaded.name == *image)?;
            (*started < loaded.written.as_str()).then_some((*namespace, *pod))
        }
        _ => None,
    })
}

/// Applies the manifests.
///
/// # Errors
///
/// As [`Administrator::kubectl`].
pub fn apply(administrator: &Administrator) -> Result<String> {
    let directories = MANIFESTS.map(|directory| checkout().join(directory).display().to_string());
    let files = directories.iter().flat_map(|directory| ["-f", directory]);
    administrator.kubectl(&["apply", "--server-side"].into_iter().chain(files).collect::<Vec<_>>())
}

/// Tells what differs from cluster to cluster, before anything waits for it.
fn configure(testbed: &Testbed, cluster: &ClusterName, administrator: &Administrator) -> Result<String> {
    let spec = testbed.layout().record(cluster)?.spec;
    administrator.apply(&format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
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

/// The directory of the workspace's programs, beside the program or test that asks.
pub fn programs() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    let directory = here.parent().unwrap_or(Path::new("."));
    let of_test = directory.file_name().is_some_and(|name| name == "deps");
    if of_test { directory.join("..") } else { directory.to_owned() }
}

/// The repository.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_that_started_before_their_image_was_written_are_outdated() {
        let image = |name: &str| Loaded { name: name.to_owned(), written: "2026-11-28T10:30:00Z".to_owned() };
        let pods = "liqo old 2026-11-28T10:29:59Z localhost/a:dev\n\
                    liqo new 2026-11-28T10:30:00Z localhost/a:dev\n\
                    tenant old 2026-11-27T23:00:00Z localhost/b:dev\n\
                    liqo other 2026-11-27T23:00:00Z localhost/c:dev\n\
                    liqo unscheduled  localhost/a:dev\n";
        let images = [image("localhost/a:dev"), image("localhost/b:dev")];
        let found: Vec<_> = outdated(pods, &images).collect();
        assert_eq!(found, [("liqo", "old"), ("tenant", "old"), ("liqo", "unscheduled")]);
    }

    #[test]
    fn times_of_files_are_those_of_kubernetes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_795_861_888_900);
        file.as_file().set_modified(time).unwrap();
        assert_eq!(modified(file.path()).unwrap(), "2026-11-28T10:31:28Z");
    }
}
