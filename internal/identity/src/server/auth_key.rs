//! The key by which peers know the authentication service of this cluster again: tokens tell its pin, so it outlives
//! processes.

use std::collections::BTreeMap;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData as _,
};

use super::Transport;
use crate::{Error, Pin, Secret};

/// Name of the Secret that keeps it, in the namespace that Liqo is installed in.
pub const AUTH_KEY_SECRET: &str = "liqo-auth-key";
/// Key in that Secret of what tokens tell.
pub const PIN_KEY: &str = "pin";
const PRIVATE_KEY: &str = "private-key";

/// A key of the authentication service. It cannot be printed.
pub struct AuthKey(KeyPair);

impl AuthKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// [`Error::MakeAuthKey`].
    pub fn generate() -> Result<Self, Error> {
        KeyPair::generate().map(Self).map_err(|source| Error::MakeAuthKey { source })
    }

    /// What the Secret is to hold.
    pub fn data(&self) -> BTreeMap<String, Vec<u8>> {
        [(PRIVATE_KEY, self.0.serialize_pem()), (PIN_KEY, self.pin().hex())]
            .map(|(key, text)| (key.to_owned(), text.into_bytes()))
            .into()
    }

    /// The key in the data of that Secret.
    ///
    /// # Errors
    ///
    /// [`Error::ReadAuthKey`].
    pub fn read(data: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let text = data.get(PRIVATE_KEY).and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        let pem = Secret::new(text.ok_or(Error::ReadAuthKey)?);
        KeyPair::from_pem(pem.expose()).map(Self).map_err(|_| Error::ReadAuthKey)
    }

    /// What tokens tell of it.
    pub fn pin(&self) -> Pin {
        Pin::of_key(&self.0.subject_public_key_info())
    }

    /// TLS with a certificate of this key that nobody vouches for, under these DNS names or addresses. It does not end: who
    /// knows the pin trusts the key, and everybody else trusts nothing in it.
    ///
    /// # Errors
    ///
    /// [`Error::MakeCertificate`], [`Error::UseCertificate`].
    pub fn transport(&self, names: &[String]) -> Result<Transport, Error> {
        let failed = |source| Error::MakeCertificate { names: names.join(", "), source };
        let mut parameters = CertificateParams::new(names.to_vec()).map_err(failed)?;
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, "Liqo");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.self_signed(&self.0).map_err(failed)?;
        Transport::tls(certificate.pem().as_bytes(), self.0.serialize_pem().as_bytes())
    }
}

/// The pin in the data of the Secret that keeps the key.
pub fn read_pin(data: &BTreeMap<String, Vec<u8>>) -> Option<Pin> {
    Pin::parse(str::from_utf8(data.get(PIN_KEY)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_kept_has_the_same_pin() {
        let key = AuthKey::generate().unwrap_or_else(|error| panic!("{error}"));
        let kept = AuthKey::read(&key.data()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(kept.pin(), key.pin());
        assert_eq!(read_pin(&key.data()), Some(key.pin()));
        assert!(kept.transport(&["127.0.0.1".to_owned()]).is_ok());
    }

    #[test]
    fn damage_is_an_error_that_shows_nothing() {
        for data in [BTreeMap::new(), [(PRIVATE_KEY.to_owned(), b"canary".to_vec())].into()] {
            let error = AuthKey::read(&data).err().map(|error| error.to_string()).unwrap();
            assert!(error.contains("liqo-auth-key") && !error.contains("canary"), "{error}");
            assert_eq!(read_pin(&data), None);
        }
    }
}
