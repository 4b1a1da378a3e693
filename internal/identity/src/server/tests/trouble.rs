//! Kubernetes fails, peers vanish, and two ask at once.

use super::*;
use crate::ProviderError;
use crate::metrics::Outcome;

const STEPS: [&str; 9] = [
    "identity",
    "shared_token",
    "api_server",
    "ensure_tenant",
    "issued",
    "sign",
    "keep_issued",
    "bind_basic",
    "keep_peer_token",
];

fn failed() -> ProviderError {
    ProviderError::Failed { reason: "words of the API server".to_owned() }
}

fn denied() -> ProviderError {
    ProviderError::Denied { reason: "words of the API server".to_owned() }
}

#[tokio::test]
async fn after_a_failure_at_any_step_the_same_request_gets_its_certificate() {
    for step in STEPS {
        for (error, status) in [(failed(), 500), (denied(), 403)] {
            let running = start_plain().await;
            running.provider.fail(Some((step, error)));
            let answered = apply(&running, &request(ID, 7)).await;
            assert_eq!(answered.status, status, "{step}");
            assert!(!answered.body.contains("words"), "{step}: {}", answered.body);
            running.provider.fail(None);
            assert_eq!(apply(&running, &request(ID, 7)).await.status, 202, "{step}");
            let kept = running.provider.kept();
            assert_eq!((kept.tenants.len(), kept.issued.len(), kept.bound.len()), (1, 1, 1), "{step}");
            assert_eq!(kept.tokens.len(), 1, "{step}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again() {
    let running = start_plain().await;
    let first = apply(&running, &request(ID, 7)).await;
    let again = apply(&running, &request(ID, 7)).await;
    assert_eq!((first.status, again.status), (202, 202));
    assert_eq!(again.body, first.body);
    assert_eq!(running.provider.kept().signed, 1);
    let count = |outcome| running.metrics.requests.get_or_create(&Outcome { outcome }).get();
    assert_eq!((count("issued"), count("repeated")), (1, 1));
}

#[tokio::test]
async fn of_two_requests_of_one_cluster_at_once_one_is_signed() {
    let running = start(TestProvider::with(TOKEN, 0), Transport::Plain).await;
    let first = tokio::spawn(ask_owned(running.address, request(ID, 7)));
    running.provider.signing().await;
    let second = apply(&running, &request(ID, 8)).await;
    assert_eq!(second.status, 503);
    assert_eq!(second.body, "an identity for this cluster is being issued, ask again\n");
    running.provider.allow_signature();
    assert_eq!(first.await.unwrap().status, 202);
    assert_eq!(running.provider.kept().signed, 1);
}

pub(super) async fn ask_owned(address: SocketAddr, body: String) -> Answered {
    ask(address, "POST", CERTIFICATE_PATH, &body).await
}

#[tokio::test]
async fn a_peer_that_goes_away_leaves_its_place_to_its_next_request() {
    let running = start(TestProvider::with(TOKEN, 0), Transport::Plain).await;
    let first = tokio::spawn(ask_owned(running.address, request(ID, 7)));
    running.provider.signing().await;
    first.abort();
    // Until the server has seen that the first connection is gone, it says that something is under way.
    let second = loop {
        let mut second = tokio::spawn(ask_owned(running.address, request(ID, 8)));
        tokio::select! {
            () = running.provider.signing() => break second,
            answered = &mut second => assert_eq!(answered.unwrap().status, 503),
        }
    };
    running.provider.allow_signature();
    assert_eq!(second.await.unwrap().status, 202);
    let issued = &running.provider.kept().issued[&ID.into()];
    assert_eq!(to_base64(issued.csr.as_bytes()), csr(ID, 8));
}

#[tokio::test]
async fn what_is_under_way_is_answered_when_the_server_stops() {
    let running = start(TestProvider::with(TOKEN, 0), Transport::Plain).await;
    let first = tokio::spawn(ask_owned(running.address, request(ID, 7)));
    running.provider.signing().await;
    running.stop.send(()).unwrap();
    running.provider.allow_signature();
    assert_eq!(first.await.unwrap().status, 202);
    running.server.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_never_answers_is_not_waited_for_for_ever() {
    let running = start(TestProvider::with(TOKEN, 0), Transport::Plain).await;
    let answered = apply(&running, &request(ID, 7)).await;
    assert_eq!((answered.status, answered.body.as_str()), (500, "timeout, ask again\n"));
}

#[tokio::test]
async fn without_a_token_of_its_own_a_cluster_lets_nobody_in() {
    let running = start(TestProvider::with("", 1000), Transport::Plain).await;
    let body = request(ID, 7).replace(TOKEN, "");
    assert_eq!(apply(&running, &body).await.status, 401);
    assert!(running.provider.kept().tenants.is_empty());
}

#[tokio::test]
async fn without_authentication_no_token_is_needed_but_an_identity_cannot_be_taken() {
    let provider = TestProvider::new();
    let listening = Listening::on(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listening.address();
    let settings = Settings { authentication: false };
    let service = AuthService::new(provider, settings, Metrics::default());
    let server = tokio::spawn(serve(listening, Transport::Plain, service, std::future::pending()));
    let body = |seed| request(ID, seed).replace(TOKEN, "");
    assert_eq!(ask(address, "POST", CERTIFICATE_PATH, &body(7)).await.status, 202);
    assert_eq!(ask(address, "POST", CERTIFICATE_PATH, &body(8)).await.status, 403);
    server.abort();
}
