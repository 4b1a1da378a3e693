//! `liqoctl version`: which version this is, and which one the cluster has.

use clap::Args;
use k8s_openapi::api::apps::v1::Deployment;

use crate::access::{Access, Installed};
use crate::cluster::Cluster;
use crate::debug::plain;
use crate::{Console, CtlError};

const MANAGER: &str = "liqo-controller-manager";
const VERSION_LABEL: &str = "app.kubernetes.io/version";

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
    console.write(&format!("Client version: v{}\n", env!("CARGO_PKG_VERSION")))?;
    if arguments.client {
        return Ok(());
    }
    let deployments = Cluster::open(access).await?.within::<Deployment>(&arguments.installed.namespace);
    let manager = deployments.get(MANAGER).await?.ok_or_else(|| CtlError::Object {
        object: deployments.named(MANAGER),
        fault: "does not exist".to_owned(),
        remedy: "check --namespace, or say --client".to_owned(),
    })?;
    console.write(&format!("Server version: {}\n", version_of(&manager)))
}

/// The version in the label of the chart, else the tag of the image.
fn version_of(manager: &Deployment) -> String {
    let label = manager.metadata.labels.as_ref().and_then(|labels| labels.get(VERSION_LABEL));
    let pod = manager.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let image = pod.and_then(|pod| pod.containers.first()?.image.as_deref());
    let version = label.map(String::as_str).or_else(|| image.and_then(tag));
    plain(version.unwrap_or("unknown"))
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
