//! What is not known yet is waited for, and not for long.

use std::time::Duration;

use liqo_domain::{NamespaceOrigin, Placement, Undecided};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::cluster::{Cluster, ROME, request};
use crate::answer::{Admission, Refusal};
use crate::webhook::Webhook;

const PATIENCE: Duration = Duration::from_secs(2);

fn pod() -> Value {
    let mut request = request(Webhook::Pod, "CREATE", "shop");
    request["object"] = json!({"spec": {}});
    request
}

fn rome() -> NamespaceOrigin {
    NamespaceOrigin::Consumer(ROME.into())
}

#[tokio::test(start_paused = true)]
async fn news_settles_what_was_open() {
    for open in [
        Placement::NotOffloaded,
        Placement::Undecided(Undecided::NoOffloading),
        Placement::Undecided(Undecided::UnknownNamespace),
    ] {
        let cluster = Cluster::placing(open.clone());
        let asking = cluster.clone();
        let begun = Instant::now();
        let asked = tokio::spawn(async move { asking.asked(Webhook::Pod, pod()).await });
        tokio::task::yield_now().await;
        // What does not settle it is waited on.
        cluster.learns(open, rome());
        tokio::task::yield_now().await;
        cluster.learns(Placement::Remote { terms: vec![] }, rome());
        let admission = asked.await.unwrap().unwrap();
        assert_eq!(admission.patch.len(), 2);
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let begun = Instant::now();
    let asked = Cluster::placing(Placement::NotOffloaded).asked(Webhook::Pod, pod()).await;
    assert_eq!(asked, Ok(Admission::unchanged()));
    assert_eq!(begun.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn what_only_a_person_can_mend_is_not_waited_for() {
    let begun = Instant::now();
    let unreadable = Placement::Undecided(Undecided::Unreadable("spec.podOffloadingStrategy".to_owned()));
    let asked = Cluster::placing(unreadable).asked(Webhook::Pod, pod()).await;
    assert!(matches!(asked, Err(Refusal::Unavailable(_))));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_was_just_made_is_waited_for() {
    let cluster = Cluster::owned(NamespaceOrigin::Missing);
    let mut request = request(Webhook::ShadowPod, "CREATE", "shop-rome-03c9e0");
    request["object"] = json!({
        "metadata": {"labels": {"virtualkubelet.liqo.io/origin": ROME}},
        "spec": {"pod": {"automountServiceAccountToken": false, "containers": [{"name": "c"}]}},
    });
    let asking = cluster.clone();
    let asked = tokio::spawn(async move { asking.asked(Webhook::ShadowPod, request).await });
    tokio::task::yield_now().await;
    cluster.learns(Placement::Local, rome());
    assert_eq!(asked.await.unwrap(), Ok(Admission::unchanged()));
}
