//! An authority for tests, in the place of the one of a Kubernetes cluster.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};

/// Signs what it is given, as the signer of Kubernetes does.
pub(crate) struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM.
    pub(crate) certificate: String,
}

impl TestAuthority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "kubernetes");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), certificate }
    }

    /// A client certificate that ends at the beginning of 2040-01-02.
    pub(crate) fn sign(&self, csr: &str) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(csr).unwrap();
        request.params.not_after = date_time_ymd(2040, 1, 2);
        request.signed_by(&self.issuer).unwrap().pem()
    }
}
