//! What is written to make a cluster known and to peer with it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use liqo_api::labels::CLUSTER_ID;
use liqo_api::{Described, ForeignCluster};
use liqo_model::crd::{ClusterIdentity, ForeignClusterSpec, PeeringEnabled, PeeringType};
use liqo_model::{ClusterId, ClusterName, check_dns_label, tenant_namespace_name};
use serde_json::{Map, Value, json};

use crate::CtlError;
use crate::debug::plain;

/// A cluster to peer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) id: ClusterId,
    name: ClusterName,
    auth_url: String,
}

/// What has to be done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The cluster is not known.
    Create,
    /// It is, and something of it has to change.
    Change { name: String, patch: Value },
    /// All is as it should be.
    Nothing { name: String },
}

impl Wish {
    /// What was typed, if objects can be made of it.
    pub(crate) fn checked(name: &str, id: &str, auth_url: &str) -> Result<Self, CtlError> {
        let wrong = |error: liqo_model::InvalidName| CtlError::Argument(error.to_string());
        check_dns_label("CLUSTER", name).map_err(wrong)?;
        check_dns_label("--cluster-id", id).map_err(wrong)?;
        let wish = Self { id: id.into(), name: name.into(), auth_url: auth_url.to_owned() };
        let namespace = tenant_namespace_name(&wish.name, &wish.id);
        if check_dns_label("namespace", namespace.as_str()).is_err() {
            return Err(CtlError::Argument(format!(
                "CLUSTER {name:?} is too long: it is part of the name of namespace {namespace}, which may have 63 \
                 characters"
            )));
        }
        let host = auth_url.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || auth_url.chars().any(char::is_whitespace) {
            return Err(CtlError::Argument(format!(
                "--auth-url {} is no URL of an authentication service: it begins with https:// and a host",
                plain(auth_url)
            )));
        }
        Ok(wish)
    }
}

/// What to write, given all clusters that are known.
pub(crate) fn write_for(known: &[ForeignCluster], wish: &Wish) -> Result<Write, CtlError> {
    match standing_for(&wish.id, known) {
        Some(peer) => change(peer, wish),
        None => match known.iter().find(|peer| name_of(peer) == wish.name.as_str()) {
            Some(other) if !other.spec.cluster_identity.cluster_id.is_empty() => Err(CtlError::Object {
                object: format!("ForeignCluster {}", wish.name),
                fault: format!("stands for cluster {}", plain(&other.spec.cluster_identity.cluster_id)),
                remedy: "give this cluster another name".to_owned(),
            }),
            Some(unknown) => change(unknown, wish),
            None => Ok(Write::Create),
        },
    }
}

/// The object that stands for the cluster; of several the oldest, as the control plane has it.
pub(crate) fn standing_for<'a>(id: &ClusterId, known: &'a [ForeignCluster]) -> Option<&'a ForeignCluster> {
    let stands = |peer: &&ForeignCluster| {
        let label = peer.metadata.labels.as_ref().and_then(|labels| labels.get(CLUSTER_ID));
        let spec = &peer.spec.cluster_identity.cluster_id;
        label.map_or(spec.as_str(), String::as_str) == id.as_str()
    };
    known.iter().filter(stands).min_by_key(|peer| (peer.metadata.creation_timestamp.clone(), name_of(peer)))
}

/// The patch that asks for the outgoing peering or its end; none when that is asked for already.
pub(crate) fn enabled(peer: &ForeignCluster, wanted: PeeringEnabled) -> Option<Value> {
    let spec = || json!({"spec": {"outgoingPeeringEnabled": wanted}});
    (peer.spec.outgoing_peering_enabled != wanted).then(spec)
}

fn name_of(peer: &ForeignCluster) -> &str {
    peer.metadata.name.as_deref().unwrap_or_default()
}

/// The object for a cluster that is not known.
pub(crate) fn made(wish: &Wish) -> ForeignCluster {
    let metadata = ObjectMeta {
        name: Some(wish.name.to_string()),
        labels: Some(BTreeMap::from([(CLUSTER_ID.to_owned(), wish.id.to_string())])),
        ..ObjectMeta::default()
    };
    let spec = ForeignClusterSpec {
        cluster_identity: ClusterIdentity {
            cluster_id: wish.id.to_string(),
            cluster_name: wish.name.to_string(),
        },
        outgoing_peering_enabled: PeeringEnabled::Yes,
        foreign_auth_url: wish.auth_url.clone(),
        // The certificate of an authentication service is its own unless an administrator says otherwise; the
        // certificate that a cluster gives to a peer is bound to its key.
        insecure_skip_tls_verify: true,
        ..ForeignClusterSpec::default()
    };
    let mut object = ForeignCluster::new("", &ForeignCluster::DESCRIPTION.api_resource(), spec);
    object.metadata = metadata;
    object
}

fn change(peer: &ForeignCluster, wish: &Wish) -> Result<Write, CtlError> {
    let name = name_of(peer).to_owned();
    let refused = |fault: &str, remedy: &str| CtlError::Object {
        object: format!("ForeignCluster {}", plain(&name)),
        fault: fault.to_owned(),
        remedy: remedy.to_owned(),
    };
    if peer.metadata.deletion_timestamp.is_some() {
        return Err(refused("is being deleted", "run the command again when it is gone"));
    }
    if peer.spec.peering_type != PeeringType::OutOfBand {
        let fault = format!("has spec.peeringType {}, which never changes", type_of(peer));
        return Err(refused(&fault, "unpeer from that cluster first"));
    }
    let patch = patch(peer, wish);
    Ok(if patch.as_object().is_none_or(Map::is_empty) {
        Write::Nothing { name }
    } else {
        Write::Change { name, patch }
    })
}

pub(crate) fn type_of(peer: &ForeignCluster) -> &'static str {
    match peer.spec.peering_type {
        PeeringType::OutOfBand => "OutOfBand",
        PeeringType::InBand => "InBand",
        PeeringType::Unrecognised => "of another version",
    }
}

/// The fields that are not as they should be.
fn patch(peer: &ForeignCluster, wish: &Wish) -> Value {
    let (found, mut spec, mut patch) = (&peer.spec, Map::new(), Map::new());
    let mut identity = Map::new();
    if found.cluster_identity.cluster_id.is_empty() {
        identity.insert("clusterID".to_owned(), json!(wish.id));
    }
    if found.cluster_identity.cluster_name.is_empty() {
        identity.insert("clusterName".to_owned(), json!(wish.name));
    }
    if !identity.is_empty() {
        spec.insert("clusterIdentity".to_owned(), Value::Object(identity));
    }
    if found.foreign_auth_url != wish.auth_url {
        spec.insert("foreignAuthUrl".to_owned(), json!(wish.auth_url));
    }
    if !found.foreign_proxy_url.is_empty() {
        spec.insert("foreignProxyUrl".to_owned(), json!(""));
    }
    if found.outgoing_peering_enabled != PeeringEnabled::Yes {
        spec.insert("outgoingPeeringEnabled".to_owned(), json!(PeeringEnabled::Yes));
    }
    let label = peer.metadata.labels.as_ref().and_then(|labels| labels.get(CLUSTER_ID));
    if label.is_none_or(|label| label != wish.id.as_str()) {
        patch.insert("metadata".to_owned(), json!({"labels": {CLUSTER_ID: wish.id}}));
    }
    if !spec.is_empty() {
        patch.insert("spec".to_owned(), Value::Object(spec));
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests;
