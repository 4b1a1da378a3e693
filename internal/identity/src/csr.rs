//! Certificate signing requests of peers, and which of them may be signed.
//!
//! Whoever signs takes subject and alternative names from the request, and a name is a user of this cluster. So a request
//! is compared with the only subjects that are allowed, byte by byte, and what is signed is written anew from the bytes
//! that were checked: no two parsers have to agree about what it says.

use liqo_model::ClusterId;
use thiserror::Error;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer as _;

use crate::pem_block;

/// Label of the PEM block.
pub(crate) const LABEL: &str = "CERTIFICATE REQUEST";
/// The organisation in the subject, which the API server takes for a group.
pub(crate) const ORGANIZATION: &str = "liqo.io";

/// Longest request, DER: one with an RSA key of 8192 bits, the longest whose signature is checked, has 2.5 KiB.
const LONGEST: usize = 4096;
/// Ed25519, ECDSA with SHA-256 and SHA-384, RSA (PKCS #1) with SHA-256, SHA-384 and SHA-512 (RFC 8410, 5758, 4055), DER.
const SIGNATURES: [&[u8]; 6] = [
    &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
    &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
    &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00],
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00],
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00],
];
const VERSION: &[u8] = &[0x02, 0x01, 0x00];
const NO_ATTRIBUTES: &[u8] = &[0xa0, 0x00];
const COMMON_NAME: u8 = 3;
const ORGANIZATION_NAME: u8 = 10;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;

/// Why a request is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum CsrFault {
    #[error("PEM block type must be CERTIFICATE REQUEST")]
    Pem,
    #[error("it is longer than any request for a client certificate")]
    Length,
    #[error("asn1: structure error")]
    Der,
    #[error("the subject must be the ID of the asking cluster as common name and liqo.io as organization")]
    Subject,
    #[error("alternative names and other attributes are not allowed")]
    Attributes,
    #[error("it must be signed with Ed25519, ECDSA or RSA, and SHA-256 or better, and be written in DER")]
    Form,
    #[error("the signature is not made with the key of the request")]
    Signature,
}

/// A request that may be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csr {
    der: Vec<u8>,
}

impl Csr {
    /// Checks the request of a cluster, PEM.
    pub(crate) fn check(pem: &[u8], id: &ClusterId) -> Result<Self, CsrFault> {
        let der = pem_block::only(LABEL, pem).ok_or(CsrFault::Pem)?;
        if der.len() > LONGEST {
            return Err(CsrFault::Length);
        }
        let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| CsrFault::Der)?;
        if !rest.is_empty() {
            return Err(CsrFault::Der);
        }
        let info = &request.certification_request_info;
        let subjects = allowed_subjects(id);
        let subject = subjects.iter().find(|allowed| allowed.as_slice() == info.subject.as_raw());
        let subject = subject.ok_or(CsrFault::Subject)?;
        if !info.attributes().is_empty() {
            return Err(CsrFault::Attributes);
        }
        // What is not covered by the signature, and what the parser is lenient about, has one form only.
        let signed = tlv(0x30, &[VERSION, subject, info.subject_pki.raw, NO_ATTRIBUTES]);
        let signature = tlv(0x03, &[&[0], &request.signature_value.data]);
        if !SIGNATURES.iter().any(|algorithm| tlv(0x30, &[&signed, algorithm, &signature]) == der) {
            return Err(CsrFault::Form);
        }
        request.verify_signature().map_err(|_| CsrFault::Signature)?;
        Ok(Self { der })
    }

    /// The request, PEM, with nothing else in it.
    pub(crate) fn pem(&self) -> String {
        pem_block::encode(LABEL, &self.der)
    }

    /// The request, DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether a request that was kept, PEM, is this one.
    pub(crate) fn is(&self, kept: &str) -> bool {
        pem_block::only(LABEL, kept.as_bytes()).is_some_and(|der| der == self.der)
    }
}

/// Both orders of the two attributes, with both types of text that libraries write.
fn allowed_subjects(id: &ClusterId) -> Vec<Vec<u8>> {
    let mut subjects = Vec::new();
    for name_type in [PRINTABLE_STRING, UTF8_STRING] {
        for organization_type in [PRINTABLE_STRING, UTF8_STRING] {
            let name = attribute(COMMON_NAME, name_type, id.as_str());
            let organization = attribute(ORGANIZATION_NAME, organization_type, ORGANIZATION);
            subjects.push(tlv(0x30, &[&name, &organization]));
            subjects.push(tlv(0x30, &[&organization, &name]));
        }
    }
    subjects
}

/// A set of one attribute `id-at-<kind>` (RFC 5280, appendix A.1).
fn attribute(kind: u8, text_type: u8, text: &str) -> Vec<u8> {
    let kind = tlv(0x06, &[&[0x55, 0x04, kind]]);
    tlv(0x31, &[&tlv(0x30, &[&kind, &tlv(text_type, &[text.as_bytes()])])])
}

/// Tag, length, content, in DER.
fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = content.len().to_be_bytes();
    let leading = length.iter().take_while(|byte| **byte == 0).count();
    let digits = &length[leading..];
    let head = match (digits, u8::try_from(digits.len())) {
        ([], _) => vec![tag, 0],
        ([short], _) if *short < 0x80 => vec![tag, *short],
        (long, count) => [&[tag, 0x80 | count.unwrap_or(0x7f)], long].concat(),
    };
    [head, content].concat()
}

#[cfg(test)]
mod tests;
