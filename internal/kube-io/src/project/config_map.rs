//! ConfigMaps: only the one with the identity of the local cluster matters, and it is known by its label.

use liqo_api::{labels, names};
use liqo_events::{ClusterIdentityFacts, Facts};

use super::fields::{Fields, Read};

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    if object.label(labels::APP_NAME)? != labels::APP_NAME_CLUSTER_ID {
        return Ok(Facts::Presence);
    }
    Ok(Facts::ClusterIdentity(ClusterIdentityFacts {
        id: object.named(&format!("data.{}", names::CLUSTER_ID_KEY))?,
        name: object.named(&format!("data.{}", names::CLUSTER_NAME_KEY))?,
    }))
}
