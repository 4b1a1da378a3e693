//! Who is let in by which token, and how often.

use liqo_events::UnixMillis;

use super::*;
use crate::server::test_provider::NOW;
use crate::{Pin, one_time_secret_of, way_back, with_pin};

const OTHER: &str = "66666666-2222-4333-8444-555555555555";
const HOUR: u64 = 3_600_000;

/// A server with a one-time token that lasts an hour.
async fn with_token() -> (Running, Secret) {
    let running = start_plain().await;
    let token = one_time_secret_of(&[7; 32]);
    running.provider.add_token(&token, NOW.plus(HOUR));
    (running, token)
}

async fn status(running: &Running, id: &str, seed: u8, token: &Secret) -> u16 {
    apply(running, &request_with(id, seed, token)).await.status
}

#[tokio::test]
async fn tokens_that_let_nobody_in() {
    let (running, token) = with_token().await;
    let short = |secret: &Secret| Secret::new(&secret.expose()[1..]);
    let wrong = [
        Secret::new(""),
        Secret::new("wrong"),
        Secret::new("canary-token-that-was-before"),
        short(&Secret::new(TOKEN)),
        short(&token),
        one_time_secret_of(&[8; 32]),
        with_pin(&Secret::new(""), Some(&Pin::of_key(b"key"))),
        // Of the way back, and of another cluster.
        way_back(&Secret::new(TOKEN), &OTHER.into()).unwrap(),
    ];
    for token in &wrong {
        let answered = apply(&running, &request_with(ID, 7, token)).await;
        assert_eq!((answered.status, answered.body.as_str()), (401, "invalid token\n"));
    }
    let kept = running.provider.kept();
    assert!(kept.tenants.is_empty() && kept.issued.is_empty() && kept.signed == 0);
}

#[tokio::test]
async fn a_one_time_token_is_of_use_to_its_first_user_alone() {
    let (running, token) = with_token().await;
    let pinned = with_pin(&token, Some(&Pin::of_key(b"key")));
    assert_eq!(status(&running, ID, 7, &pinned).await, 202);
    let other = apply(&running, &request_with(OTHER, 7, &pinned)).await;
    assert_eq!(other.status, 401);
    assert!(other.body.starts_with("the token was used already: `liqoctl generate peer-command`"));
    // The answers may have been lost, and Liqo 0.8.3 makes another key each time.
    for seed in [7, 8, 9] {
        assert_eq!(status(&running, ID, seed, &pinned).await, 202, "{seed}");
    }
    let kept = running.provider.kept();
    assert_eq!((kept.tenants.len(), kept.signed), (1, 3));
    assert_eq!(to_base64(kept.issued[&ID.into()].csr.as_bytes()), csr(ID, 9));
}

#[tokio::test]
async fn a_one_time_token_that_is_refused_for_another_reason_stays_nobodys() {
    let (running, token) = with_token().await;
    let stolen = request_with(ID, 7, &token).replace(&csr(ID, 7), &csr(OTHER, 7));
    assert_eq!(apply(&running, &stolen).await.status, 403);
    running.provider.fail(Some(("ensure_tenant", crate::ProviderError::Failed { reason: String::new() })));
    assert_eq!(status(&running, ID, 7, &token).await, 500);
    running.provider.fail(None);
    assert_eq!(status(&running, OTHER, 7, &token).await, 202);
}

#[tokio::test]
async fn a_token_whose_time_is_over_says_so() {
    let (running, _) = with_token().await;
    let token = one_time_secret_of(&[9; 32]);
    running.provider.add_token(&token, UnixMillis(NOW.0 - i64::try_from(HOUR).unwrap()));
    let answered = apply(&running, &request_with(ID, 7, &token)).await;
    assert_eq!(answered.status, 401);
    assert!(answered.body.starts_with("the token has expired: `liqoctl generate peer-command`"));
    assert_eq!(running.provider.kept().signed, 0);
}

#[tokio::test]
async fn of_two_clusters_that_use_a_token_at_once_one_gets_nothing() {
    let running = start(TestProvider::with(TOKEN, 0), Transport::Plain).await;
    let token = one_time_secret_of(&[7; 32]);
    running.provider.add_token(&token, NOW.plus(HOUR));
    let first = tokio::spawn(super::trouble::ask_owned(running.address, request_with(ID, 7, &token)));
    // It was bound before anything is signed.
    running.provider.signing().await;
    assert_eq!(status(&running, OTHER, 7, &token).await, 401);
    running.provider.allow_signature();
    assert_eq!(first.await.unwrap().status, 202);
    assert_eq!(running.provider.kept().signed, 1);
}

#[tokio::test]
async fn no_token_gets_an_enrolled_cluster_another_certificate() {
    let (running, token) = with_token().await;
    assert_eq!(status(&running, ID, 7, &token).await, 202);
    running.provider.enrol(&ID.into());
    let fresh = one_time_secret_of(&[8; 32]);
    running.provider.add_token(&fresh, NOW.plus(HOUR));
    let own = Secret::new(TOKEN);
    let back = way_back(&own, &ID.into()).unwrap();
    for token in [&token, &fresh, &own, &back] {
        let answered = apply(&running, &request_with(ID, 8, token)).await;
        assert_eq!(answered.status, 403);
        assert!(answered.body.contains("`liqoctl reset identity`"), "{}", answered.body);
        // Whoever has the key of the certificate learns nothing new.
        assert_eq!(status(&running, ID, 7, token).await, 202);
    }
    assert_eq!(running.provider.kept().signed, 1);
    // The token that was not needed is still nobody's.
    assert_eq!(status(&running, OTHER, 7, &fresh).await, 202);
}

#[tokio::test]
async fn after_enrolment_has_ended_a_new_token_is_needed() {
    let (running, token) = with_token().await;
    assert_eq!(status(&running, ID, 7, &token).await, 202);
    running.provider.enrol(&ID.into());
    running.provider.change(|kept| kept.enrolled.clear());
    let answered = apply(&running, &request_with(ID, 8, &token)).await;
    assert_eq!(answered.status, 401);
    assert!(answered.body.starts_with("the token was used already"), "{}", answered.body);
    let fresh = one_time_secret_of(&[8; 32]);
    running.provider.add_token(&fresh, NOW.plus(HOUR));
    assert_eq!(status(&running, ID, 8, &fresh).await, 202);
    assert_eq!(status(&running, ID, 9, &Secret::new(TOKEN)).await, 202);
}

#[tokio::test]
async fn a_certificate_that_is_seen_in_use_meanwhile_is_not_replaced() {
    let running = start(TestProvider::with(TOKEN, 1), Transport::Plain).await;
    assert_eq!(apply(&running, &request(ID, 7)).await.status, 202);
    running.provider.signing().await;
    let second = tokio::spawn(super::trouble::ask_owned(running.address, request(ID, 8)));
    running.provider.signing().await;
    running.provider.enrol(&ID.into());
    running.provider.allow_signature();
    assert_eq!(second.await.unwrap().status, 403);
    let kept = running.provider.kept();
    assert_eq!(to_base64(kept.issued[&ID.into()].csr.as_bytes()), csr(ID, 7));
}

#[tokio::test]
async fn the_token_for_the_way_back_lets_its_cluster_in() {
    let running = start_plain().await;
    let back = with_pin(&way_back(&Secret::new(TOKEN), &ID.into()).unwrap(), Some(&Pin::of_key(b"key")));
    assert_eq!(status(&running, ID, 7, &back).await, 202);
    assert_eq!(status(&running, OTHER, 7, &back).await, 401);
}
