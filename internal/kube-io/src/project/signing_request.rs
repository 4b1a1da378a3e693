//! CertificateSigningRequests: who asks whom to sign, and for which node.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_events::{Facts, SigningRequestFacts};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer as _;

use super::fields::{Fields, Read};

/// What the common name of a node's certificate begins with.
const NODE: &str = "system:node:";

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let mut decided = false;
    for condition in object.items("status.conditions")? {
        decided |= matches!(condition.text("type")?, "Approved" | "Denied");
    }
    Ok(Facts::SigningRequest(SigningRequestFacts {
        requester: object.named("spec.username")?,
        signer: object.named("spec.signerName")?,
        decided,
        node: node(object.text("spec.request")?).unwrap_or_default(),
    }))
}

/// The node in the subject; nothing when there is none, or the subject names more than one.
fn node(request: &str) -> Option<String> {
    let bytes = STANDARD.decode(request).ok()?;
    let (_, pem) = parse_x509_pem(&bytes).ok()?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
    let mut names = request.certification_request_info.subject.iter_common_name();
    let (name, None) = (names.next()?.as_str().ok()?, names.next()) else { return None };
    name.strip_prefix(NODE).map(str::to_owned)
}
