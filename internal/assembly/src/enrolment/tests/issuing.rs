//! The provider's side.

use liqo_engine::Outcome;
use liqo_events::UnixMillis;
use liqo_identity::{
    Cluster, Issued, KeptToken, OneTimeToken, Provider as _, Secret, Tenant, bound_to, one_time_secret_of,
    one_time_token,
};
use liqo_model::{ClusterId, Kind, ObjectKey};
use serde_json::json;
use tokio::sync::watch;

use super::store::Store;
use super::{ID, TENANT, held, secret, secret_path};
use crate::enrolment::enrolled::IssuedSecret;
use crate::enrolment::{KubernetesProvider, SharedToken};

const OTHER: &str = "66666666-2222-4333-8444-555555555555";
const END: UnixMillis = UnixMillis(1_795_000_000_000);

fn provider(store: &Store) -> KubernetesProvider {
    KubernetesProvider {
        client: store.client(),
        namespace: "liqo".into(),
        identity: watch::channel(None).1,
        token: SharedToken::of(Secret::new("shared")),
        advertised: None,
        now: || END,
    }
}

fn tenant() -> Tenant {
    Tenant { cluster: Cluster { id: ID.into(), name: "fiction".into() }, namespace: TENANT.into() }
}

/// Keeps a one-time token, maybe of a cluster; its name.
fn add_token(store: &Store, seed: u8, by: Option<&str>) -> String {
    let content = one_time_token(&one_time_secret_of(&[seed; 32]), END, &"liqo".into());
    let mut data = content.data;
    data.extend(by.into_iter().flat_map(|cluster| bound_to(&cluster.into())));
    let metadata = json!({"name": content.name, "namespace": "liqo", "labels": content.labels});
    store.put(&secret_path("liqo", &content.name), secret(metadata, &data));
    content.name
}

async fn found(provider: &KubernetesProvider, name: &str) -> Option<OneTimeToken> {
    provider.one_time_token(name).await.unwrap().map(|kept| kept.token)
}

#[tokio::test]
async fn a_token_is_bound_once() {
    let store = Store::start().await;
    let provider = provider(&store);
    assert_eq!(provider.one_time_token("none").await.unwrap(), None);
    let name = add_token(&store, 7, None);
    let kept = provider.one_time_token(&name).await.unwrap().unwrap();
    assert!(provider.bind_token(&kept, &ID.into()).await.unwrap());
    assert_eq!(found(&provider, &name).await.unwrap().cluster, Some(ID.into()));
    // Somebody who read it before comes too late, and one that was deleted is nobody's.
    assert!(!provider.bind_token(&kept, &OTHER.into()).await.unwrap());
    assert_eq!(found(&provider, &name).await.unwrap().cluster, Some(ID.into()));
    store.remove(&secret_path("liqo", &name));
    assert!(!provider.bind_token(&kept, &OTHER.into()).await.unwrap());
}

fn issued(name: &str, proven_by: &str) -> Issued {
    Issued { csr: format!("csr {name}"), certificate: name.to_owned(), proven_by: proven_by.to_owned() }
}

#[tokio::test]
async fn what_was_issued_is_replaced_as_it_was_read_or_not_at_all() {
    let store = Store::start().await;
    let (provider, tenant) = (provider(&store), tenant());
    let path = secret_path(TENANT, "liqo-remote-certificate");
    assert!(provider.issued(&tenant).await.unwrap().is_none());
    let first = provider.keep_issued(&tenant, &issued("first", ""), None).await.unwrap();
    assert!(first.issued == issued("first", "") && !first.enrolled);
    // Another process that saw nothing, and one that saw something else, keep what is there.
    assert!(provider.keep_issued(&tenant, &issued("late", ""), None).await.unwrap() == first);
    let stale = "0".into();
    assert!(provider.keep_issued(&tenant, &issued("late", ""), Some(&stale)).await.unwrap() == first);
    let renewal = issued("second", "first");
    let second = provider.keep_issued(&tenant, &renewal, Some(&first.version)).await.unwrap();
    assert!(second.issued == renewal);
    let third = provider.keep_issued(&tenant, &issued("third", ""), Some(&second.version)).await.unwrap();
    assert!(third.issued == issued("third", ""));
    assert_eq!(held(&store.get(&path), "proven-by"), None);
}

