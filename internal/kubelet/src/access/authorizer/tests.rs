//! Callers are judged, and judged anew when answers are old.

use tokio::time::advance;

use super::*;
use crate::test_authority::TestAuthority;
use crate::test_reviewer::TestReviewer;

const PATH: &str = "/metrics/resource";

fn with_token(token: &str) -> Caller<'_> {
    Caller { certificates: &[], token: Some(token) }
}

async fn admit(authorizer: &Authorizer<TestReviewer>, caller: Caller<'_>) -> Result<(), Denial> {
    authorizer.admit(caller, &Method::GET, PATH).await
}

#[tokio::test(start_paused = true)]
async fn answers_are_remembered_for_a_while() {
    let reviewer = TestReviewer::default();
    reviewer.know("t", "prometheus");
    reviewer.allow("prometheus", "get metrics");
    let authorizer = Authorizer::new(reviewer.clone(), Metrics::default());
    for _ in 0..3 {
        admit(&authorizer, with_token("t")).await.unwrap();
    }
    assert_eq!(reviewer.asked(), ["token t", "prometheus get metrics"]);
    reviewer.forget();
    advance(GOOD_LASTS).await;
    assert!(matches!(admit(&authorizer, with_token("t")).await, Err(Denial::Anonymous)));
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_asked_again_soon() {
    let reviewer = TestReviewer::default();
    reviewer.know("t", "prometheus");
    let authorizer = Authorizer::new(reviewer.clone(), Metrics::default());
    let denied = admit(&authorizer, with_token("t")).await;
    let needed = vec![Attributes { verb: "get", subresource: "metrics" }];
    assert!(
        matches!(&denied, Err(Denial::Forbidden { user, needed: n }) if user == "prometheus" && *n == needed)
    );
    reviewer.allow("prometheus", "get metrics");
    assert!(admit(&authorizer, with_token("t")).await.is_err());
    advance(BAD_LASTS).await;
    admit(&authorizer, with_token("t")).await.unwrap();
}

#[tokio::test]
async fn any_of_several_permissions_is_enough() {
    let reviewer = TestReviewer::default();
    reviewer.know("t", "viewer");
    reviewer.allow("viewer", "get proxy");
    let authorizer = Authorizer::new(reviewer.clone(), Metrics::default());
    authorizer.admit(with_token("t"), &Method::GET, "/pods").await.unwrap();
    assert_eq!(reviewer.asked(), ["token t", "viewer get pods", "viewer get proxy"]);
}

#[tokio::test]
async fn a_certificate_needs_no_token_and_counts_by_the_authority_of_now() {
    let (old, new) = (TestAuthority::new("old"), TestAuthority::new("new"));
    let reviewer = TestReviewer::default();
    reviewer.allow("api", "get metrics");
    let authorizer = Authorizer::new(reviewer.clone(), Metrics::default());
    let chain = [old.client("api", &["system:masters"]).0];
    let shown = || Caller { certificates: &chain, token: None };
    assert!(matches!(admit(&authorizer, shown()).await, Err(Denial::Anonymous)));
    authorizer.trust(&old.pem).unwrap();
    admit(&authorizer, shown()).await.unwrap();
    assert!(matches!(authorizer.trust("nothing"), Err(Error::ReadClientAuthority)));
    admit(&authorizer, shown()).await.unwrap();
    authorizer.trust(&new.pem).unwrap();
    assert!(matches!(admit(&authorizer, shown()).await, Err(Denial::Anonymous)));
    authorizer.trust(&format!("{}{}", old.pem, new.pem)).unwrap();
    admit(&authorizer, shown()).await.unwrap();
}

#[tokio::test]
async fn when_the_cluster_cannot_be_asked_nobody_passes() {
    let reviewer = TestReviewer::default();
    reviewer.know("t", "prometheus");
    reviewer.fail();
    let authorizer = Authorizer::new(reviewer, Metrics::default());
    assert!(matches!(admit(&authorizer, with_token("t")).await, Err(Denial::Unknown(_))));
}
