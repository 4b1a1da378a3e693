//! Objects of a peering with milan, for tables.

use liqo_events::{
    Applied, BodyDigest, Configured, Content, ControlPlaneSettings, Effect, Event, Facts,
    ForeignClusterFacts, IdentityFacts, NamespaceFacts, NodeFacts, PeerTokenFacts, Proof, Replication,
    ResourceOfferFacts, ResourceRequestFacts, ServiceFacts, ServicePort, Settings, Switch, Vanished,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use super::scenario::{Scenario, applied, applied_body, list_of, namespace_key, peer_facts, peer_key};

/// The tenant namespace of milan here, and ours there.
pub(super) const TENANT: &str = "liqo-tenant-milan-ac89c5";
pub(super) const THERE: &str = "liqo-tenant-rome-f4b52b";
pub(super) const HELD: &str = "crdReplicator.liqo.io";

pub(super) fn settings() -> ControlPlaneSettings {
    ControlPlaneSettings { sharing_percentage: 50, incoming: true, ..ControlPlaneSettings::default() }
}

/// A cluster that has seen everything of itself, with the tenant namespace of milan.
pub(super) fn settled() -> Scenario {
    let configured = Configured { settings: Settings::ControlPlane(settings()) };
    Scenario::settled()
        .given(Kind::ALL.iter().map(|kind| list_of(*kind, 1)))
        .given([
            Event::Configured(configured),
            tenant(),
            service("NodePort"),
            worker("worker-b", "172.18.1.2"),
            binding("basic"),
        ])
        .acted()
}

pub(super) fn tenant() -> Event {
    let facts = NamespaceFacts { tenant_of: "milan-id".into(), ..NamespaceFacts::default() };
    applied(namespace_key(TENANT), "9", Facts::Namespace(facts))
}

pub(super) fn binding(role: &str) -> Event {
    let key = binding_key(role);
    applied(key, "9", Facts::Presence)
}

pub(super) fn binding_key(role: &str) -> ObjectKey {
    ObjectKey::local(Kind::RoleBinding, TENANT, format!("liqo-binding-liqo-remote-peering-{role}"))
}

pub(super) fn service(kind: &str) -> Event {
    let facts = ServiceFacts {
        kind: kind.to_owned(),
        ports: vec![ServicePort { port: 443, node_port: 30_443, ..ServicePort::default() }],
        ..ServiceFacts::default()
    };
    applied(ObjectKey::local(Kind::Service, "liqo", "liqo-auth"), "9", Facts::Service(facts))
}

pub(super) fn worker(name: &str, address: &str) -> Event {
    let facts = NodeFacts {
        ready: true,
        addresses: vec![("InternalIP".to_owned(), address.to_owned())],
        allocatable: [("cpu", 4_000), ("memory", 8_000_000_000_000), ("pods", 110_000)]
            .map(|(resource, amount)| (resource.to_owned(), amount))
            .into(),
        ..NodeFacts::default()
    };
    applied(ObjectKey::local_cluster_scoped(Kind::Node, name), "9", Facts::Node(facts))
}

/// milan, of which something is wanted or not.
pub(super) fn milan(outgoing: Switch) -> ForeignClusterFacts {
    ForeignClusterFacts {
        outgoing,
        tenant_local: TENANT.into(),
        finalizers: vec![HELD.to_owned()],
        ..peer_facts("milan-id")
    }
}

pub(super) fn peer(facts: ForeignClusterFacts) -> Event {
    applied(peer_key("milan"), "10", Facts::ForeignCluster(facts))
}

pub(super) fn identity() -> Event {
    let facts =
        IdentityFacts { peer: "milan-id".into(), remote_namespace: THERE.into(), ..IdentityFacts::default() };
    applied(ObjectKey::local(Kind::Secret, TENANT, "liqo-identity-1"), "11", Facts::Identity(facts))
}

pub(super) fn token(version: &str) -> Event {
    let facts = PeerTokenFacts { peer: "milan-id".into() };
    let key = ObjectKey::local(Kind::Secret, "liqo", "remote-token-milan-id");
    Event::Applied(Applied {
        digest: BodyDigest([version.len() as u8; 16]),
        ..applied_body(key, version, Facts::PeerToken(facts))
    })
}

/// What is sent to milan.
pub(super) fn sent() -> Replication {
    Replication { origin: true, remote_id: "milan-id".into(), finalizer: true, ..Replication::default() }
}

/// What came from milan.
pub(super) fn received() -> Replication {
    Replication {
        replicated: true,
        origin_id: "milan-id".into(),
        remote_id: "rome-id".into(),
        owners: vec!["milan".to_owned()],
        ..Replication::default()
    }
}

pub(super) fn our_request_key() -> ObjectKey {
    ObjectKey::local(Kind::ResourceRequest, TENANT, "rome")
}

pub(super) fn our_request() -> ResourceRequestFacts {
    ResourceRequestFacts {
        replication: sent(),
        cluster_id: "rome-id".into(),
        cluster_name: "rome".into(),
        auth_url: "https://172.18.1.2:30443".to_owned(),
        ..ResourceRequestFacts::default()
    }
}

pub(super) fn their_request_key() -> ObjectKey {
    ObjectKey::local(Kind::ResourceRequest, TENANT, "milan")
}

pub(super) fn their_request() -> ResourceRequestFacts {
    ResourceRequestFacts {
        replication: received(),
        cluster_id: "milan-id".into(),
        cluster_name: "milan".into(),
        auth_url: "https://milan.example:443".to_owned(),
        ..ResourceRequestFacts::default()
    }
}

pub(super) fn their_offer_key() -> ObjectKey {
    ObjectKey::local(Kind::ResourceOffer, TENANT, "milan")
}

pub(super) fn their_offer() -> ResourceOfferFacts {
    ResourceOfferFacts {
        replication: received(),
        cluster_id: "milan-id".into(),
        kubelet_finalizer: true,
        ..ResourceOfferFacts::default()
    }
}

pub(super) fn our_offer_key() -> ObjectKey {
    ObjectKey::local(Kind::ResourceOffer, TENANT, "rome")
}

pub(super) fn our_offer() -> ResourceOfferFacts {
    ResourceOfferFacts {
        replication: sent(),
        cluster_id: "rome-id".into(),
        hard: [("cpu", 2_000), ("memory", 4_000_000_000_000), ("pods", 55_000)]
            .map(|(resource, amount)| (resource.to_owned(), amount))
            .into(),
        ..ResourceOfferFacts::default()
    }
}

/// An object of the peer's side.
pub(super) fn there(kind: Kind, name: &str) -> ObjectKey {
    let cluster = ClusterRef::Remote("milan-id".into());
    ObjectKey { cluster, kind, namespace: THERE.to_owned(), name: name.to_owned() }
}

pub(super) fn put_of(effects: &[Effect]) -> Vec<&Content> {
    let put = effects.iter().filter_map(|effect| match effect {
        Effect::Put { content } => Some(content),
        _ => None,
    });
    put.collect()
}

pub(super) fn deleted(effects: &[Effect]) -> Vec<String> {
    let deleted = effects.iter().filter_map(|effect| match effect {
        Effect::Delete { uid, .. } => Some(uid.to_string()),
        _ => None,
    });
    deleted.collect()
}

pub(super) fn vanished(object: &ObjectKey, version: &str) -> Event {
    let (object, uid) = (object.clone(), super::scenario::uid(object));
    Event::Vanished(Vanished { object, uid, resource_version: version.into(), proof: Proof::Deleted })
}
