//! An authority of our own, and what it issues to servers.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::{Pair, Term};

/// An authority that can issue.
pub struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// A new one of this name.
    ///
    /// # Errors
    ///
    /// [`Error`], when there are no random numbers.
    pub fn make(name: &str, term: Term) -> Result<Pair, Error> {
        let key = KeyPair::generate()?;
        let certificate = of_name(name, term.parameters(&[])?).self_signed(&key)?;
        Ok(Pair::of(&certificate, &key))
    }

    /// The one of this name that has this key, PEM. What a certificate takes from its issuer is name and key, so the
    /// certificate of the authority need not be read.
    ///
    /// # Errors
    ///
    /// [`Error`], when this is no key.
    pub fn of_key(name: &str, key: &str) -> Result<Self, Error> {
        let parameters = of_name(name, CertificateParams::default());
        Ok(Self(Issuer::new(parameters, KeyPair::from_pem(key)?)))
    }

    /// A certificate with a new key for a server of this name, under these DNS names or addresses.
    ///
    /// # Errors
    ///
    /// [`Error`], when one of the names cannot be in a certificate.
    pub fn issue(&self, name: &str, names: &[String], term: Term) -> Result<Pair, Error> {
        let mut parameters = term.parameters(names)?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.0)?;
        Ok(Pair::of(&certificate, &key))
    }
}

fn of_name(name: &str, mut parameters: CertificateParams) -> CertificateParams {
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters
}

#[cfg(test)]
mod tests {
    use liqo_events::UnixMillis;
    use x509_parser::extensions::GeneralName;
    use x509_parser::pem::Pem;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const NAME: &str = "liqo-test authority";

    fn read(text: &str) -> Pem {
        x509_parser::pem::parse_x509_pem(text.as_bytes()).unwrap().1
    }

    #[test]
    fn a_server_gets_a_certificate_of_its_authority() {
        let made = Authority::make(NAME, Term { made: NOW, days: 365 }).unwrap();
        let authority = Authority::of_key(NAME, &made.key).unwrap();
        let names = ["liqo-test.liqo.svc".to_owned(), "10.0.0.1".to_owned()];
        let issued = authority.issue("liqo-test", &names, Term { made: NOW, days: 90 }).unwrap();
        let (authority, server) = (read(&made.certificate), read(&issued.certificate));
        let (authority, server) = (authority.parse_x509().unwrap(), server.parse_x509().unwrap());
        assert!(authority.is_ca());
        assert_eq!(authority.subject().to_string(), format!("CN={NAME}"));
        server.verify_signature(Some(authority.public_key())).unwrap();
        assert_eq!(server.issuer(), authority.subject());
        assert_eq!(server.subject().to_string(), "CN=liqo-test");
        assert!(!server.is_ca());
        let known = server.subject_alternative_name().unwrap().unwrap().value;
        assert_eq!(
            known.general_names,
            [GeneralName::DNSName("liqo-test.liqo.svc"), GeneralName::IPAddress(&[10, 0, 0, 1])]
        );
        assert!(server.extended_key_usage().unwrap().unwrap().value.server_auth);
    }

    #[test]
    fn keys_are_new_each_time_and_a_damaged_one_is_an_error() {
        let term = Term { made: NOW, days: 365 };
        let (first, second) = (Authority::make(NAME, term).unwrap(), Authority::make(NAME, term).unwrap());
        assert_ne!(first.key, second.key);
        assert!(Authority::of_key(NAME, "no key").is_err());
    }
}
