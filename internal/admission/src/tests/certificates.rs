//! How certificates are made, published and taken over.

use tokio::sync::watch;

use super::cluster::{Cluster, SetClock, Store};
use crate::certificates::{Keeper, Serving};
use crate::{Error, Metrics, service_names};

struct Replica {
    keeper: Keeper<Store, SetClock>,
    serving: watch::Receiver<Serving>,
    metrics: Metrics,
}

fn replica(store: &Store, clock: &SetClock) -> Replica {
    let (sender, serving) = watch::channel(Serving::default());
    let metrics = Metrics::default();
    let keeper = Keeper {
        store: store.clone(),
        clock: clock.clone(),
        names: service_names("liqo"),
        metrics: metrics.clone(),
        serving: sender,
    };
    Replica { keeper, serving, metrics }
}

fn trusted(store: &Store) -> usize {
    store.bundle().matches("BEGIN CERTIFICATE").count()
}

#[tokio::test]
async fn the_leader_makes_what_all_serve_with() {
    let (store, clock) = (Store::default(), SetClock::new());
    let (leader, mut follower) = (replica(&store, &clock), replica(&store, &clock));
    assert!(matches!(follower.keeper.look(false).await, Err(Error::NoCertificate)));
    assert_eq!(store.done(), ["load"]);

    leader.keeper.look(true).await.unwrap();
    // API servers trust it before anybody serves with it.
    assert_eq!(store.done(), ["load", "publish", "save"]);
    follower.keeper.look(false).await.unwrap();
    assert!(follower.serving.has_changed().unwrap());
    follower.serving.mark_unchanged();
    let keys: Vec<String> = store.secret.lock().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["ca", "ca.key", "previous.crt", "tls.crt", "tls.key"]);
    assert!(follower.metrics.certificate_end.get() > 1_795_000_000 + 80 * 24 * 3600);

    // Nothing is to be done, but that API servers trust it is made sure of.
    store.done();
    leader.keeper.look(true).await.unwrap();
    follower.keeper.look(false).await.unwrap();
    assert_eq!(store.done(), ["load", "publish", "load"]);
    assert!(!follower.serving.has_changed().unwrap());
}

#[tokio::test]
async fn certificates_are_renewed_and_swapped_in_time() {
    let (store, clock) = (Store::default(), SetClock::new());
    let (leader, mut follower) = (replica(&store, &clock), replica(&store, &clock));
    leader.keeper.look(true).await.unwrap();
    follower.keeper.look(false).await.unwrap();
    follower.serving.mark_unchanged();
    let first = store.bundle();

    clock.later(61);
    // Only the leader renews.
    follower.keeper.look(false).await.unwrap();
    assert!(!follower.serving.has_changed().unwrap());
    leader.keeper.look(true).await.unwrap();
    follower.keeper.look(false).await.unwrap();
    assert!(follower.serving.has_changed().unwrap());
    assert_eq!(store.bundle(), first);

    clock.later(200);
    leader.keeper.look(true).await.unwrap();
    assert!(store.bundle().ends_with(&first) && trusted(&store) == 2, "both authorities are trusted");
    clock.later(110);
    leader.keeper.look(true).await.unwrap();
    assert_eq!(trusted(&store), 1);
}

#[tokio::test]
async fn the_secret_of_liqo_0_8_3_is_taken_over() {
    let (before, store, clock) = (Store::default(), Store::default(), SetClock::new());
    replica(&before, &clock).keeper.look(true).await.unwrap();
    // Its authority has no key that is kept.
    let mut secret = before.secret.lock().unwrap().clone();
    secret.retain(|key, _| matches!(key.as_str(), "ca" | "tls.crt" | "tls.key"));
    *store.secret.lock().unwrap() = secret.clone();

    let mut follower = replica(&store, &clock);
    follower.keeper.look(false).await.unwrap();
    assert!(follower.serving.has_changed().unwrap(), "replicas serve with it meanwhile");
    follower.serving.mark_unchanged();
    replica(&store, &clock).keeper.look(true).await.unwrap();
    assert_ne!(store.secret.lock().unwrap()["tls.crt"], secret["tls.crt"]);
    assert_eq!(trusted(&store), 2);
    assert!(store.bundle().ends_with(&before.bundle()));
    follower.keeper.look(false).await.unwrap();
    assert!(follower.serving.has_changed().unwrap());
}

#[tokio::test]
async fn nobody_serves_with_what_is_not_trusted_yet() {
    let (store, clock) = (Store::default(), SetClock::new());
    let leader = replica(&store, &clock);
    for broken in ["load", "publish", "save"] {
        *store.broken.lock().unwrap() = Some(broken);
        let error = leader.keeper.look(true).await.unwrap_err();
        assert!(error.to_string().ends_with("the API server says no"), "{error}");
        assert!(store.secret.lock().unwrap().is_empty());
        assert!(!leader.serving.has_changed().unwrap());
    }
    *store.broken.lock().unwrap() = None;
    leader.keeper.look(true).await.unwrap();

    // What is in use stays in use whatever happens to the Secret.
    store.secret.lock().unwrap().insert("tls.key".to_owned(), b"garbage".to_vec());
    let mut follower = replica(&store, &clock);
    assert!(matches!(follower.keeper.look(false).await, Err(Error::ReadCertificate { .. })));
    assert!(!follower.serving.has_changed().unwrap());
    store.secret.lock().unwrap().clear();
    leader.keeper.look(true).await.unwrap();
    follower.keeper.look(false).await.unwrap();
    assert!(follower.serving.has_changed().unwrap());
    follower.serving.mark_unchanged();
}

#[tokio::test(start_paused = true)]
async fn a_replica_looks_at_once_when_it_begins_to_lead() {
    let (store, clock, cluster) = (Store::default(), SetClock::new(), Cluster::new());
    let Replica { keeper, mut serving, .. } = replica(&store, &clock);
    let running = tokio::spawn(keeper.run(cluster.published()));
    tokio::task::yield_now().await;
    assert_eq!(store.done(), ["load"]);
    cluster.leads(true);
    serving.wait_for(|serving| serving.config().is_some()).await.unwrap();
    assert_eq!(store.done(), ["load", "publish", "save"]);
    drop(cluster);
    running.await.unwrap();
}
