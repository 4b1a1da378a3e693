//! The consumer's side.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_identity::{AuthClient, Cluster, Metrics, PrivateKey, Secret};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::store::{Store, serve};
use super::{TENANT, held, secret, secret_path};
use crate::enrolment::renewals::Renewals;
use crate::enrolment::{Applicant, SharedToken};

const HOME: &str = "7f081ef5-ce34-40d7-94fc-46a331394d56";
const PEER: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";

/// A certificate for the key that the request is of, which ended long ago or lasts for long.
fn signed(csr: &str, ended: bool) -> String {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut request = CertificateSigningRequestParams::from_pem(csr).unwrap();
    request.params.not_before = date_time_ymd(2024, 1, 1);
    request.params.not_after = if ended { date_time_ymd(2024, 2, 1) } else { date_time_ymd(2099, 1, 1) };
    request.signed_by(&Issuer::new(parameters, key)).unwrap().pem()
}

/// A provider that signs what it is asked for, and what it was asked.
async fn provider() -> (String, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::<Mutex<Vec<Value>>>::default();
    let log = Arc::clone(&asked);
    let answer = post(async move |body: String| {
        let body: Value = serde_json::from_str(&body).unwrap();
        let csr = STANDARD.decode(body["certificateSigningRequest"].as_str().unwrap()).unwrap();
        let certificate = signed(str::from_utf8(&csr).unwrap(), false);
        log.lock().unwrap().push(body);
        let answer = json!({
            "namespace": "liqo-tenant-rome", "certificate": STANDARD.encode(certificate),
            "apiServerUrl": "https://172.18.2.1:6443", "renewable": true,
        });
        (StatusCode::ACCEPTED, answer.to_string())
    });
    let address = serve(Router::new().route("/identity/certificate", answer)).await;
    (format!("http://{address}"), asked)
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32]).unwrap_or_else(|error| panic!("{error}"))
}

fn path() -> String {
    secret_path(TENANT, "liqo-identity-milan")
}

/// A cluster with an identity at a peer; what the annotations of its Secret are.
async fn cluster(url: &str, ended: bool, annotations: Value) -> (Store, Renewals) {
    let store = Store::start().await;
    let certificate = signed(&key(7).signing_request(&HOME.into()).unwrap(), ended);
    let data = [
        ("private-key", key(7).pem().expose().to_owned()),
        ("certificate", certificate),
        ("apiServerUrl", "https://172.18.2.1:6443".to_owned()),
        ("namespace", "liqo-tenant-rome".to_owned()),
    ];
    let data = data.map(|(key, text)| (key.to_owned(), text.into_bytes())).into();
    let labels = json!({"discovery.liqo.io/local-identity": "true", "discovery.liqo.io/cluster-id": PEER});
    let metadata = json!({
        "name": "liqo-identity-milan", "namespace": TENANT, "labels": labels, "annotations": annotations,
    });
    store.put(&path(), secret(metadata, &data));
    let peer = json!({
        "apiVersion": "discovery.liqo.io/v1alpha1", "kind": "ForeignCluster",
        "metadata": {"name": "milan", "labels": {"discovery.liqo.io/cluster-id": PEER}},
        "spec": {
            "clusterIdentity": {"clusterID": PEER, "clusterName": "milan"}, "foreignAuthUrl": url,
            "insecureSkipTLSVerify": true,
        },
    });
    store.put("/apis/discovery.liqo.io/v1alpha1/foreignclusters/milan", peer);
    let asking = AuthClient::new(&[], Metrics::default()).unwrap_or_else(|error| panic!("{error}"));
    let token = SharedToken::of(Secret::new("shared"));
    let applicant = Applicant::new(store.client(), "liqo".into(), token, asking, || Ok([8; 32]));
    (store, Renewals { applicant, home: watch::channel(None).1 })
}

async fn look(renewals: &Renewals) {
    let home = Cluster { id: HOME.into(), name: "rome".into() };
    renewals.look(&home).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn an_identity_is_renewed_by_its_key_when_it_is_time() {
    let (url, asked) = provider().await;
    let (store, renewals) = cluster(&url, true, json!({"liqo.io/renewable": "true"})).await;
    look(&renewals).await;
    let kept = store.get(&path());
    assert_eq!(held(&kept, "private-key").as_deref(), Some(key(8).pem().expose()));
    assert!(kept["metadata"]["annotations"]["liqo.io/renewing-since"].is_string());
    {
        let asked = asked.lock().unwrap();
        assert_eq!((asked.len(), &asked[0]["destinationClusterToken"]), (1, &json!("")));
        assert!(asked[0]["renewalProof"].as_str().is_some_and(|proof| proof.len() > 80));
        assert_eq!(asked[0]["renews"], true);
    }
    // Now it is not time for long.
    look(&renewals).await;
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_due_or_not_renewed_or_renewed_already_is_left_alone() {
    let (url, asked) = provider().await;
    let now = liqo_events::rfc3339_seconds(liqo_engine::Clock::wall(&liqo_engine::SystemClock));
    for (ended, annotations) in [
        (false, json!({"liqo.io/renewable": "true"})),
        (true, json!({})),
        (true, json!({"liqo.io/renewable": "true", "liqo.io/renewing-since": now})),
    ] {
        let (store, renewals) = cluster(&url, ended, annotations).await;
        let before = store.get(&path());
        look(&renewals).await;
        assert_eq!(store.get(&path()), before);
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_earlier_identity_stays_until_there_is_another() {
    // Nobody listens there.
    let (store, renewals) = cluster("http://127.0.0.1:1", true, json!({"liqo.io/renewable": "true"})).await;
    let before = store.get(&path());
    look(&renewals).await;
    assert_eq!(store.get(&path())["data"], before["data"]);
}