#[tokio::test]
async fn what_the_peer_wrote_shows_that_it_is_in_use_before_it_is_said() {
    let store = Store::start().await;
    let (provider, tenant) = (provider(&store), tenant());
    provider.keep_issued(&tenant, &issued("first", ""), None).await.unwrap();
    let request = |namespace: &str, origin: &str| {
        let path =
            format!("/apis/discovery.liqo.io/v1alpha1/namespaces/{namespace}/resourcerequests/fiction");
        let labels = json!({"liqo.io/originID": origin, "liqo.io/replicated": "true"});
        let metadata = json!({"name": "fiction", "namespace": namespace, "labels": labels});
        let object = json!({
            "apiVersion": "discovery.liqo.io/v1alpha1", "kind": "ResourceRequest", "metadata": metadata,
        });
        (path, object)
    };
    let enrolled = async || provider.issued(&tenant).await.unwrap().unwrap().enrolled;
    for (namespace, origin, expected) in [("shop", ID, false), (TENANT, OTHER, false), (TENANT, ID, true)] {
        let (path, object) = request(namespace, origin);
        store.put(&path, object);
        assert_eq!(enrolled().await, expected, "{namespace} {origin}");
        store.remove(&path);
        assert!(!enrolled().await);
    }
}

#[tokio::test]
async fn to_be_enrolled_spends_the_tokens_of_the_peer() {
    let store = Store::start().await;
    let provider = provider(&store);
    let [own, others, free] =
        [(1, Some(ID)), (2, Some(OTHER)), (3, None)].map(|(seed, by)| add_token(&store, seed, by));
    let path = secret_path(TENANT, "liqo-remote-certificate");
    let metadata = json!({"name": "liqo-remote-certificate", "namespace": TENANT, "uid": "u"});
    store.put(&path, secret(metadata, &std::collections::BTreeMap::new()));
    let key = ObjectKey::local(Kind::Secret, TENANT, "liqo-remote-certificate");
    let (client, install, peer) = (store.client(), "liqo".into(), ClusterId::from(ID));
    let of_life = |uid| IssuedSecret { client: &client, install: &install, key: &key, uid, peer: &peer };
    let (life, another) = ("u".into(), "v".into());

    let superseded = of_life(&another).set(true).await;
    assert!(matches!(superseded, Outcome::Superseded { .. }), "{superseded:?}");
    assert_eq!(store.get(&path)["metadata"]["annotations"], json!(null));

    let done = of_life(&life).set(true).await;
    let version = store.get(&path)["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    assert_eq!(done, Outcome::Succeeded { resource_version: version.into() });
    assert_eq!(store.get(&path)["metadata"]["annotations"]["liqo.io/enrolled"], "true");
    let mut spent = Vec::new();
    for name in [&own, &others, &free] {
        spent.push(found(&provider, name).await.unwrap().spent);
    }
    assert_eq!(spent, [true, false, false]);

    assert!(matches!(of_life(&life).set(false).await, Outcome::Succeeded { .. }));
    assert_eq!(store.get(&path)["metadata"]["annotations"], json!({}));
    // The token stays as it is: a new one is needed.
    assert!(found(&provider, &own).await.unwrap().spent);
}

#[tokio::test]
async fn a_token_that_is_about_to_go_or_is_damaged_lets_nobody_in() {
    let store = Store::start().await;
    let provider = provider(&store);
    let name = add_token(&store, 7, None);
    let path = secret_path("liqo", &name);
    let whole = store.get(&path);
    for change in
        [json!({"metadata": {"deletionTimestamp": "2026-11-22T14:00:00Z"}}), json!({"data": {"hash": null}})]
    {
        let mut object = whole.clone();
        match change["metadata"]["deletionTimestamp"].as_str() {
            Some(at) => object["metadata"]["deletionTimestamp"] = json!(at),
            None => drop(object["data"].as_object_mut().unwrap().remove("hash")),
        }
        store.put(&path, object);
        assert!(found(&provider, &name).await.is_none());
    }
    let kept = KeptToken {
        token: {
            store.put(&path, whole);
            found(&provider, &name).await.unwrap()
        },
        name,
        version: "1".into(),
    };
    assert!(!provider.bind_token(&kept, &ID.into()).await.unwrap());
}
