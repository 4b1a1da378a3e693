//! Commands that copy, against servers that answer what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use liqo_engine::{Actuator, Disposition, Outcome};
use liqo_events::{BodyDigest, Command, CommandId, Effect, Slot};
use liqo_model::{ClusterRef, Kind, ObjectKey};
use serde_json::{Value, json};

use super::Writer;
use crate::fake_server::{FakeServer, Reply};
use crate::watch::Watches;
use crate::{ApiServers, BodyCache, Limits};

struct Scene {
    fake: FakeServer,
    writer: Writer,
}

async fn scene(replies: Vec<(u16, Value)>) -> Scene {
    let replies: Mutex<VecDeque<(u16, Value)>> = Mutex::new(replies.into());
    let fake = FakeServer::start(Limits::default(), move |_| {
        let next = replies.lock().unwrap().pop_front();
        let (code, body) = next.unwrap_or_else(|| (500, json!({"message": "nothing is left to answer"})));
        Reply::Json(code, body)
    })
    .await;
    let servers = ApiServers::default();
    servers.insert(Arc::clone(&fake.server));
    let cache = Arc::new(BodyCache::new(1 << 20, Arc::clone(&fake.metrics)));
    let writer = Writer::new(servers, Watches::default(), cache, Arc::clone(&fake.metrics));
    Scene { fake, writer }
}

impl Scene {
    async fn act(&self, object: ObjectKey, effect: Effect) -> Outcome {
        let slot = Slot { object, part: "copy".to_owned() };
        self.writer.act(&Command { id: CommandId::default(), slot, effect }, 1).await
    }
}

fn object(kind: Kind, namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "apiVersion": kind.api_version(), "kind": kind.as_str(),
        "metadata": {"name": name, "namespace": namespace, "uid": "u", "resourceVersion": "7"},
    });
    for (key, value) in rest.as_object().into_iter().flatten() {
        if let ("metadata", Value::Object(metadata)) = (key.as_str(), value) {
            for (key, value) in metadata {
                object["metadata"][key] = value.clone();
            }
        } else {
            object[key] = value.clone();
        }
    }
    object
}

fn request(namespace: &str) -> ObjectKey {
    ObjectKey::local(Kind::ResourceRequest, namespace, "rome")
}

fn replicate() -> Effect {
    let (from, uid, home) = (request("here"), "u".into(), "rome-id".into());
    Effect::Replicate { from, uid, spec: BodyDigest::default(), home }
}

#[tokio::test]
async fn an_object_is_copied_from_what_a_quorum_knows() {
    let origin = object(Kind::ResourceRequest, "here", "rome", json!({"spec": {"authUrl": "https://a"}}));
    let copy = object(Kind::ResourceRequest, "there", "rome", json!({}));
    let missing = (404, json!({"kind": "Status", "code": 404, "message": "no"}));
    let scene = scene(vec![(200, origin), missing, (201, copy)]).await;
    let outcome = scene.act(request("there"), replicate()).await;
    assert_eq!(outcome, Outcome::Succeeded { resource_version: "7".into() });
    let sent = &scene.fake.bodies()[0];
    assert_eq!(sent["spec"], json!({"authUrl": "https://a"}));
    assert_eq!(sent["metadata"]["labels"]["liqo.io/originID"], "rome-id");
    assert_eq!(sent["metadata"]["namespace"], "there");
}

