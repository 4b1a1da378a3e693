//! Commands that copy: from one object to another, which may be in another cluster.

use ipnet::IpNet;
use liqo_api::{annotations, labels};
use liqo_engine::Outcome;
use liqo_events::Effect;
use liqo_model::{ClusterId, Kind, ObjectKey, Uid};
use serde_json::Value;

use super::outcome;
use super::writer::{Current, Writer};
use crate::client::{Place, Selection, Urgency, Verb};
use crate::object::read_page;
use crate::{ApiServer, Refusal};

/// Most TunnelEndpoints of one peer that are looked at. There is one.
const TUNNELS: u32 = 10;

/// The object that an effect copies from, and the life of it that counts; no life when any does.
pub(super) fn of(effect: &Effect) -> Option<(&ObjectKey, Option<&Uid>)> {
    match effect {
        Effect::Replicate { from, uid, .. }
        | Effect::Reflect { from, uid, .. }
        | Effect::Materialize { from, uid, .. } => Some((from, Some(uid))),
        Effect::ReplicateStatus { from, .. } | Effect::MirrorStatus { from, .. } => Some((from, None)),
        _ => None,
    }
}

/// The consumer that a namespace of this cluster belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Consumer {
    pub(super) id: ClusterId,
    /// Networks that its endpoints may be in.
    pub(super) networks: Vec<IpNet>,
}

impl Writer {
    /// An object that is copied, from the cache or as a quorum knows it.
    ///
    /// # Errors
    ///
    /// How the command ends: superseded when the object has gone, or is another life than `uid`.
    pub(crate) async fn source(&self, key: &ObjectKey, uid: Option<&Uid>) -> Result<Current, Outcome> {
        let Some(server) = self.servers.get(&key.cluster) else { return Err(outcome::no_server(key)) };
        let is_meant =
            |body: &Value| uid.is_none_or(|uid| body["metadata"]["uid"].as_str() == Some(uid.as_str()));
        // The cache may be of an earlier life, so nothing is given up because of it.
        if let Some(known) = self.cached(key).filter(|known| is_meant(&known.body)) {
            return Ok(known);
        }
        match read(&server, key).await {
            Ok(Some(found)) if is_meant(&found.body) => Ok(found),
            Ok(Some(_)) => {
                Err(Outcome::Superseded { reason: format!("{key} is another object of the same name") })
            }
            Ok(None) => Err(Outcome::Superseded { reason: format!("{key} is no more") }),
            Err(refusal) => Err(outcome::of(&refusal, key)),
        }
    }

    /// Whose namespace it is that a shadow is in. Asked of the namespace, never of the shadow: a tenant writes that.
    pub(super) async fn consumer(&self, shadow: &ObjectKey) -> Result<Consumer, Outcome> {
        let key = ObjectKey {
            cluster: shadow.cluster.clone(),
            kind: Kind::Namespace,
            namespace: String::new(),
            name: shadow.namespace.clone(),
        };
        let namespace = self.source(&key, None).await?;
        let metadata = &namespace.body["metadata"];
        let Some(id) = metadata["labels"][labels::REMOTE_CLUSTER_ID].as_str() else {
            let label = labels::REMOTE_CLUSTER_ID;
            let reason = format!("{key} belongs to no consumer: it has no label {label}");
            return Err(Outcome::Superseded { reason });
        };
        let mut consumer = Consumer { id: id.into(), networks: Vec::new() };
        if shadow.kind == Kind::ShadowEndpointSlice {
            let map = metadata["annotations"][annotations::MANAGED_BY_NAMESPACE_MAP].as_str();
            let tenant = map.and_then(|map| map.split_once('/')).map_or("", |(tenant, _)| tenant);
            consumer.networks = self.networks(shadow, tenant, id).await?;
        }
        Ok(consumer)
    }

    /// The networks of a consumer as this cluster names them; none while there is no tunnel to it.
    async fn networks(&self, shadow: &ObjectKey, tenant: &str, id: &str) -> Result<Vec<IpNet>, Outcome> {
        let Some(server) = self.servers.get(&shadow.cluster) else { return Err(outcome::no_server(shadow)) };
        let place = Place { kind: Kind::TunnelEndpoint, namespace: tenant };
        let labels = Some(format!("{}={id}", labels::PEER_CLUSTER_ID));
        let listed = match place.list(&Selection { labels, fields: None }, TUNNELS, None) {
            Ok(request) => server.call(Verb::List, Urgency::Normal, request).await,
            Err(refusal) => Err(refusal),
        };
        let bytes = listed.map_err(|refusal| outcome::of(&refusal, shadow))?;
        let mut networks = Vec::new();
        let read = read_page(&bytes, &mut |tree| networks.extend(networks_of(&tree.body["spec"])));
        read.map_err(|error| {
            outcome::later(&format!("{shadow}: the list of TunnelEndpoints is none: {error}"))
        })?;
        Ok(networks)
    }
}

/// An object as a quorum knows it.
pub(super) async fn read(server: &ApiServer, key: &ObjectKey) -> Result<Option<Current>, Refusal> {
    let request = Place::of(key).get(&key.name)?;
    match server.object(Verb::Get, Urgency::Normal, request).await {
        Ok(object) => {
            Ok(Some(Current { version: object.resource_version, body: object.body, cached: false }))
        }
        Err(Refusal::Status { code: 404, .. }) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// Pods and whatever else the peer offers, each by the name that is used here.
fn networks_of(spec: &Value) -> Vec<IpNet> {
    let used = [("remoteNATPodCIDR", "remotePodCIDR"), ("remoteNATExternalCIDR", "remoteExternalCIDR")];
    let used = used.into_iter().filter_map(|(remapped, own)| {
        let text = |key: &str| spec[key].as_str().filter(|text| !text.is_empty() && *text != "None");
        text(remapped).or_else(|| text(own))?.parse::<IpNet>().ok()
    });
    // The whole address space is no network of a peer.
    used.filter(|network| network.prefix_len() > 0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn networks_are_those_by_which_they_are_named_here() {
        let networks = |spec: Value| networks_of(&spec).iter().map(ToString::to_string).collect::<Vec<_>>();
        let spec = json!({
            "remotePodCIDR": "10.200.0.0/16", "remoteNATPodCIDR": "10.201.0.0/16",
            "remoteExternalCIDR": "10.81.0.0/16", "remoteNATExternalCIDR": "None",
        });
        assert_eq!(networks(spec), ["10.201.0.0/16", "10.81.0.0/16"]);
        assert_eq!(networks(json!({"remotePodCIDR": "0.0.0.0/0", "remoteExternalCIDR": "x"})), [""; 0]);
    }
}
