//! By which right somebody asks for an identity. Nothing here waits.

use liqo_events::UnixMillis;
use liqo_model::ClusterId;

use super::refusal::Refusal;
use super::verdict::Admitted;
use super::{KeptIdentity, KeptToken};
use crate::Secret;
use crate::renewal::is_proven;
use crate::token::{Token, way_back};

/// The right by which somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entitlement {
    /// None is needed in this cluster.
    Open,
    /// A token that may be used again: that of this cluster, or the one that it gave the peer for the way back.
    Reusable,
    /// The key of the certificate that the cluster has, PEM.
    Renewal {
        /// That certificate.
        proven_by: String,
    },
    /// A one-time token that is the asking cluster's, or nobody's yet.
    OneTime(KeptToken),
}

/// Whether the cluster has the key of what was issued to it: that which is kept, or that which proved it. Of the first the
/// answer may not have arrived.
pub(crate) fn renewal(admitted: &Admitted, kept: &KeptIdentity) -> Option<Entitlement> {
    let proof = admitted.renewal_proof.as_deref()?;
    let issued = [&kept.issued.certificate, &kept.issued.proven_by];
    let mut proven = issued
        .into_iter()
        .filter(|certificate| is_proven(certificate, &admitted.cluster.id, admitted.csr.der(), proof));
    proven.next().map(|certificate| Entitlement::Renewal { proven_by: certificate.clone() })
}

/// The token to be compared, of everything that was sent as one; nobody's token is empty or damaged.
pub(crate) fn offered(sent: &Secret) -> Result<Secret, Refusal> {
    let token = Token::parse(sent).ok_or(Refusal::Token)?;
    if token.secret.is_empty() { Err(Refusal::Token) } else { Ok(token.secret) }
}

/// Whether it is a token that may be used again. An empty one of this cluster lets nobody in.
pub(crate) fn reusable(offered: &Secret, own: &Secret, asking: &ClusterId) -> Option<Entitlement> {
    let back = way_back(own, asking);
    let shared = !own.is_empty() && own.matches(offered);
    (shared || back.is_some_and(|back| back.matches(offered))).then_some(Entitlement::Reusable)
}

/// Whether the one-time token that was found lets the cluster in.
pub(crate) fn one_time(
    found: Option<KeptToken>,
    offered: &Secret,
    asking: &ClusterId,
    now: UnixMillis,
) -> Result<Entitlement, Refusal> {
    let kept = found.filter(|kept| kept.token.is(offered)).ok_or(Refusal::Token)?;
    if kept.token.has_expired(now) {
        return Err(Refusal::Expired);
    }
    match &kept.token.cluster {
        Some(cluster) if cluster != asking => Err(Refusal::Used),
        Some(_) | None => Ok(Entitlement::OneTime(kept)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{bound_to, one_time_token, read_one_time_token};
    use crate::token::one_time_secret_of;

    const A: &str = "11111111-2222-4333-8444-555555555555";
    const B: &str = "66666666-2222-4333-8444-555555555555";
    const END: UnixMillis = UnixMillis(1_795_000_000_000);

    fn kept(by: Option<&str>) -> KeptToken {
        let mut content = one_time_token(&token(), END, &"liqo".into());
        content.data.extend(by.into_iter().flat_map(|cluster| bound_to(&cluster.into())));
        let token = read_one_time_token(&content.data).unwrap();
        KeptToken { token, name: content.name, version: "7".into() }
    }

    fn token() -> Secret {
        one_time_secret_of(&[7; 32])
    }

    #[test]
    fn only_the_token_of_this_cluster_lets_everybody_in() {
        let own = Secret::new("own");
        let lets_in = |token: &str| reusable(&Secret::new(token), &own, &A.into()).is_some();
        assert!(lets_in("own"));
        for other in ["", "ow", "own2", "OWN"] {
            assert!(!lets_in(other), "{other}");
        }
        assert_eq!(reusable(&Secret::new(""), &Secret::new(""), &A.into()), None);
    }

    #[test]
    fn the_token_for_the_way_back_lets_one_cluster_in() {
        let own = Secret::new("own");
        let back = way_back(&own, &A.into()).unwrap();
        assert_eq!(reusable(&back, &own, &A.into()), Some(Entitlement::Reusable));
        assert_eq!(reusable(&back, &own, &B.into()), None);
        assert_eq!(reusable(&back, &Secret::new("another own"), &A.into()), None);
    }

    #[test]
    fn a_one_time_token_is_its_first_users_until_its_end() {
        let judged = |found, asking: &str, now| one_time(found, &token(), &asking.into(), now);
        let in_time = UnixMillis(END.0 - 1);
        assert_eq!(judged(Some(kept(None)), A, in_time), Ok(Entitlement::OneTime(kept(None))));
        assert_eq!(judged(Some(kept(Some(A))), A, in_time), Ok(Entitlement::OneTime(kept(Some(A)))));
        assert_eq!(judged(Some(kept(Some(A))), B, in_time), Err(Refusal::Used));
        assert_eq!(judged(Some(kept(Some(A))), A, END.plus(3_600_000)), Err(Refusal::Expired));
        assert_eq!(judged(None, A, in_time), Err(Refusal::Token));
        // The name has a part of the hash only.
        let another = one_time(Some(kept(None)), &one_time_secret_of(&[8; 32]), &A.into(), in_time);
        assert_eq!(another, Err(Refusal::Token));
    }

    #[test]
    fn what_is_compared_is_the_part_before_the_pin() {
        let pin = crate::Pin::of_key(b"key").hex();
        let whole = Secret::new(format!("{}.{pin}", token().expose()));
        assert!(offered(&whole).is_ok_and(|secret| secret.matches(&token())));
        for bad in [String::new(), format!(".{pin}"), format!("{}.{}", token().expose(), &pin[1..])] {
            assert_eq!(offered(&Secret::new(bad)).err(), Some(Refusal::Token));
        }
    }
}
