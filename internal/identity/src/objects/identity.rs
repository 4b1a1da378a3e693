//! The Secret of a consumer with the identity that a provider issued.

use std::collections::BTreeMap;

use liqo_api::annotations::CERTIFICATE_EXPIRE_TIME;
use liqo_api::labels::{CERTIFICATE_AVAILABLE, CLUSTER_ID, LOCAL_IDENTITY, TRUE};
use liqo_api::names::IDENTITY_SECRET_PREFIX;
use liqo_events::UnixMillis;
use liqo_model::{ClusterId, NamespaceName, check_dns_label};

use super::{SecretContent, owned};
use crate::renewal::is_due;
use crate::{Error, Identity, PrivateKey, Secret, certificate};

/// Annotation of such a Secret whose provider renews the identity.
pub const RENEWABLE: &str = "liqo.io/renewable";
const PRIVATE_KEY: &str = "private-key";
const CERTIFICATE: &str = "certificate";
const API_SERVER_URL: &str = "apiServerUrl";
const API_SERVER_CA: &str = "apiServerCa";
const NAMESPACE: &str = "namespace";
const PROXY_URL: &str = "proxyURL";
const MILLIS_PER_SECOND: i64 = 1000;

/// What of an identity is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFacts {
    /// The tenant namespace in the provider.
    pub namespace: NamespaceName,
    /// URL of the provider's API server.
    pub api_server_url: String,
    /// URL of the proxy on the way to it.
    pub proxy_url: Option<String>,
    /// When the certificate ends; nothing for an identity without one.
    pub not_after: Option<UnixMillis>,
    /// Its serial number, by which it is told apart in logs of the provider.
    pub serial: String,
}

/// Whether it is time to renew the identity in the data of such a Secret.
pub fn is_renewal_due(data: &BTreeMap<String, Vec<u8>>, now: UnixMillis) -> bool {
    data.get(CERTIFICATE).and_then(|pem| certificate::read(pem)).is_some_and(|facts| is_due(&facts, now))
}

/// The private key in the data of such a Secret, if it is one of ours: that of Liqo 0.8.3 is.
pub fn identity_key(data: &BTreeMap<String, Vec<u8>>) -> Option<PrivateKey> {
    let pem = Secret::new(String::from_utf8(data.get(PRIVATE_KEY)?.clone()).ok()?);
    PrivateKey::from_pem(&pem).ok()
}

/// The Secret for an identity at `provider`, in the local tenant namespace. The annotation tells when the certificate
/// really ends; of several identities, the one that ends last is used.
pub fn identity_secret(
    identity: &Identity,
    provider: &ClusterId,
    namespace: &NamespaceName,
    proxy_url: Option<&str>,
) -> SecretContent {
    let seconds = identity.not_after.0.div_euclid(MILLIS_PER_SECOND).to_string();
    let mut data: BTreeMap<String, Vec<u8>> = [
        (PRIVATE_KEY, identity.private_key.expose()),
        (CERTIFICATE, &identity.certificate),
        (API_SERVER_URL, &identity.api_server_url),
        (NAMESPACE, identity.namespace.as_str()),
    ]
    .into_iter()
    .map(|(key, text)| (key.to_owned(), text.as_bytes().to_vec()))
    .collect();
    let optional = [(API_SERVER_CA, identity.api_server_ca.as_deref()), (PROXY_URL, proxy_url)];
    for (key, text) in optional {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            data.insert(key.to_owned(), text.as_bytes().to_vec());
        }
    }
    let mut annotations = owned([(CERTIFICATE_EXPIRE_TIME, &seconds)]);
    if identity.renewable {
        annotations.insert(RENEWABLE.to_owned(), TRUE.to_owned());
    }
    SecretContent {
        namespace: namespace.clone(),
        name: IDENTITY_SECRET_PREFIX.to_owned(),
        generate_name: true,
        labels: owned([
            (LOCAL_IDENTITY, TRUE),
            (CLUSTER_ID, provider.as_str()),
            (CERTIFICATE_AVAILABLE, TRUE),
        ]),
        annotations,
        data,
    }
}

