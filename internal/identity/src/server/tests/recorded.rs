//! The requests that were sent to Liqo 0.8.3, and its answers, word for word. Where ours differ the fixture says why.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::wire::from_base64;
use crate::{certificate, pem_block};

const RECORDED: &str = include_str!("../../../fixtures/auth-service.json");
const RSA: &str = include_str!("../../../fixtures/go-rsa-other-organization.csr.pem");

#[derive(Deserialize)]
struct Exchange {
    title: String,
    request: Sent,
    recorded: Expected,
    ours: Option<Ours>,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    path: String,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Expected {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct Ours {
    status: u16,
    body: String,
    because: String,
}

/// The body with what the recording left out.
fn filled(body: &str) -> String {
    let broken = pem_block::encode("CERTIFICATE REQUEST", &[0, 0, 0]);
    let mut body = body
        .replace("<token>", TOKEN)
        .replace("<csr that is broken>", &to_base64(broken.as_bytes()))
        .replace("<csr with an RSA key and another organization>", &to_base64(RSA.as_bytes()));
    for id in [ID, "44444444-2222-4333-8444-555555555555"] {
        body = body
            .replace(&format!("<csr of {id}>"), &csr(id, 7))
            .replace(&format!("<csr of {id} with another key>"), &csr(id, 8));
    }
    body
}

/// The answer with its certificates named, after they were checked.
fn named(body: &str, provider: &TestProvider) -> String {
    let mut named = body.replace(&to_base64(provider.authority().certificate.as_bytes()), "<ca>");
    if let Some(start) = body.find("\"certificate\":\"").map(|at| at + "\"certificate\":\"".len()) {
        let encoded = body[start..].split('"').next().unwrap();
        let pem = from_base64(encoded).unwrap();
        let of = certificate::read(&pem).unwrap().public_key;
        assert!([7, 8].iter().any(|seed| key(*seed).public_key() == of));
        named = named.replace(encoded, "<certificate>");
    }
    named
}

#[tokio::test]
async fn recorded_requests_have_the_recorded_answers() {
    let exchanges: Vec<Exchange> = serde_json::from_str(RECORDED).unwrap();
    let running = start_plain().await;
    for Exchange { title, request, recorded, ours } in exchanges {
        let answered = ask(running.address, &request.method, &request.path, &filled(&request.body)).await;
        let (status, body) = match &ours {
            Some(ours) => (ours.status, &ours.body),
            None => (recorded.status, &recorded.body),
        };
        let because = ours.as_ref().map_or("", |ours| ours.because.as_str());
        assert_eq!(answered.status, status, "{title} {because}");
        assert_eq!(named(&answered.body, &running.provider), *body, "{title} {because}");
        if status == recorded.status {
            for name in ["Content-Type", "X-Content-Type-Options", "Allow", "Location"] {
                let expected = recorded.headers.get(name).map(String::as_str);
                assert_eq!(answered.header(name), expected, "{title}: {name}");
            }
        }
        assert!(answered.header("Date").is_some(), "{title}");
    }
    // Liqo 0.8.3 left two namespaces more, of clusters that got nothing.
    let kept = running.provider.kept();
    let id = ID.into();
    assert_eq!(kept.tenants, [(id, "liqo-tenant-fiction-cf4c47".into())].into());
    assert_eq!(kept.bound, [ID.into()].into());
    assert_eq!(kept.tokens, [(ID.into(), "0".repeat(32))].into());
    assert_eq!(kept.signed, 2);
}
