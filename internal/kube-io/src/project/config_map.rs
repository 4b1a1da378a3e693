//! ConfigMaps: the one with the identity of the local cluster is known by its label; any other may be one that is copied.

use liqo_api::{labels, names};
use liqo_events::{ClusterIdentityFacts, Facts};

use super::fields::Read;
use super::{Reader, reflection};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    if object.label(labels::APP_NAME)? != labels::APP_NAME_CLUSTER_ID {
        return reflection::facts(object);
    }
    Ok(Facts::ClusterIdentity(ClusterIdentityFacts {
        id: object.named(&format!("data.{}", names::CLUSTER_ID_KEY))?,
        name: object.named(&format!("data.{}", names::CLUSTER_NAME_KEY))?,
    }))
}
