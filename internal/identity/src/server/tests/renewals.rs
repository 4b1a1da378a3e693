//! Who has the key of its certificate gets another one, and nobody else does by that.

use std::time::Duration;

use super::*;
use crate::renewal::prove;

const OTHER: &str = "66666666-2222-4333-8444-555555555555";

/// The request of a cluster without a token, with the proof of a key that it is to have.
fn renewal(id: &str, seed: u8, prover: u8) -> String {
    let signing_request = key(seed).signing_request(&id.into()).unwrap();
    let request = CertificateRequest {
        cluster: Cluster { id: id.into(), name: "fiction".into() },
        origin_token: Secret::new(""),
        destination_token: Secret::new(""),
        renewal_proof: to_base64(&prove(&key(prover), &id.into(), &signing_request).unwrap()),
        signing_request: to_base64(signing_request.as_bytes()),
        renews: true,
    };
    String::from_utf8(request.body().unwrap()).unwrap()
}

/// A server with a cluster that is enrolled with key 7.
async fn enrolled() -> Running {
    let running = start_plain().await;
    assert_eq!(apply(&running, &request(ID, 7)).await.status, 202);
    running.provider.enrol(&ID.into());
    running
}

fn kept_csr(running: &Running) -> String {
    to_base64(running.provider.kept().issued[&ID.into()].csr.as_bytes())
}

#[tokio::test]
async fn an_enrolled_cluster_renews_with_its_key_and_is_enrolled_still() {
    let running = enrolled().await;
    assert_eq!(running.provider.kept().life, None);
    let answered = apply(&running, &renewal(ID, 8, 7)).await;
    assert_eq!(answered.status, 202, "{}", answered.body);
    assert!(answered.body.contains("\"renewable\":true"), "{}", answered.body);
    assert_eq!(kept_csr(&running), csr(ID, 8));
    let kept = running.provider.kept();
    assert!(kept.enrolled.contains(&ID.into()));
    assert_eq!(kept.life, Some(Duration::from_secs(30 * 24 * 3600)));
    // And again with the new one, but with no token.
    assert_eq!(apply(&running, &renewal(ID, 9, 8)).await.status, 202);
    assert_eq!(apply(&running, &request(ID, 10)).await.status, 403);
}

#[tokio::test]
async fn answers_that_are_lost_lock_nobody_out() {
    let running = enrolled().await;
    // None of these arrived, so the cluster has its first key still.
    for seed in [8, 9, 10] {
        assert_eq!(apply(&running, &renewal(ID, seed, 7)).await.status, 202, "{seed}");
    }
    assert_eq!(apply(&running, &renewal(ID, 11, 10)).await.status, 202);
    // Now the first one is two certificates old.
    assert_eq!(apply(&running, &renewal(ID, 12, 7)).await.status, 401);
}

#[tokio::test]
async fn a_proof_by_another_key_or_for_another_cluster_makes_nothing() {
    let running = enrolled().await;
    let stolen = renewal(ID, 8, 7).replace(&csr(ID, 8), &csr(ID, 9));
    for (what, body) in [
        ("another key", renewal(ID, 8, 8)),
        ("a cluster that is not known", renewal(OTHER, 8, 7)),
        ("another request", stolen),
        ("nothing", renewal(ID, 8, 7).replace("\"renewalProof\":\"", "\"renewalProof\":\"AAAA")),
    ] {
        let answered = apply(&running, &body).await;
        assert_eq!((answered.status, answered.body.as_str()), (401, "invalid token\n"), "{what}");
    }
    let kept = running.provider.kept();
    assert_eq!((kept.tenants.len(), kept.signed), (1, 1));
}

#[tokio::test]
async fn a_proof_that_does_not_hold_does_no_harm_to_a_token_that_does() {
    let running = enrolled().await;
    // As after `liqoctl reset identity`.
    running.provider.change(|kept| {
        kept.issued.clear();
        kept.enrolled.clear();
    });
    let with_token = renewal(ID, 8, 7)
        .replace("\"destinationClusterToken\":\"\"", &format!("\"destinationClusterToken\":\"{TOKEN}\""));
    assert_eq!(apply(&running, &renewal(ID, 8, 7)).await.status, 401);
    assert_eq!(apply(&running, &with_token).await.status, 202);
}
