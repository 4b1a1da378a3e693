//! The client against answers of Liqo 0.8.3, and against our own server.

mod round_trip;

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use liqo_events::parse_rfc3339;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer::Answer;
use super::scripted_server::{answer_with, chunked, short};
use super::*;
use crate::metrics::Outcome;
use crate::test_authority::TestAuthority;
use crate::wire::{from_base64, to_base64};
use crate::{Cluster, Metrics, PrivateKey, Secret};

const ID: &str = "11111111-2222-4333-8444-555555555555";
const RECORDED: &str = include_str!("../../fixtures/requester.json");

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[7; 32]).unwrap_or_else(|_| panic!("a key"))
}

fn cluster() -> Cluster {
    Cluster { id: ID.into(), name: "fiction".into() }
}

fn client() -> AuthClient {
    AuthClient::new(b"", Metrics::default()).unwrap_or_else(|_| panic!("a client"))
}

async fn enrol(client: &AuthClient, address: SocketAddr) -> Result<Identity, EnrolError> {
    let (key, cluster) = (key(), cluster());
    let (token, own) = (Secret::new("canary-theirs"), Secret::new("canary-ours"));
    let application = Application {
        cluster: &cluster,
        key: &key,
        token: Some(&token),
        own_token: Some(&own),
        earlier: None,
    };
    let target = Target::parse(&format!("http://{address}/"), true).unwrap();
    client.enrol(&target, application).await
}

/// The answer to a request, as Liqo 0.8.3 gives it.
fn identity_for(request: &str, authority: &TestAuthority) -> Value {
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let csr = from_base64(body["certificateSigningRequest"].as_str().unwrap()).unwrap();
    json!({
        "namespace": "liqo-tenant-fiction-cf4c47",
        "certificate": to_base64(authority.sign(str::from_utf8(&csr).unwrap()).as_bytes()),
        "apiServerUrl": "https://172.18.2.1:6443",
        "apiServerCA": to_base64(authority.certificate.as_bytes()),
        "aws": {"accessKeyID": "", "secretAccessKey": "", "region": "", "eksClusterID": "", "iamUserArn": ""},
    })
}

#[tokio::test]
async fn an_identity_of_go_is_accepted() {
    let authority = TestAuthority::new();
    let ca = authority.certificate.clone();
    let (address, server) =
        answer_with(move |request| chunked("202 Accepted", &identity_for(request, &authority).to_string()))
            .await;
    let client = client();
    let identity = enrol(&client, address).await.unwrap_or_else(|error| panic!("{error}"));
    server.await.unwrap();
    assert_eq!(identity.namespace, "liqo-tenant-fiction-cf4c47".into());
    assert_eq!(identity.api_server_url, "https://172.18.2.1:6443");
    assert_eq!(identity.api_server_ca, Some(ca));
    assert_eq!(Some(identity.not_after), parse_rfc3339("2040-01-02T00:00:00Z"));
    assert!(identity.private_key.matches(&key().pem()));
    assert!(identity.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(client_count(&client, "enrolled"), 1);
}

fn client_count(client: &AuthClient, outcome: &'static str) -> u64 {
    client.metrics.enrolments.get_or_create(&Outcome { outcome }).get()
}

#[tokio::test]
async fn requests_are_those_of_go_but_for_the_name_of_the_program() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let (address, server) = answer_with(|_| short("403 Forbidden", "", "\n")).await;
    assert!(enrol(&client(), address).await.is_err());
    let request = server.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), recorded["certificate"]["line"].as_str());
    let mut names: Vec<&str> = lines.map(|line| line.split(':').next().unwrap()).collect();
    names.sort_unstable();
    // A compressed answer is not asked for.
    assert_eq!(json!(names), recorded["certificate"]["headers"]);
    assert!(
        head.contains("content-type: text/plain\r\n") || head.ends_with("content-type: text/plain"),
        "{head}"
    );
    let keys = ["cluster", "originClusterToken", "destinationClusterToken", "certificateSigningRequest"];
    assert_eq!(json!(keys), recorded["certificate"]["keys"]);
    let places: Vec<_> = keys.iter().map(|key| body.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{body}");

    let ids = r#"{"clusterId": "99999999-2222-4333-8444-555555555555", "clusterName": "fake"}"#;
    let (address, server) = answer_with(|_| short("200 OK", "", ids)).await;
    let target = Target::parse(&format!("http://{address}"), true).unwrap();
    let expected = Cluster { id: "99999999-2222-4333-8444-555555555555".into(), name: "fake".into() };
    assert_eq!(client().ids(&target).await.unwrap(), expected);
    let request = server.await.unwrap();
    assert_eq!(request.lines().next(), recorded["ids"]["line"].as_str());
}

/// What is said of an answer, and what may be done.
async fn refused(answer: Vec<u8>) -> (String, Disposition) {
    let (address, server) = answer_with(|_| answer).await;
    let error = enrol(&client(), address).await.err().unwrap();
    server.await.unwrap();
    (error.to_string().replace(&address.to_string(), "milan"), error.disposition())
}

