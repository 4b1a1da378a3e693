//! Renewal of an identity: who has the key of the certificate that it has needs no token for another one.

use liqo_events::UnixMillis;
use liqo_model::ClusterId;
use x509_parser::asn1_rs::BitString;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::prelude::FromDer as _;
use x509_parser::verify::verify_signature;
use x509_parser::x509::AlgorithmIdentifier;

use crate::certificate::{self, CertificateFacts};
use crate::{Error, PrivateKey, pem_block};

/// What is signed begins with this, so that a signature for something else proves nothing.
const PURPOSE: &[u8] = b"liqo renewal of an identity\0";

/// The proof that goes with a request for another certificate, PEM, made with the key of the one that the cluster has.
pub(crate) fn prove(key: &PrivateKey, cluster: &ClusterId, csr: &str) -> Result<Vec<u8>, Error> {
    let der = pem_block::only(crate::csr::LABEL, csr.as_bytes()).unwrap_or_default();
    key.sign(&statement(cluster, &der), cluster)
}

/// Whether a proof was made with the key of a certificate, PEM, for the request, DER. A certificate that has ended counts:
/// who was away for long is still who it was.
pub(crate) fn is_proven(certificate: &str, cluster: &ClusterId, csr: &[u8], proof: &[u8]) -> bool {
    let verified = || {
        let der = pem_block::first(certificate::LABEL, certificate.as_bytes())?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let algorithm = AlgorithmIdentifier::new(OID_SIG_ED25519, None);
        let signature = BitString::new(0, proof);
        verify_signature(certificate.public_key(), &algorithm, &signature, &statement(cluster, csr)).ok()
    };
    verified().is_some()
}

/// The request and whose it is: a proof for one is of no use for another.
fn statement(cluster: &ClusterId, csr: &[u8]) -> Vec<u8> {
    [PURPOSE, cluster.as_str().as_bytes(), &[0], csr].concat()
}

/// Whether it is time to renew a certificate: when two thirds of its life are over.
pub(crate) fn is_due(facts: &CertificateFacts, now: UnixMillis) -> bool {
    let life = facts.not_after.since(facts.not_before);
    now >= facts.not_before.plus(life / 3 * 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_authority::TestAuthority;

    const ID: &str = "11111111-2222-4333-8444-555555555555";

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&[seed; 32]).unwrap_or_else(|_| panic!("a key"))
    }

    fn request(seed: u8) -> (String, Vec<u8>) {
        let csr = key(seed).signing_request(&ID.into()).unwrap();
        let der = pem_block::only(crate::csr::LABEL, csr.as_bytes()).unwrap();
        (csr, der)
    }

    #[test]
    fn the_key_of_the_certificate_proves_one_request() {
        let certificate = TestAuthority::new().sign(&request(7).0);
        let (csr, der) = request(8);
        let proof = prove(&key(7), &ID.into(), &csr).unwrap();
        let proven = |id: &str, der: &[u8], proof: &[u8]| is_proven(&certificate, &id.into(), der, proof);
        assert!(proven(ID, &der, &proof));
        // Another request, another cluster, another key, and nothing at all.
        assert!(!proven(ID, &request(9).1, &proof));
        assert!(!proven(&ID.replace('5', "6"), &der, &proof));
        assert!(!proven(ID, &der, &prove(&key(8), &ID.into(), &csr).unwrap()));
        assert!(!proven(ID, &der, &[]));
        assert!(!proven(ID, &der, &[0; 64]));
        assert!(!is_proven("", &ID.into(), &der, &proof));
    }

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life() {
        let facts = CertificateFacts {
            not_before: UnixMillis(1_000),
            not_after: UnixMillis(4_000),
            serial: String::new(),
            public_key: Vec::new(),
        };
        assert!(!is_due(&facts, UnixMillis(2_999)));
        assert!(is_due(&facts, UnixMillis(3_000)));
        assert!(is_due(&facts, UnixMillis(9_000)));
    }
}
