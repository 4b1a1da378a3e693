//! The private key of an identity, and the certificate signing request that is made with it.
//!
//! A key is 32 random bytes, and everything else follows from them: asking again with the same key is the same request
//! to the last byte, so a provider can answer it again.

use liqo_model::ClusterId;
use rcgen::string::PrintableString;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, PKCS_ED25519, PublicKeyData as _,
    SigningKey as _,
};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use crate::csr::ORGANIZATION;
use crate::{Error, Secret, pem_block};

const LABEL: &str = "PRIVATE KEY";
const SEED_BYTES: usize = 32;
/// PKCS #8, version 1, of an Ed25519 key, up to the seed (RFC 8410, section 7). Version 2, which ends with the public
/// key, is not read by every library.
const PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// An Ed25519 key. It cannot be printed.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: KeyPair,
}

impl PrivateKey {
    /// The key of 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ReadKey`], which no bytes are known to give.
    pub fn from_seed(seed: &[u8; SEED_BYTES]) -> Result<Self, Error> {
        Self::from_pkcs8(Zeroizing::new([PREFIX.as_slice(), seed].concat()))
    }

    /// The key that [`PrivateKey::pem`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::ReadKey`].
    pub fn from_pem(pem: &Secret) -> Result<Self, Error> {
        let bytes = pem_block::only(LABEL, pem.expose().as_bytes()).ok_or(Error::ReadKey)?;
        Self::from_pkcs8(Zeroizing::new(bytes))
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, Error> {
        if pkcs8.len() != PREFIX.len() + SEED_BYTES || !pkcs8.starts_with(&PREFIX) {
            return Err(Error::ReadKey);
        }
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_slice());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).map_err(|_| Error::ReadKey)?;
        Ok(Self { pkcs8, pair })
    }

    /// The key as it is kept and as Kubernetes clients read it: PKCS #8 in a PEM block `PRIVATE KEY`.
    pub fn pem(&self) -> Secret {
        Secret::new(pem_block::encode(LABEL, &self.pkcs8))
    }

    /// The certificate signing request of a cluster, PEM: common name is the ID, organisation is `liqo.io`.
    ///
    /// # Errors
    ///
    /// [`Error::MakeRequest`] when the ID has characters that no ID has.
    pub fn signing_request(&self, id: &ClusterId) -> Result<String, Error> {
        let failed = |source| Error::MakeRequest { cluster: id.to_string(), source };
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, printable(ORGANIZATION).map_err(failed)?);
        name.push(DnType::CommonName, printable(id.as_str()).map_err(failed)?);
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = name;
        let request = parameters.serialize_request(&self.pair).map_err(failed)?;
        Ok(pem_block::encode(crate::csr::LABEL, request.der()))
    }

    /// A signature that proves who asks for `cluster`.
    pub(crate) fn sign(&self, message: &[u8], cluster: &ClusterId) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::MakeRequest { cluster: cluster.to_string(), source };
        self.pair.sign(message).map_err(failed)
    }

    /// The public key, DER, as it is in a certificate.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }
}

/// The type of text that Go writes into names.
fn printable(text: &str) -> Result<DnValue, rcgen::Error> {
    PrintableString::try_from(text).map(DnValue::PrintableString)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_KEY: &str = include_str!("../fixtures/go-key.pem");
    const GO_REQUEST: &str = include_str!("../fixtures/go-ed25519.csr.pem");
    const ID: &str = "11111111-2222-4333-8444-555555555555";

    #[test]
    fn key_and_request_are_those_that_go_makes_of_the_same_seed() {
        let key = PrivateKey::from_seed(&[7; 32]).unwrap_or_else(|_| panic!("a key"));
        assert_eq!(key.pem().expose(), GO_KEY);
        assert_eq!(key.signing_request(&ID.into()).unwrap(), GO_REQUEST);
    }

    #[test]
    fn a_key_that_was_kept_makes_the_same_request() {
        let kept = PrivateKey::from_pem(&Secret::new(GO_KEY)).unwrap_or_else(|_| panic!("a key"));
        assert_eq!(kept.signing_request(&ID.into()).unwrap(), GO_REQUEST);
    }

    #[test]
    fn other_keys_and_ids_are_errors() {
        let shorter = GO_KEY.replace("MC4CAQ", "MC4CAA");
        for text in ["", "no key", GO_REQUEST, &shorter] {
            assert!(matches!(PrivateKey::from_pem(&Secret::new(text)), Err(Error::ReadKey)), "{text}");
        }
        let key = PrivateKey::from_seed(&[7; 32]).unwrap_or_else(|_| panic!("a key"));
        assert!(matches!(key.signing_request(&"é".into()), Err(Error::MakeRequest { .. })));
    }
}
