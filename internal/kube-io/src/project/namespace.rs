//! Namespaces: whose tenant they are, what they extend, and whether their pods go through the webhook.

use liqo_api::{annotations, labels};
use liqo_events::{Facts, NamespaceFacts};
use liqo_model::ClusterId;

use super::fields::{Fields, Read};

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    // The label alone is no tenant namespace: identities and offers carry it too, and a user may copy it.
    let is_tenant = object.label(labels::TENANT_NAMESPACE)? == labels::TRUE;
    let tenant_of = if is_tenant { object.label(labels::CLUSTER_ID)?.into() } else { ClusterId::default() };
    Ok(Facts::Namespace(NamespaceFacts {
        scheduling_enabled: object.label(labels::SCHEDULING_ENABLED)? == labels::TRUE,
        tenant_of,
        remote_cluster: object.label(labels::REMOTE_CLUSTER_ID)?.into(),
        managed_by: object.annotation(annotations::MANAGED_BY_NAMESPACE_MAP)?.to_owned(),
    }))
}
