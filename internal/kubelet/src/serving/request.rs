//! Contents of requests for a serving certificate, and certificates that nobody vouches for.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use kube::api::ObjectMeta;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType,
    date_time_ymd,
};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::Error;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A certificate of our own lasts as long as those of Liqo 0.8.3, and is replaced long before.
const SELF_SIGNED: SignedDuration = SignedDuration::from_hours(365 * 24);
/// What Kubernetes insists on for serving certificates of nodes.
const USAGES: [&str; 3] = ["digital signature", "key encipherment", "server auth"];
const NODES: &str = "system:nodes";
const LIQO: &str = "liqo.io";

/// Who vouches for the node, by the words of `--certificate-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateType {
    /// The cluster, as for every kubelet.
    #[default]
    Kubelet,
    /// EKS, which signs nothing for the signer of kubelets.
    Aws,
    /// Nobody.
    SelfSigned,
}

impl CertificateType {
    /// What a flag says; nothing when it is none of `kubelet`, `aws` and `self-signed`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "kubelet" => Some(Self::Kubelet),
            "aws" => Some(Self::Aws),
            "self-signed" => Some(Self::SelfSigned),
            _ => None,
        }
    }

    /// Who is asked.
    pub(super) fn signer(self) -> Option<&'static str> {
        match self {
            Self::Kubelet => Some("kubernetes.io/kubelet-serving"),
            Self::Aws => Some("beta.eks.amazonaws.com/app-serving"),
            Self::SelfSigned => None,
        }
    }
}

/// Who is served, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingIdentity {
    /// Name of the node.
    pub node: String,
    /// The address that the Node object says: that of the pod.
    pub address: IpAddr,
}

impl ServingIdentity {
    fn failed(&self, source: rcgen::Error) -> Error {
        Error::MakeCertificate { node: self.node.clone(), source }
    }

    /// A new key. It never leaves the process.
    pub(super) fn key(&self) -> Result<KeyPair, Error> {
        KeyPair::generate().map_err(|source| self.failed(source))
    }

    /// The object that asks for a certificate of this key.
    pub(super) fn request(&self, key: &KeyPair, signer: &str) -> Result<CertificateSigningRequest, Error> {
        let request = self
            .parameters(NODES)
            .serialize_request(key)
            .and_then(|request| request.pem())
            .map_err(|source| self.failed(source))?;
        // As Go writes it.
        let request = request.replace("\r\n", "\n");
        Ok(CertificateSigningRequest {
            metadata: ObjectMeta { generate_name: Some("csr-".to_owned()), ..ObjectMeta::default() },
            spec: CertificateSigningRequestSpec {
                request: ByteString(request.into_bytes()),
                signer_name: signer.to_owned(),
                usages: Some(USAGES.map(str::to_owned).to_vec()),
                ..CertificateSigningRequestSpec::default()
            },
            status: None,
        })
    }

    /// A certificate of this key that nobody vouches for. API servers take it unless they are given
    /// `--kubelet-certificate-authority`.
    pub(super) fn self_signed(
        &self,
        key: &KeyPair,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, Error> {
        let mut parameters = self.parameters(LIQO);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // A day back: clocks differ.
        let (year, month, day) = date(now.saturating_sub(DAY).unwrap_or(now));
        parameters.not_before = date_time_ymd(year, month, day);
        let (year, month, day) = date(now.saturating_add(SELF_SIGNED).unwrap_or(now));
        parameters.not_after = date_time_ymd(year, month, day);
        let certificate = parameters.self_signed(key).map_err(|source| self.failed(source))?;
        Ok(certificate.der().clone())
    }

    fn parameters(&self, organization: &str) -> CertificateParams {
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, organization);
        name.push(DnType::CommonName, format!("system:node:{}", self.node));
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = name;
        parameters.subject_alt_names = vec![SanType::IpAddress(self.address)];
        parameters
    }
}

/// Year, month and day of a moment.
fn date(at: Timestamp) -> (i32, u8, u8) {
    let date = at.to_zoned(TimeZone::UTC).date();
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    (date.year().into(), part(date.month()), part(date.day()))
}

#[cfg(test)]
mod tests {
    use x509_parser::certification_request::X509CertificationRequest;
    use x509_parser::extensions::ParsedExtension;
    use x509_parser::prelude::FromDer as _;

    use super::*;
    use crate::serving::life::Life;

    fn identity() -> ServingIdentity {
        ServingIdentity { node: "liqo-milan".to_owned(), address: [10, 200, 0, 172].into() }
    }

    #[test]
    fn the_request_is_the_recorded_one() {
        let identity = identity();
        let object = identity.request(&identity.key().unwrap(), "kubernetes.io/kubelet-serving").unwrap();
        assert_eq!(object.metadata.generate_name.as_deref(), Some("csr-"));
        assert_eq!(object.spec.signer_name, "kubernetes.io/kubelet-serving");
        assert_eq!(object.spec.usages.unwrap(), ["digital signature", "key encipherment", "server auth"]);
        let pem = String::from_utf8(object.spec.request.0).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"), "{pem}");
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let (_, request) = X509CertificationRequest::from_der(&block.contents).unwrap();
        request.verify_signature().unwrap();
        let subject = &request.certification_request_info.subject;
        assert_eq!(subject.to_string(), "O=system:nodes, CN=system:node:liqo-milan");
        let extensions: Vec<_> = request.requested_extensions().unwrap().collect();
        let [ParsedExtension::SubjectAlternativeName(names)] = &extensions[..] else {
            panic!("{extensions:?}")
        };
        assert_eq!(format!("{:?}", names.general_names), "[IPAddress([10, 200, 0, 172])]");
    }

    #[test]
    fn a_certificate_of_our_own_lasts_a_year() {
        let identity = identity();
        let now = "2026-11-22T14:02:35Z".parse().unwrap();
        let certificate = identity.self_signed(&identity.key().unwrap(), now).unwrap();
        let life = Life::of(&certificate).unwrap();
        assert_eq!(life.begin, "2026-11-21T00:00:00Z".parse().unwrap());
        assert_eq!(life.end, "2027-11-22T00:00:00Z".parse().unwrap());
        let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(&certificate).unwrap();
        assert_eq!(parsed.subject().to_string(), "O=liqo.io, CN=system:node:liqo-milan");
    }

    #[test]
    fn types_are_those_of_the_flag() {
        for (word, signer) in [
            ("kubelet", Some(Some("kubernetes.io/kubelet-serving"))),
            ("aws", Some(Some("beta.eks.amazonaws.com/app-serving"))),
            ("self-signed", Some(None)),
            ("", None),
            ("Kubelet", None),
        ] {
            assert_eq!(CertificateType::parse(word).map(CertificateType::signer), signer, "{word}");
        }
    }
}
