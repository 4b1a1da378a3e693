//! ResourceRequests.

use liqo_events::{Facts, ResourceRequestFacts};

use super::fields::Read;
use super::{Reader, replication};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    Ok(Facts::ResourceRequest(ResourceRequestFacts {
        replication: replication::read(object)?,
        cluster_id: object.named("spec.clusterIdentity.clusterID")?,
        cluster_name: object.named("spec.clusterIdentity.clusterName")?,
        auth_url: object.named("spec.authUrl")?,
        withdrawn: object.is_set("spec.withdrawalTimestamp")?,
        offer_withdrawn: object.is_set("status.offerWithdrawalTimestamp")?,
        offer_state: object.named("status.offerState")?,
    }))
}
