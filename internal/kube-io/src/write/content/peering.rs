//! ForeignClusters of consumers that came by themselves, requests for resources, and offers.

use liqo_api::labels;
use liqo_events::Content;
use liqo_model::{ClusterId, ClusterName, Kind, ObjectKey};
use serde_json::{Value, json};

use super::{Rendered, Rendering, amounts, misplaced, moment, over};
use crate::project::spelt_as;
use crate::write::step::Step;

/// Made once; from then on it is the user's.
pub(super) fn foreign_cluster(
    key: &ObjectKey,
    (id, name): (&ClusterId, &ClusterName),
    auth_url: &str,
    object: Option<&Value>,
) -> Rendering {
    if let Some(object) = object {
        let known = object["spec"]["clusterIdentity"]["clusterID"].as_str().unwrap_or_default();
        if known == id.as_str() {
            return Err(Step::Nothing);
        }
        return Err(Step::Park(format!(
            "{key} stands for another cluster: {known:?}; rename one of the two"
        )));
    }
    let marks =
        [(labels::DISCOVERY_TYPE, labels::DISCOVERY_INCOMING_PEERING), (labels::CLUSTER_ID, id.as_str())];
    Ok(Rendered::labelled(marks).with(
        "spec",
        json!({
            "clusterIdentity": {"clusterID": id.as_str(), "clusterName": name.as_str()},
            "foreignAuthUrl": auth_url,
            "incomingPeeringEnabled": "Auto",
            "outgoingPeeringEnabled": "Auto",
            "insecureSkipTLSVerify": true,
            "peeringType": "OutOfBand",
        }),
    ))
}

pub(super) fn resource_request(content: &Content, object: Option<&Value>) -> Rendering {
    let Content::ResourceRequest { remote, id, name, auth_url, withdrawn_at, owner } = content else {
        return Err(misplaced());
    };
    let known = object.map_or(&Value::Null, |object| &object["spec"]["withdrawalTimestamp"]);
    let spec = json!({
        "clusterIdentity": {"clusterID": id.as_str(), "clusterName": name.as_str()},
        "authUrl": auth_url,
        "withdrawalTimestamp": moment(*withdrawn_at, known),
    });
    Ok(replicated(remote).with("spec", over(None, spec)).owned_by(Kind::ForeignCluster, owner))
}

pub(super) fn resource_offer(content: &Content, object: Option<&Value>) -> Rendering {
    let (Content::ResourceOffer { remote, id, hard, labels: chosen, owner, .. }
    | Content::Offer { remote, id, hard, labels: chosen, owner, .. }) = content
    else {
        return Err(misplaced());
    };
    let known = object.map_or(&Value::Null, |object| &object["spec"]);
    let mut spec = json!({
        "clusterId": id.as_str(),
        "labels": chosen,
        "resourceQuota": {"hard": amounts(hard)},
    });
    if let Content::ResourceOffer { withdrawn_at, .. } = content {
        spec["withdrawalTimestamp"] = moment(*withdrawn_at, &known["withdrawalTimestamp"]);
    }
    // Images, prices and storage classes are of other hands.
    let spec = spelt_as(known, over(object, spec));
    let mut rendered = replicated(remote).with("spec", spec).owned_by(Kind::ResourceRequest, owner);
    rendered.labels.insert(labels::CLUSTER_ID.to_owned(), remote.to_string());
    Ok(rendered)
}

/// The labels of what is copied to a peer.
pub(super) fn replicated(remote: &ClusterId) -> Rendered {
    Rendered::labelled([
        (labels::REPLICATION, labels::TRUE),
        (labels::REPLICATION_DESTINATION, remote.as_str()),
    ])
}
