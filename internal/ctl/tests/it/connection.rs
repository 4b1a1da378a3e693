//! How the API server is reached, and as whom.

use crate::fake_cluster::FakeCluster;
use crate::objects::*;

#[tokio::test]
async fn flags_say_as_whom_it_is_asked() {
    let cluster = FakeCluster::start(peered()).await;
    let flags = "--token canary --as jane --as-group a --as-group b --as-uid 7";
    let ran = cluster.run(&format!("{flags} status peer")).await;
    assert_eq!(ran.error, None);
    let mut asked = cluster.asked_as();
    asked.sort();
    asked.dedup();
    let expected = [
        "authorization: Bearer canary",
        "impersonate-group: a",
        "impersonate-group: b",
        "impersonate-uid: 7",
        "impersonate-user: jane",
    ];
    assert_eq!(asked, expected);
    assert!(!ran.output.contains("canary"));
}

#[tokio::test]
async fn a_request_that_is_not_answered_ends() {
    let cluster = FakeCluster::silent().await;
    let error = cluster.run("status peer --request-timeout 1s").await.error.unwrap();
    let expected =
        "cannot list objects of kind ForeignCluster: there was no answer within 1s: see --request-timeout";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_user_or_context_that_is_not_there_is_said_so() {
    let cluster = FakeCluster::start(Vec::new()).await;
    let error = cluster.run("--context b status").await.error.unwrap();
    assert!(error.starts_with("cannot use the kubeconfig: check --kubeconfig and --context"), "{error}");
    let error = cluster.run("--user b status").await.error.unwrap();
    assert_eq!(error, "--user b is not in the kubeconfig, which has: a");
}
