//! Deployments: what those of virtual kubelets were made with.

use liqo_api::annotations;
use liqo_events::{DeploymentFacts, Facts};

use super::fields::{Fields, Read};

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let settings = object.annotation(annotations::VIRTUAL_KUBELET_SETTINGS)?.to_owned();
    Ok(Facts::Deployment(DeploymentFacts { settings }))
}
