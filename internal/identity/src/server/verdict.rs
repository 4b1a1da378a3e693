//! What is decided about a request for a certificate. Nothing here waits.

use super::refusal::Refusal;
use crate::csr::Csr;
use crate::wire::{CertificateRequest, from_base64};
use crate::{Cluster, Issued, Secret};

/// A request that may be fulfilled.
pub(crate) struct Admitted {
    /// Who asks.
    pub(crate) cluster: Cluster,
    /// What is to be signed.
    pub(crate) csr: Csr,
    /// The token that it gives, if it gives one.
    pub(crate) peer_token: Option<Secret>,
}

/// Whether the one who asks may ask. `expected` is the token of this cluster, or nothing when none is needed. An empty
/// token lets nobody in.
pub(crate) fn authenticate(request: &CertificateRequest, expected: Option<&Secret>) -> Result<(), Refusal> {
    let Some(expected) = expected else { return Ok(()) };
    let known = !expected.is_empty() && expected.matches(&request.destination_token);
    if known { Ok(()) } else { Err(Refusal::Token) }
}

/// Whether what is asked for may be had. Nothing has been made for the peer when this says no.
pub(crate) fn admit(request: CertificateRequest, own: &Cluster) -> Result<Admitted, Refusal> {
    request.cluster.check_peer(&own.id).map_err(Refusal::Cluster)?;
    let pem = from_base64(&request.signing_request).map_err(|at| Refusal::Base64 { at })?;
    let csr = Csr::check(&pem, &request.cluster.id).map_err(Refusal::Csr)?;
    let peer_token = Some(request.origin_token).filter(|token| !token.is_empty());
    Ok(Admitted { cluster: request.cluster, csr, peer_token })
}

/// What to do with a request that was admitted.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was issued: sign it.
    Sign,
    /// It was signed: here is the certificate again.
    Repeat { certificate: String },
}

/// What the certificate that was issued to the same cluster means for a request. The same request has the same answer,
/// however often it comes, so an answer that was lost can be asked for again.
pub(crate) fn decide(admitted: &Admitted, issued: Option<Issued>) -> Result<Verdict, Refusal> {
    match issued {
        None => Ok(Verdict::Sign),
        Some(issued) if admitted.csr.is(&issued.csr) => {
            Ok(Verdict::Repeat { certificate: issued.certificate })
        }
        // Everybody with the token could otherwise take the identity of a cluster that has one.
        Some(_) => Err(Refusal::OtherCsr { name: admitted.cluster.name.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::csr::CsrFault;
    use crate::wire::to_base64;

    const ID: &str = "11111111-2222-4333-8444-555555555555";
    const CSR: &str = include_str!("../../fixtures/go-ed25519.csr.pem");
    const OTHER: &str = include_str!("../../fixtures/go-ecdsa.csr.pem");

    fn own() -> Cluster {
        Cluster { id: "b6625701-6aeb-4c46-a864-bfce47c964c0".into(), name: "milan".into() }
    }

    fn request(id: &str, csr: &str) -> CertificateRequest {
        CertificateRequest {
            cluster: Cluster { id: id.into(), name: "fiction".into() },
            origin_token: Secret::new(""),
            destination_token: Secret::new("token"),
            signing_request: to_base64(csr.as_bytes()),
        }
    }

    fn admitted(csr: &str) -> Admitted {
        admit(request(ID, csr), &own()).unwrap_or_else(|_| panic!("admitted"))
    }

    fn issued(csr: &str) -> Option<Issued> {
        Some(Issued { csr: csr.to_owned(), certificate: "certificate".to_owned() })
    }

    #[test]
    fn only_the_token_of_this_cluster_lets_in() {
        let request = request(ID, CSR);
        assert_eq!(authenticate(&request, Some(&Secret::new("token"))), Ok(()));
        assert_eq!(authenticate(&request, Some(&Secret::new("other"))), Err(Refusal::Token));
        assert_eq!(authenticate(&request, None), Ok(()));
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        let mut request = request(ID, CSR);
        request.destination_token = Secret::new("");
        assert_eq!(authenticate(&request, Some(&Secret::new(""))), Err(Refusal::Token));
    }

    #[test]
    fn the_subject_is_the_one_who_asks() {
        let other = ID.replace('5', "6");
        let refused = admit(request(&other, CSR), &own()).err();
        assert_eq!(refused, Some(Refusal::Csr(CsrFault::Subject)));
    }

    #[test]
    fn a_token_of_the_peer_is_kept_when_there_is_one() {
        assert!(admitted(CSR).peer_token.is_none());
        let mut request = request(ID, CSR);
        request.origin_token = Secret::new("theirs");
        let token = admit(request, &own()).ok().and_then(|admitted| admitted.peer_token);
        assert!(token.is_some_and(|token| token.matches(&Secret::new("theirs"))));
    }

    #[test]
    fn the_same_request_has_the_same_answer() {
        assert!(decide(&admitted(CSR), None) == Ok(Verdict::Sign));
        let again = Verdict::Repeat { certificate: "certificate".to_owned() };
        assert!(decide(&admitted(CSR), issued(CSR)) == Ok(again));
        for kept in [OTHER, "damage", ""] {
            let refused = decide(&admitted(CSR), issued(kept)).err();
            assert_eq!(refused, Some(Refusal::OtherCsr { name: "fiction".into() }));
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_or_comes_back(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = body_with_canary(&body);
            for body in [body.as_slice(), text.as_bytes()] {
                let refused = CertificateRequest::parse(body)
                    .map_err(Refusal::Malformed)
                    .and_then(|request| admit(request, &own()))
                    .err();
                prop_assert!(refused.is_some_and(|refusal| !refusal.text().contains("canary")));
            }
        }
    }

    fn body_with_canary(noise: &[u8]) -> String {
        let noise = String::from_utf8_lossy(noise).replace(['"', '\\'], "");
        format!(
            r#"{{"cluster":{{"clusterID":"canary{noise}","clusterName":"canary"}},"destinationClusterToken":"canary","certificateSigningRequest":"{noise}"}}"#
        )
    }
}
