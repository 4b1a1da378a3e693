//! A consumer and a provider of our own, with and without TLS.

use liqo_events::UnixMillis;
use tokio::task::JoinHandle;

use super::*;
use crate::server::test_provider::{TOKEN, TestProvider};
use crate::{
    AuthKey, AuthService, Listening, Settings, Transport, certificate, one_time_secret_of, serve, with_pin,
};

/// 2026-11-18, in seconds.
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

async fn start(transport: Transport) -> (SocketAddr, TestProvider, JoinHandle<()>) {
    let provider = TestProvider::new();
    let listening = Listening::on(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listening.address();
    let service = AuthService::new(provider.clone(), Settings::default(), Metrics::default());
    let server = tokio::spawn(serve(listening, transport, service, std::future::pending()));
    (address, provider, server)
}

async fn ask(target: &Target, seed: u8, token: &str) -> Result<Identity, EnrolError> {
    let key = PrivateKey::from_seed(&[seed; 32]).unwrap_or_else(|_| panic!("a key"));
    let (cluster, token, own) = (cluster(), Secret::new(token), Secret::new("ours"));
    let application = Application {
        cluster: &cluster,
        key: &key,
        token: Some(&token),
        own_token: Some(&own),
        earlier: None,
    };
    client().enrol(target, application).await
}

#[tokio::test]
async fn a_consumer_enrols_over_tls_and_again_with_the_same_key() {
    let transport = Transport::self_signed(&["127.0.0.1".to_owned()], NOW).unwrap();
    let (address, provider, server) = start(transport).await;
    let target = Target::parse(&format!("https://{address}"), true).unwrap();
    let own = client().ids(&target).await.unwrap();
    assert_eq!(own, Cluster { id: "b6625701-6aeb-4c46-a864-bfce47c964c0".into(), name: "milan".into() });

    let identity = ask(&target, 7, TOKEN).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(identity.namespace, "liqo-tenant-fiction-cf4c47".into());
    assert_eq!(identity.api_server_url, "https://172.18.2.1:6443");
    let again = ask(&target, 7, TOKEN).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.certificate, identity.certificate);
    assert_eq!(provider.kept().tokens, [(ID.into(), "ours".to_owned())].into());

    provider.enrol(&ID.into());
    let other = ask(&target, 8, TOKEN).await.err().unwrap();
    assert!(matches!(other, EnrolError::Denied { status: 403, .. }), "{other}");
    let wrong = ask(&target, 7, "wrong").await.err().unwrap();
    assert!(matches!(wrong, EnrolError::Denied { status: 401, .. }), "{wrong}");
    server.abort();
}

fn auth_key() -> AuthKey {
    AuthKey::generate().unwrap_or_else(|error| panic!("{error}"))
}

/// A server with this key, that knows a one-time token.
async fn start_with(key: &AuthKey) -> (SocketAddr, TestProvider, Secret, JoinHandle<()>) {
    let (address, provider, server) = start(key.transport(&["127.0.0.1".to_owned()]).unwrap()).await;
    let token = one_time_secret_of(&[7; 32]);
    provider.add_token(&token, NOW.plus(1));
    (address, provider, token, server)
}

#[tokio::test]
async fn a_token_with_a_pin_is_shown_to_the_holder_of_the_key_alone() {
    let key = auth_key();
    let (address, provider, token, server) = start_with(&key).await;
    for skip_verify in [true, false] {
        let target = Target::parse(&format!("https://{address}"), skip_verify).unwrap();
        let pinned = with_pin(&token, Some(&key.pin()));
        assert!(ask(&target, 7, pinned.expose()).await.is_ok());
        let of_another = with_pin(&token, Some(&auth_key().pin()));
        let error = ask(&target, 7, of_another.expose()).await.err().unwrap();
        assert!(matches!(error, EnrolError::Pin { source: Some(_), .. }), "{error}");
        assert_eq!(error.disposition(), Disposition::Retry { after: Some(Duration::from_secs(60)) });
    }
    assert_eq!(provider.kept().signed, 1);
    server.abort();
}

#[tokio::test]
async fn a_token_with_a_pin_needs_tls_and_a_damaged_one_goes_nowhere() {
    let (address, provider, server) = start(Transport::Plain).await;
    let target = Target::parse(&format!("http://{address}"), true).unwrap();
    let token = one_time_secret_of(&[7; 32]);
    provider.add_token(&token, NOW.plus(1));
    let pinned = with_pin(&token, Some(&auth_key().pin()));
    let error = ask(&target, 7, pinned.expose()).await.err().unwrap();
    assert!(matches!(error, EnrolError::Pin { source: None, .. }), "{error}");
    let damaged = &pinned.expose()[..pinned.expose().len() - 1];
    let error = ask(&target, 7, damaged).await.err().unwrap();
    assert!(matches!(error, EnrolError::Token { .. }), "{error}");
    assert!(provider.kept().tenants.is_empty());
    server.abort();
}

#[tokio::test]
async fn why_a_token_is_not_accepted_is_told() {
    let (address, provider, token, server) = start_with(&auth_key()).await;
    let target = Target::parse(&format!("https://{address}"), true).unwrap();
    let said = async |token: &Secret| match ask(&target, 7, token.expose()).await.err().unwrap() {
        EnrolError::Denied { status: 401, message, .. } => message,
        other => panic!("{other}"),
    };
    let other = Cluster { id: "66666666-2222-4333-8444-555555555555".into(), name: "other".into() };
    let key = key();
    let application =
        Application { cluster: &other, key: &key, token: Some(&token), own_token: None, earlier: None };
    assert!(client().enrol(&target, application).await.is_ok());
    assert!(said(&token).await.starts_with("the token was used already: "));
    let old = one_time_secret_of(&[8; 32]);
    provider.add_token(&old, UnixMillis(0));
    assert!(said(&old).await.starts_with("the token has expired: "));
    assert_eq!(said(&Secret::new("wrong")).await, "the token is not accepted");
    server.abort();
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_when_it_counts() {
    let transport = Transport::self_signed(&["127.0.0.1".to_owned()], NOW).unwrap();
    let (address, provider, server) = start(transport).await;
    let target = Target::parse(&format!("https://{address}"), false).unwrap();
    let error = ask(&target, 7, TOKEN).await.err().unwrap();
    assert!(matches!(error, EnrolError::Tls { .. }), "{error}");
    assert!(provider.kept().tenants.is_empty());
    server.abort();
}

#[tokio::test]
async fn a_certificate_of_a_root_that_was_given_is_accepted() {
    let authority = TestAuthority::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = authority.sign(&parameters.serialize_request(&key).unwrap().pem().unwrap());
    assert!(certificate::read(certificate.as_bytes()).is_some());
    let transport = Transport::tls(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    let (address, _, server) = start(transport).await;
    let client = AuthClient::new(authority.certificate.as_bytes(), Metrics::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let target = Target::parse(&format!("https://{address}"), false).unwrap();
    assert_eq!(client.ids(&target).await.unwrap().name, "milan".into());
    server.abort();
}

#[test]
fn certificates_and_keys_that_do_not_fit_are_errors() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let authority = TestAuthority::new();
    assert!(Transport::tls(authority.certificate.as_bytes(), key.as_bytes()).is_err());
    assert!(Transport::tls(b"", key.as_bytes()).is_err());
    assert!(Transport::tls(authority.certificate.as_bytes(), b"").is_err());
    assert!(
        AuthClient::new(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            Metrics::default()
        )
        .is_err()
    );
}
