//! The authority of client certificates: what a certificate says about its owner.

use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::User;
use crate::Error;

/// Authorities that vouch for client certificates.
#[derive(Clone)]
pub(super) struct ClientAuthority(Arc<dyn ClientCertVerifier>);

impl ClientAuthority {
    /// Those in a bundle, PEM. One that cannot be read does not take the others away.
    pub(super) fn from_pem(pem: &str) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).flatten());
        let provider = Arc::new(ring::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map(Self)
            .map_err(|_| Error::ReadClientAuthority)
    }

    /// The user that a chain of certificates names, when an authority vouches for it now. That the caller has the key was
    /// proved in the handshake.
    pub(super) fn user(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<User> {
        let (first, others) = chain.split_first()?;
        self.0.verify_client_cert(first, others, now).ok()?;
        let (_, certificate) = X509Certificate::from_der(first).ok()?;
        let subject = certificate.subject();
        // As in Kubernetes: the last common name is the user, each organisation a group.
        let name = subject.iter_common_name().last()?.as_str().ok().filter(|name| !name.is_empty())?;
        let groups = subject.iter_organization().map(|group| group.as_str().map(str::to_owned));
        Some(User::new(name, groups.collect::<Result<_, _>>().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_authority::TestAuthority;

    fn judge(authority: &TestAuthority, chain: &[CertificateDer<'_>]) -> Option<User> {
        ClientAuthority::from_pem(&authority.pem).unwrap().user(chain, UnixTime::now())
    }

    #[test]
    fn the_subject_is_the_user() {
        let authority = TestAuthority::new("kubernetes");
        let (certificate, _) = authority.client("kube-apiserver-kubelet-client", &["a", "b"]);
        let user = judge(&authority, &[certificate]).unwrap();
        assert_eq!(user.name, "kube-apiserver-kubelet-client");
        assert_eq!(user.groups, ["a", "b", "system:authenticated"]);
    }

    #[test]
    fn nobody_else_may_vouch() {
        let (authority, other) = (TestAuthority::new("kubernetes"), TestAuthority::new("kubernetes"));
        let (certificate, _) = other.client("admin", &["system:masters"]);
        assert_eq!(judge(&authority, &[certificate]), None);
        assert_eq!(judge(&authority, &[]), None);
        assert_eq!(judge(&authority, &[b"junk".to_vec().into()]), None);
    }

    #[test]
    fn a_certificate_counts_only_while_it_lasts_and_for_clients() {
        let authority = TestAuthority::new("kubernetes");
        let (certificate, _) = authority.client("admin", &[]);
        let known = ClientAuthority::from_pem(&authority.pem).unwrap();
        let later = UnixTime::since_unix_epoch(std::time::Duration::from_secs(10_000_000_000));
        assert_eq!(known.user(&[certificate], later), None);
        let (server, _) = authority.server("127.0.0.1");
        assert_eq!(judge(&authority, &[server]), None);
        let (nameless, _) = authority.client("", &["a"]);
        assert_eq!(judge(&authority, &[nameless]), None);
    }

    #[test]
    fn one_bad_authority_does_not_take_the_others_away() {
        let authority = TestAuthority::new("kubernetes");
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let known = ClientAuthority::from_pem(&format!("{bad}{}", authority.pem)).unwrap();
        let (certificate, _) = authority.client("admin", &[]);
        assert!(known.user(&[certificate], UnixTime::now()).is_some());
        assert!(matches!(ClientAuthority::from_pem(bad), Err(Error::ReadClientAuthority)));
        assert!(matches!(ClientAuthority::from_pem(""), Err(Error::ReadClientAuthority)));
    }
}
