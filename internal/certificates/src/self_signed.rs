//! Certificates that nobody vouches for.

use rcgen::{DnType, Error, ExtendedKeyUsagePurpose, KeyPair};

use crate::{Pair, Term};

/// A certificate with a new key for a server of this organization, under these DNS names or addresses. It proves nothing
/// but that both ends of a connection are the same all along.
///
/// # Errors
///
/// [`Error`], when one of the names cannot be in a certificate.
pub fn self_signed(organization: &str, names: &[String], term: Term) -> Result<Pair, Error> {
    let mut parameters = term.parameters(names)?;
    parameters.distinguished_name.push(DnType::OrganizationName, organization);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    Ok(Pair::of(&certificate, &key))
}

#[cfg(test)]
mod tests {
    use liqo_events::UnixMillis;

    use super::*;

    #[test]
    fn it_vouches_for_itself_alone() {
        let term = Term { made: UnixMillis(1_795_000_000_000), days: 365 };
        let made = self_signed("Liqo", &["liqo-auth.liqo".to_owned()], term).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(made.certificate.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        assert_eq!(certificate.subject().to_string(), "O=Liqo");
        assert_eq!(certificate.issuer(), certificate.subject());
        certificate.verify_signature(None).unwrap();
        assert!(!certificate.is_ca());
        let names = self_signed("Liqo", &["not ascii: ü".to_owned()], term);
        assert!(names.is_err());
    }
}