#[tokio::test]
async fn what_has_gone_or_is_another_life_is_not_copied() {
    let other = object(Kind::ResourceRequest, "here", "rome", json!({"metadata": {"uid": "v"}}));
    let gone = json!({"kind": "Status", "code": 404, "message": "no"});
    for reply in [(200, other), (404, gone)] {
        let scene = scene(vec![reply]).await;
        let outcome = scene.act(request("there"), replicate()).await;
        assert!(matches!(outcome, Outcome::Superseded { .. }), "{outcome:?}");
        assert_eq!(scene.fake.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_peer_without_a_client_is_waited_for() {
    let scene = scene(Vec::new()).await;
    let mut from = request("here");
    from.cluster = ClusterRef::Remote("milan-id".into());
    let effect = Effect::ReplicateStatus { from, uid: "u".into(), status: BodyDigest::default() };
    let outcome = scene.act(request("here"), effect).await;
    assert!(matches!(outcome, Outcome::Failed { disposition: Disposition::Retry { .. }, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_status_comes_back_through_the_status() {
    let copy = object(Kind::ResourceRequest, "there", "rome", json!({"status": {"offerState": "Created"}}));
    let origin = object(Kind::ResourceRequest, "here", "rome", json!({}));
    let scene = scene(vec![(200, copy), (200, origin.clone()), (200, origin)]).await;
    let effect =
        Effect::ReplicateStatus { from: request("there"), uid: "u".into(), status: BodyDigest::default() };
    let outcome = scene.act(request("here"), effect).await;
    assert_eq!(outcome, Outcome::Succeeded { resource_version: "7".into() });
    assert!(scene.fake.lines()[2].contains("/resourcerequests/rome/status?"), "{:?}", scene.fake.lines());
}

fn materialize(kind: Kind) -> Effect {
    let from = ObjectKey::local(kind, "shop-rome", "web");
    Effect::Materialize { from, uid: "u".into(), content: BodyDigest::default(), reachable: true }
}

/// A namespace that belongs to a consumer, or to nobody.
fn namespace(consumer: Value) -> Value {
    let metadata = json!({
        "labels": {"liqo.io/remote-cluster-id": consumer},
        "annotations": {"liqo.io/managed-by-namespace-map": "liqo-tenant-rome/milan"},
    });
    object(Kind::Namespace, "", "shop-rome", json!({"metadata": metadata}))
}

#[tokio::test]
async fn endpoints_are_published_within_the_networks_of_the_consumer() {
    let origin = json!({"labels": {"virtualkubelet.liqo.io/origin": "rome-id"}});
    let endpoints = json!([{"addresses": ["10.201.0.7"]}, {"addresses": ["192.168.0.1"]}]);
    let template = json!({"template": {"addressType": "IPv4", "endpoints": endpoints, "ports": []}});
    let shadow = json!({"metadata": origin, "spec": template});
    let shadow = object(Kind::ShadowEndpointSlice, "shop-rome", "web", shadow);
    let tunnel = json!({"spec": {"remotePodCIDR": "10.200.0.0/16", "remoteNATPodCIDR": "10.201.0.0/16"}});
    let tunnels = json!({"metadata": {"resourceVersion": "9"}, "items": [tunnel]});
    let missing = (404, json!({"kind": "Status", "code": 404, "message": "no"}));
    let made = object(Kind::EndpointSlice, "shop-rome", "web", json!({}));
    let replies =
        vec![(200, shadow), (200, namespace(json!("rome-id"))), (200, tunnels), missing, (201, made)];
    let scene = scene(replies).await;
    let key = ObjectKey::local(Kind::EndpointSlice, "shop-rome", "web");
    let outcome = scene.act(key, materialize(Kind::ShadowEndpointSlice)).await;
    assert_eq!(outcome, Outcome::Succeeded { resource_version: "7".into() });
    let sent = scene.fake.bodies()[0].clone();
    assert_eq!(sent["endpoints"].as_array().map(Vec::len), Some(1));
    assert_eq!(sent["endpoints"][0]["addresses"], json!(["10.201.0.7"]));
    let list = "/namespaces/liqo-tenant-rome/tunnelendpoints?";
    assert!(scene.fake.lines()[2].contains(list), "{:?}", scene.fake.lines());
}

#[tokio::test]
async fn nothing_is_made_in_a_namespace_of_nobody() {
    let shadow = object(Kind::ShadowPod, "shop-rome", "web", json!({}));
    let scene = scene(vec![(200, shadow), (200, namespace(Value::Null))]).await;
    let key = ObjectKey::local(Kind::Pod, "shop-rome", "web");
    let outcome = scene.act(key, materialize(Kind::ShadowPod)).await;
    assert!(matches!(outcome, Outcome::Superseded { .. }), "{outcome:?}");
}
