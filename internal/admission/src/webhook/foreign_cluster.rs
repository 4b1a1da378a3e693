//! ForeignClusters: the label by which they are found, and what never changes in them.

use liqo_api::labels::CLUSTER_ID;
use liqo_domain::{PeerIdentity, foreign_cluster_label, foreign_cluster_violation};
use serde_json::Value;

use super::{old_text, text};
use crate::answer::{Admission, Refusal};
use crate::patch::{at, set};
use crate::review::Request;

const PEERING_TYPE: &[&str] = &["spec", "peeringType"];
const ID: &[&str] = &["spec", "clusterIdentity", "clusterID"];
const NAME: &[&str] = &["spec", "clusterIdentity", "clusterName"];
const LABEL: &[&str] = &["metadata", "labels", CLUSTER_ID];
const DEFAULT_PEERING_TYPE: &str = "OutOfBand";

/// Sets the label that says which peer it is.
pub(super) fn label(request: &Request) -> Result<Admission, Refusal> {
    let object = &request.object;
    if !object.is_object() {
        return Err(Refusal::malformed("object", "a map"));
    }
    let labelled = at(object, LABEL).and_then(Value::as_str);
    match foreign_cluster_label(text(object, ID, "")?, labelled) {
        Some(id) => Ok(Admission::with(vec![set(object, LABEL, id.into())?])),
        None => Ok(Admission::unchanged()),
    }
}

/// Refuses changes of what never changes.
pub(super) fn change(request: &Request) -> Result<Admission, Refusal> {
    let (old, new) = (&request.old_object, &request.object);
    let before = PeerIdentity {
        peering_type: old_text(old, PEERING_TYPE, DEFAULT_PEERING_TYPE),
        cluster_id: old_text(old, ID, ""),
        cluster_name: old_text(old, NAME, ""),
    };
    let now = PeerIdentity {
        peering_type: text(new, PEERING_TYPE, DEFAULT_PEERING_TYPE)?,
        cluster_id: text(new, ID, "")?,
        cluster_name: text(new, NAME, "")?,
    };
    foreign_cluster_violation(before, now)
        .map_or(Ok(Admission::unchanged()), |forbidden| Err(forbidden.into()))
}