/// Reads what is no secret from the data of such a Secret, whichever version of Liqo wrote it.
///
/// # Errors
///
/// [`Error::ReadIdentity`] with the key that is missing or cannot be used.
pub fn read_identity(data: &BTreeMap<String, Vec<u8>>) -> Result<IdentityFacts, Error> {
    let text = |key: &str| data.get(key).and_then(|bytes| str::from_utf8(bytes).ok());
    let needed = |key| text(key).filter(|text| !text.is_empty()).ok_or(Error::ReadIdentity { key });
    let namespace = needed(NAMESPACE)?;
    check_dns_label(NAMESPACE, namespace).map_err(|_| Error::ReadIdentity { key: NAMESPACE })?;
    let certificate = match data.get(CERTIFICATE) {
        None => None,
        Some(pem) => {
            needed(PRIVATE_KEY)?;
            Some(certificate::read(pem).ok_or(Error::ReadIdentity { key: CERTIFICATE })?)
        }
    };
    Ok(IdentityFacts {
        namespace: NamespaceName::new(namespace),
        api_server_url: needed(API_SERVER_URL)?.to_owned(),
        proxy_url: text(PROXY_URL).filter(|text| !text.is_empty()).map(str::to_owned),
        not_after: certificate.as_ref().map(|facts| facts.not_after),
        serial: certificate.map(|facts| facts.serial).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use liqo_events::parse_rfc3339;
    use serde_json::json;

    use super::*;
    use crate::wire::to_base64;
    use crate::{PrivateKey, test_authority::TestAuthority};

    const CONSUMER: &str = "11111111-2222-4333-8444-555555555555";
    const PROVIDER: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";

    fn identity() -> Identity {
        let key = PrivateKey::from_seed(&[7; 32]).unwrap_or_else(|_| panic!("a key"));
        let request = key.signing_request(&CONSUMER.into()).unwrap();
        Identity {
            namespace: "liqo-tenant-fiction-cf4c47".into(),
            certificate: TestAuthority::new().sign(&request),
            not_after: parse_rfc3339("2040-01-02T00:00:00Z").unwrap(),
            api_server_url: "https://172.18.2.1:6443".to_owned(),
            api_server_ca: Some("ca".to_owned()),
            private_key: key.pem(),
            renewable: true,
        }
    }

    #[test]
    fn the_secret_is_the_one_that_other_components_look_for() {
        let identity = identity();
        let proxy = Some("http://10.0.0.1:8118");
        let content = identity_secret(&identity, &PROVIDER.into(), &"liqo-tenant-milan-1".into(), proxy);
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "generateName": "liqo-identity-",
                "namespace": "liqo-tenant-milan-1",
                "labels": {
                    "discovery.liqo.io/local-identity": "true",
                    "discovery.liqo.io/cluster-id": PROVIDER,
                    "discovery.liqo.io/certificate-available": "true",
                },
                "annotations": {
                    "discovery.liqo.io/certificate-expire-time": "2209075200", "liqo.io/renewable": "true",
                },
            },
            "data": {
                "private-key": to_base64(identity.private_key.expose().as_bytes()),
                "certificate": to_base64(identity.certificate.as_bytes()),
                "apiServerUrl": to_base64(b"https://172.18.2.1:6443"),
                "apiServerCa": to_base64(b"ca"),
                "namespace": to_base64(b"liqo-tenant-fiction-cf4c47"),
                "proxyURL": to_base64(b"http://10.0.0.1:8118"),
            },
        });
        assert_eq!(content.object(), expected);
    }

    #[test]
    fn what_is_no_secret_is_read_back() {
        let identity = identity();
        let content = identity_secret(&identity, &PROVIDER.into(), &"local".into(), None);
        let serial = certificate::read(identity.certificate.as_bytes()).unwrap().serial;
        assert!(!serial.is_empty());
        let expected = IdentityFacts {
            serial,
            namespace: "liqo-tenant-fiction-cf4c47".into(),
            api_server_url: "https://172.18.2.1:6443".to_owned(),
            proxy_url: None,
            not_after: parse_rfc3339("2040-01-02T00:00:00Z"),
        };
        assert_eq!(read_identity(&content.data).unwrap(), expected);
    }

    #[test]
    fn what_is_lacking_is_named() {
        let content = identity_secret(&identity(), &PROVIDER.into(), &"local".into(), None);
        for key in [NAMESPACE, API_SERVER_URL, PRIVATE_KEY, CERTIFICATE] {
            let mut data = content.data.clone();
            data.insert(key.to_owned(), Vec::new());
            let found = read_identity(&data).err().map(|error| error.to_string()).unwrap();
            assert!(found.contains(&format!("no usable {key}:")), "{found}");
        }
    }

    #[test]
    fn an_identity_of_another_kind_has_no_certificate() {
        let data = [(NAMESPACE, "tenant"), (API_SERVER_URL, "https://eks.example.org"), ("awsRegion", "x")];
        let data = data.map(|(key, text)| (key.to_owned(), text.as_bytes().to_vec())).into();
        assert_eq!(read_identity(&data).unwrap().not_after, None);
    }
}
