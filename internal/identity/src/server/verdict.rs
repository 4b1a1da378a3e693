//! What is decided about a request for a certificate. Nothing here waits.

use super::KeptIdentity;
use super::entitlement::Entitlement;
use super::refusal::Refusal;
use crate::csr::Csr;
use crate::wire::{CertificateRequest, from_base64};
use crate::{Cluster, Secret};

/// A request that may be fulfilled.
pub(crate) struct Admitted {
    /// Who asks.
    pub(crate) cluster: Cluster,
    /// What is to be signed.
    pub(crate) csr: Csr,
    /// The token that it gives, if it gives one.
    pub(crate) peer_token: Option<Secret>,
    /// The proof that it has the key of its certificate, if it gives one; it was not checked.
    pub(crate) renewal_proof: Option<Vec<u8>>,
    /// Whether it renews its certificate before it ends.
    pub(crate) renews: bool,
}

/// Whether what is asked for may be had. Nothing has been made for the peer when this says no.
pub(crate) fn admit(request: CertificateRequest, own: &Cluster) -> Result<Admitted, Refusal> {
    request.cluster.check_peer(&own.id).map_err(Refusal::Cluster)?;
    let pem = from_base64(&request.signing_request).map_err(|at| Refusal::Base64 { at })?;
    let csr = Csr::check(&pem, &request.cluster.id).map_err(Refusal::Csr)?;
    let peer_token = Some(request.origin_token).filter(|token| !token.is_empty());
    let proof = Some(request.renewal_proof).filter(|proof| !proof.is_empty());
    // A proof that cannot be read proves nothing, which is what is said of it.
    let renewal_proof = proof.map(|proof| from_base64(&proof).unwrap_or_default());
    Ok(Admitted { cluster: request.cluster, csr, peer_token, renewal_proof, renews: request.renews })
}

/// What to do with a request that was admitted.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was issued, or nothing that is in use: sign it.
    Sign,
    /// It was signed: here is the certificate again.
    Repeat { certificate: String },
}

/// What was issued to the same cluster means this for a request. The same request has the same answer, however often it
/// comes, so an answer that was lost can be asked for again. With another key one may ask until the certificate is seen in
/// use: Liqo 0.8.3 makes a new one for each try.
pub(crate) fn decide(
    admitted: &Admitted,
    entitlement: &Entitlement,
    kept: Option<&KeptIdentity>,
) -> Result<Verdict, Refusal> {
    let spent = matches!(entitlement, Entitlement::OneTime(kept) if kept.token.spent);
    let name = || admitted.cluster.name.clone();
    match kept {
        Some(kept) if admitted.csr.is(&kept.issued.csr) && !kept.issued.certificate.is_empty() => {
            Ok(Verdict::Repeat { certificate: kept.issued.certificate.clone() })
        }
        Some(_) if matches!(entitlement, Entitlement::Renewal { .. }) => Ok(Verdict::Sign),
        Some(kept) if kept.enrolled => Err(Refusal::Enrolled { name: name() }),
        // Everybody could otherwise take the identity of a cluster that has one.
        Some(_) if *entitlement == Entitlement::Open => Err(Refusal::OtherCsr { name: name() }),
        // What was proven is gone since.
        None if matches!(entitlement, Entitlement::Renewal { .. }) => Err(Refusal::Busy),
        Some(_) | None if spent => Err(Refusal::Used),
        Some(_) | None => Ok(Verdict::Sign),
    }
}

#[cfg(test)]
mod tests {
    use liqo_events::UnixMillis;
    use proptest::prelude::*;

    use super::*;
    use crate::Issued;
    use crate::csr::CsrFault;
    use crate::objects::{bound_to, one_time_token, read_one_time_token};
    use crate::server::KeptToken;
    use crate::token::one_time_secret_of;
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
            renewal_proof: String::new(),
            renews: false,
        }
    }

    fn admitted(csr: &str) -> Admitted {
        admit(request(ID, csr), &own()).unwrap_or_else(|_| panic!("admitted"))
    }

    fn kept(csr: &str, enrolled: bool) -> KeptIdentity {
        let (csr, certificate) = (csr.to_owned(), "certificate".to_owned());
        let issued = Issued { csr, certificate, proven_by: String::new() };
        KeptIdentity { issued, enrolled, version: "7".into() }
    }

    fn one_time(spent: bool) -> Entitlement {
        let mut content = one_time_token(&one_time_secret_of(&[7; 32]), UnixMillis(0), &"liqo".into());
        content.data.extend(if spent { crate::objects::spent() } else { bound_to(&ID.into()) });
        let token = read_one_time_token(&content.data).unwrap();
        Entitlement::OneTime(KeptToken { token, name: content.name, version: "7".into() })
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

    fn decided(entitlement: &Entitlement, kept: Option<&KeptIdentity>) -> Result<Verdict, Refusal> {
        decide(&admitted(CSR), entitlement, kept)
    }

    fn rights() -> [Entitlement; 4] {
        [Entitlement::Open, Entitlement::Reusable, one_time(false), one_time(true)]
    }

    #[test]
    fn the_same_request_has_the_same_answer() {
        for entitlement in rights() {
            for enrolled in [false, true] {
                let again = Verdict::Repeat { certificate: "certificate".to_owned() };
                assert!(decided(&entitlement, Some(&kept(CSR, enrolled))) == Ok(again), "{entitlement:?}");
            }
        }
    }

    #[test]
    fn where_nothing_was_issued_it_is_signed_unless_the_token_is_spent() {
        for entitlement in [Entitlement::Open, Entitlement::Reusable, one_time(false)] {
            assert!(decided(&entitlement, None) == Ok(Verdict::Sign), "{entitlement:?}");
        }
        assert!(decided(&one_time(true), None) == Err(Refusal::Used));
    }

    #[test]
    fn with_another_key_one_may_ask_until_the_certificate_is_seen_in_use() {
        for csr in [OTHER, "damage", ""] {
            for entitlement in [Entitlement::Reusable, one_time(false)] {
                assert!(
                    decided(&entitlement, Some(&kept(csr, false))) == Ok(Verdict::Sign),
                    "{entitlement:?}"
                );
            }
            assert!(decided(&one_time(true), Some(&kept(csr, false))) == Err(Refusal::Used));
        }
    }

    #[test]
    fn no_token_gets_an_enrolled_cluster_another_certificate() {
        for entitlement in rights() {
            for csr in [OTHER, "damage", ""] {
                let refused = Err(Refusal::Enrolled { name: "fiction".into() });
                assert!(decided(&entitlement, Some(&kept(csr, true))) == refused, "{entitlement:?}");
            }
        }
    }

    #[test]
    fn a_renewal_gets_another_certificate_of_what_there_is() {
        let renewal = Entitlement::Renewal { proven_by: "certificate".to_owned() };
        for enrolled in [false, true] {
            assert!(decided(&renewal, Some(&kept(OTHER, enrolled))) == Ok(Verdict::Sign));
        }
        assert!(decided(&renewal, None) == Err(Refusal::Busy));
    }

    #[test]
    fn without_tokens_an_identity_cannot_be_taken() {
        let refused = Err(Refusal::OtherCsr { name: "fiction".into() });
        assert!(decided(&Entitlement::Open, Some(&kept(OTHER, false))) == refused);
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
