//! `liqoctl version`: which version this is, and which one the cluster has.

mod number;

use clap::Args;
use k8s_openapi::api::apps::v1::Deployment;

pub(crate) use number::Number;

use crate::access::{Access, Installed};
use crate::cluster::Cluster;
use crate::debug::plain;
use crate::{Console, CtlError};

const MANAGER: &str = "liqo-controller-manager";
const VERSION_LABEL: &str = "app.kubernetes.io/version";
/// What a cluster says whose version cannot be told.
const UNKNOWN: &str = "unknown";
/// This program's version.
const OWN: &str = env!("CARGO_PKG_VERSION");

/// Show versions.
#[derive(Clone, Debug, Args)]
pub struct VersionArguments {
    #[command(flatten)]
    installed: Installed,
    /// Do not ask the cluster
    #[arg(long)]
    client: bool,
}

pub(crate) async fn run(
    access: &Access,
    arguments: VersionArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    console.write(&format!("Client version: v{OWN}\n"))?;
    if arguments.client {
        return Ok(());
    }
    let deployments = Cluster::open(access).await?.within::<Deployment>(&arguments.installed.namespace);
    let manager = deployments.get(MANAGER).await?.ok_or_else(|| CtlError::Object {
        object: deployments.named(MANAGER),
        fault: "does not exist".to_owned(),
        remedy: "check --namespace, or say --client".to_owned(),
    })?;
    let version = version_of(&manager);
    console.write(&format!("Server version: {version}\n"))?;
    differing(&version).map_or(Ok(()), |warning| console.caution(&warning))
}

/// Warns, beside what is shown, when another version than this one is installed. What cannot be read is not compared: it is no
/// reason not to do what was asked for.
pub(crate) async fn warn(cluster: &Cluster, namespace: &str, console: &mut Console) -> Result<(), CtlError> {
    let version = installed(cluster, namespace).await;
    let warning = version.as_deref().and_then(differing);
    warning.map_or(Ok(()), |warning| console.caution(&warning))
}

/// The version that is installed, if that can be told.
pub(crate) async fn installed(cluster: &Cluster, namespace: &str) -> Option<String> {
    let manager = cluster.within::<Deployment>(namespace).get(MANAGER).await.ok().flatten()?;
    Some(version_of(&manager)).filter(|version| version != UNKNOWN)
}

/// That the version is not the one of this program; nothing when it is, or is no release.
fn differing(installed: &str) -> Option<String> {
    let (own, other) = (Number::parse(OWN)?, Number::parse(installed)?);
    (own != other).then(|| {
        format!("this is liqoctl v{OWN}, and Liqo {installed} is installed: use the liqoctl of that version")
    })
}

/// The version in the label of the chart, else the tag of the image.
fn version_of(manager: &Deployment) -> String {
    let label = manager.metadata.labels.as_ref().and_then(|labels| labels.get(VERSION_LABEL));
    let pod = manager.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let image = pod.and_then(|pod| pod.containers.first()?.image.as_deref());
    let version = label.map(String::as_str).or_else(|| image.and_then(tag));
    plain(version.unwrap_or(UNKNOWN))
}

/// The tag of an image; the host in front may have a port, and a digest may be behind.
fn tag(image: &str) -> Option<&str> {
    let (name, _) = image.split_once('@').unwrap_or((image, ""));
    let last = name.rsplit('/').next()?;
    last.split_once(':').map(|(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_release_is_warned_of() {
        assert_eq!(differing(OWN), None);
        assert_eq!(differing(&format!("v{OWN}")), None);
        assert_eq!(differing("dev"), None);
        let warning = differing("v0.8.3").unwrap();
        assert!(
            warning.ends_with("and Liqo v0.8.3 is installed: use the liqoctl of that version"),
            "{warning}"
        );
    }

    #[test]
    fn the_label_counts_before_the_tag() {
        let manager = |labels: serde_json::Value, image: &str| -> Deployment {
            let containers = json!([{"name": "m", "image": image}]);
            serde_json::from_value(json!({
                "metadata": {"labels": labels},
                "spec": {"selector": {}, "template": {"spec": {"containers": containers}}},
            }))
            .unwrap()
        };
        let labelled = manager(json!({"app.kubernetes.io/version": "v0.8.3"}), "a:1");
        assert_eq!(version_of(&labelled), "v0.8.3");
        let image = "registry.example.org:5000/liqo/manager:v1@sha256:00";
        assert_eq!(version_of(&manager(json!({}), image)), "v1");
        assert_eq!(version_of(&manager(json!({}), "registry.example.org:5000/manager")), "unknown");
        assert_eq!(version_of(&Deployment::default()), "unknown");
    }
}