#[tokio::test]
async fn answers_of_go_have_their_dispositions() {
    let later = Disposition::Retry { after: Some(Duration::from_secs(60)) };
    let now = Disposition::Retry { after: None };
    let cases = [
        (
            short("401 Unauthorized", "", "invalid token \"canary-theirs\"\n"),
            "denied it with status 401: the token is not accepted",
            later,
        ),
        (short("403 Forbidden", "", "\n"), "denied it with status 403: ", later),
        (
            short("403 Forbidden", "", "no canary-theirs, no canary-ours\n"),
            "denied it with status 403: no <hidden>, no <hidden>",
            later,
        ),
        (short("500 Internal Server Error", "", "a\r\nb\n"), "answered with status 500: a  b", now),
        (
            short("404 Not Found", "", "404 page not found\n"),
            "answered with status 404: 404 page not found",
            now,
        ),
        (short("200 OK", "", "{}"), "answered with status 200: {}", now),
        (
            short("307 Temporary Redirect", "Location: https://elsewhere\r\n", ""),
            "answered with status 307: ",
            now,
        ),
        (
            short("503 Service Unavailable", "Retry-After: 7\r\n", "busy\n"),
            "answered with status 503: busy",
            Disposition::Retry { after: Some(Duration::from_secs(7)) },
        ),
        (
            short("429 Too Many Requests", "Retry-After: 99999999\r\n", ""),
            "answered with status 429: ",
            Disposition::Retry { after: Some(Duration::from_secs(600)) },
        ),
        (b"nonsense\r\n\r\n".to_vec(), "broke off: check that it speaks HTTP/1.1", now),
        (Vec::new(), "broke off: check that it speaks HTTP/1.1", now),
        (chunked("202 Accepted", &"x".repeat(300 * 1024)), "it is longer than any identity", now),
    ];
    for (answer, text, disposition) in cases {
        let (said, may) = refused(answer).await;
        assert!(said.ends_with(text), "{said} does not end with {text}");
        assert_eq!(may, disposition, "{said}");
    }
}

#[tokio::test]
async fn who_is_not_there_or_says_nothing_is_told_apart() {
    // A server that is gone again leaves a port where nobody listens.
    let (address, server) = answer_with(|_| Vec::new()).await;
    server.abort();
    assert!(server.await.is_err());
    let error = enrol(&client(), address).await.err().unwrap();
    assert!(matches!(error, EnrolError::Connect { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = enrol(&client(), listener.local_addr().unwrap()).await.err().unwrap();
    assert!(matches!(error, EnrolError::Timeout { seconds: 5, .. }), "{error}");
}

fn answer(status: StatusCode, body: Vec<u8>) -> Answer {
    Answer { endpoint: "milan".to_owned(), status, retry_after: None, body }
}

fn unusable(change: impl FnOnce(&mut Value)) -> String {
    let authority = TestAuthority::new();
    let csr = to_base64(key().signing_request(&ID.into()).unwrap().as_bytes());
    let mut body = identity_for(&format!("\r\n\r\n{{\"certificateSigningRequest\":\"{csr}\"}}"), &authority);
    change(&mut body);
    let answer = answer(StatusCode::ACCEPTED, body.to_string().into_bytes());
    answer.into_identity(&key(), &[]).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn identities_that_cannot_be_used_are_refused() {
    assert_eq!(unusable(|_| {}), "");
    assert_eq!(unusable(|body| body["apiServerUrl"] = json!("172.18.2.1:6443")), "");
    assert_eq!(unusable(|body| body["apiServerCA"] = json!("")), "");
    let other = PrivateKey::from_seed(&[8; 32]).unwrap_or_else(|_| panic!("a key"));
    let other = TestAuthority::new().sign(&other.signing_request(&ID.into()).unwrap());
    let cases = [
        (("certificate", json!(to_base64(other.as_bytes()))), "the certificate is for another key"),
        (("certificate", json!("")), "there is no certificate in it"),
        (("certificate", json!("***")), "certificate is no base64"),
        (("certificate", json!("aGk=")), "certificate is no certificate in PEM"),
        (("namespace", json!("../kube-system")), "namespace is no DNS label"),
        (("namespace", json!(7)), "it is no JSON with an identity"),
        (("apiServerUrl", json!("https://")), "apiServerUrl is no URL"),
        (("apiServerCA", json!("aGk=")), "apiServerCA is no certificate in PEM"),
    ];
    for ((field, value), text) in cases {
        let said = unusable(|body| body[field] = value);
        assert!(said.contains(text), "{said} does not say that {text}");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(
        body in prop::collection::vec(any::<u8>(), 0..300),
        status in prop::sample::select(vec![200_u16, 201, 202, 301, 401, 403, 500]),
    ) {
        let status = StatusCode::from_u16(status).unwrap();
        prop_assert!(answer(status, body.clone()).into_identity(&key(), &[]).is_err());
        prop_assert!(answer(status, body).into_cluster().is_err());
    }

    #[test]
    fn a_server_cannot_have_tokens_written_down(before in ".{0,400}", after in ".{0,400}") {
        let token = Secret::new("canary-token");
        let body = format!("{before}canary-token{after}canary-token");
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::BAD_GATEWAY] {
            let error = answer(status, body.clone().into_bytes()).into_identity(&key(), &[&token]).err();
            let text = error.map(|error| format!("{error} {error:?}")).unwrap_or_default();
            prop_assert!(!text.contains("canary-token"));
        }
    }
}
