//! Certificates from an API server of a few lines.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::watch::Receiver;

use super::*;
use crate::ServingIdentity;
use crate::test_api::{Answer, Asked, TestApi};
use crate::test_authority::TestAuthority;

const PATH: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

fn request(status: Value) -> CertificateSigningRequest {
    let spec = json!({"request": "", "signerName": "kubernetes.io/kubelet-serving"});
    serde_json::from_value(json!({"metadata": {"name": "csr-1"}, "spec": spec, "status": status})).unwrap()
}

#[test]
fn requests_are_open_granted_or_refused() {
    let approved = json!({"type": "Approved", "status": "True", "reason": "LiqoApproval"});
    let denied = json!({"type": "Denied", "status": "True", "reason": "No", "message": "not here"});
    for (status, expected) in [
        (json!(null), Decision::Open),
        (json!({"conditions": [approved]}), Decision::Open),
        (json!({"conditions": [approved], "certificate": ""}), Decision::Open),
        (json!({"conditions": [approved], "certificate": "eA=="}), Decision::Granted(b"x".to_vec())),
        (json!({"conditions": [denied]}), Decision::Refused("Denied: No: not here".to_owned())),
        (
            json!({"conditions": [approved, {"type": "Failed", "status": "True"}]}),
            Decision::Refused("Failed".to_owned()),
        ),
    ] {
        assert_eq!(judge(Some(&request(status.clone()))), expected, "{status}");
    }
    assert_eq!(judge(None), Decision::Refused("it was deleted".to_owned()));
}

#[test]
fn pauses_grow_up_to_a_bound() {
    let seconds = |failures| pause(failures).as_secs();
    assert_eq!([0, 1, 2, 5, 6, 7, 40, u32::MAX].map(seconds), [10, 20, 40, 320, 600, 600, 600, 600]);
}

/// Makes a request and decides about it as the test says, with `decide` of the request, PEM.
fn cluster(
    decide: impl Fn(&str) -> Value + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Answer + Send + Sync {
    let kept = Mutex::new(Value::Null);
    move |asked: &Asked| {
        let mut kept = kept.lock().unwrap();
        if asked.line.starts_with("POST") {
            *kept = asked.body.clone();
            kept["metadata"] = json!({"name": "csr-1", "resourceVersion": "1"});
            return Answer::Json(201, kept.clone());
        }
        let mut decided = kept.clone();
        let made: CertificateSigningRequest = serde_json::from_value(kept.clone()).unwrap();
        decided["status"] = decide(std::str::from_utf8(&made.spec.request.0).unwrap());
        let list = json!({"kind": "CertificateSigningRequestList", "apiVersion": "certificates.k8s.io/v1",
            "metadata": {"resourceVersion": "2"}, "items": [decided]});
        Answer::Json(200, list)
    }
}

struct Running {
    api: TestApi,
    tls: ServingTls,
    state: Receiver<ServingState>,
}

async fn start(kind: CertificateType, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Running {
    let api = TestApi::start(script).await;
    let identity = ServingIdentity { node: "liqo-milan".to_owned(), address: [127, 0, 0, 1].into() };
    let tls = ServingTls::self_signed(identity, Timestamp::now()).unwrap();
    let (keeper, state) = CertificateKeeper::new(api.client.clone(), tls.clone(), kind, Metrics::default());
    tokio::spawn(keeper.run(std::future::pending()));
    Running { api, tls, state }
}

#[tokio::test]
async fn a_certificate_that_was_granted_is_shown_and_renewed_in_time() {
    let authority = Arc::new(TestAuthority::new("kubernetes"));
    let signer = Arc::clone(&authority);
    let grant = move |csr: &str| {
        let pem = k8s_openapi::ByteString(signer.sign(csr).into_bytes());
        json!({"conditions": [{"type": "Approved", "status": "True"}], "certificate": pem})
    };
    let mut running = start(CertificateType::Kubelet, cluster(grant)).await;
    let own = running.tls.certificate();
    let state = running.state.wait_for(|state| *state != ServingState::Asking).await.unwrap().clone();
    let not_after = "2040-01-02T00:00:00Z".parse().unwrap();
    assert_eq!(state, ServingState::Signed { not_after, renew_at: "2036-01-01T19:12:00Z".parse().unwrap() });
    assert_ne!(running.tls.certificate(), own);
    assert_eq!(running.api.lines()[0], format!("POST {PATH}?"));
    let asked = &running.api.asked()[0].body["spec"];
    assert_eq!(asked["signerName"], "kubernetes.io/kubelet-serving");
}

#[tokio::test]
async fn a_refusal_leaves_a_certificate_of_our_own_and_is_said() {
    let deny = |_: &str| json!({"conditions": [{"type": "Denied", "status": "True", "message": "not here"}]});
    let mut running = start(CertificateType::Kubelet, cluster(deny)).await;
    let own = running.tls.certificate();
    let state = running.state.wait_for(|state| *state != ServingState::Asking).await.unwrap().clone();
    let reason = "the CertificateSigningRequest csr-1 was not granted: Denied: not here".to_owned();
    assert_eq!(state, ServingState::SelfSigned { reason });
    assert_eq!(running.tls.certificate(), own);
}

#[tokio::test]
async fn a_certificate_of_another_key_is_never_shown() {
    let authority = TestAuthority::new("kubernetes");
    let mix_up = move |_: &str| {
        let (other, _) = authority.server("127.0.0.1");
        let pem = pem_of(&other);
        json!({"conditions": [{"type": "Approved", "status": "True"}], "certificate": k8s_openapi::ByteString(pem)})
    };
    let mut running = start(CertificateType::Kubelet, cluster(mix_up)).await;
    let own = running.tls.certificate();
    let state = running.state.wait_for(|state| *state != ServingState::Asking).await.unwrap().clone();
    assert!(matches!(state, ServingState::SelfSigned { .. }), "{state:?}");
    assert_eq!(running.tls.certificate(), own);
}

#[tokio::test]
async fn nobody_is_asked_when_nobody_is_to_vouch() {
    let mut running = start(CertificateType::SelfSigned, |_| Answer::Json(500, json!({}))).await;
    let state = running.state.wait_for(|state| *state != ServingState::Asking).await.unwrap().clone();
    let reason = "--certificate-type is self-signed".to_owned();
    assert_eq!(state, ServingState::SelfSigned { reason });
    assert!(running.api.lines().is_empty());
}

fn pem_of(certificate: &CertificateDer<'_>) -> Vec<u8> {
    use std::fmt::Write as _;
    let encoded = serde_json::to_value(k8s_openapi::ByteString(certificate.to_vec())).unwrap();
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in encoded.as_str().unwrap().as_bytes().chunks(64) {
        writeln!(pem, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem.into_bytes()
}
