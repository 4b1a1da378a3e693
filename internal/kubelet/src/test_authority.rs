//! An authority for tests, in the place of the one of a Kubernetes cluster.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate and its key.
pub(crate) type Owned = (CertificateDer<'static>, PrivateKeyDer<'static>);

/// Signs what it is given. All of its certificates last from the beginning of 2020 to that of 2040-01-02.
pub(crate) struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM.
    pub(crate) pem: String,
}

impl TestAuthority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A client certificate of a user in these groups.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Owned {
        let mut parameters = parameters();
        for group in groups {
            // The library keeps one value of each kind in a name: the second group is of a kind with the same number.
            parameters.distinguished_name.push(organization(group, groups), *group);
        }
        if !user.is_empty() {
            parameters.distinguished_name.push(DnType::CommonName, user);
        }
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&parameters)
    }

    /// A server certificate for an address.
    pub(crate) fn server(&self, address: &str) -> Owned {
        let mut parameters = parameters();
        parameters.distinguished_name.push(DnType::CommonName, "server");
        parameters.subject_alt_names = vec![SanType::IpAddress(address.parse().unwrap())];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&parameters)
    }

    fn issue(&self, parameters: &CertificateParams) -> Owned {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }

    /// What the signer of Kubernetes makes of a request, PEM.
    pub(crate) fn sign(&self, csr: &str) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(csr).unwrap();
        (request.params.not_before, request.params.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 2));
        request.signed_by(&self.issuer).unwrap().pem()
    }
}

fn organization(group: &str, groups: &[&str]) -> DnType {
    if group == groups[0] { DnType::OrganizationName } else { DnType::CustomDnType(vec![2, 5, 4, 10]) }
}

fn parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 2));
    parameters
}
