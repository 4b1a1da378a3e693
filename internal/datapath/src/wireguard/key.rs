//! Keys, as the Secret `wireguard-pubkey` holds them: the base64 text of 32 bytes.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boringtun::x25519;
use thiserror::Error;

/// File of the private key in the mounted Secret.
const PRIVATE: &str = "privateKey";

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the private key {} cannot be read: check that the Secret wireguard-pubkey is mounted", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is no key.
    #[error("{what} is not the base64 text of 32 bytes")]
    Malformed {
        /// Whose key.
        what: String,
    },
}

/// Who a peer is for WireGuard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub(super) [u8; 32]);

impl PublicKey {
    /// Reads the base64 text.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        decoded(text).map(Self).ok_or_else(|| KeyError::Malformed { what: "the public key".to_owned() })
    }
}

/// The base64 text.
impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({self})")
    }
}

/// The keys of this gateway. Never shown: there is neither Debug nor Display.
#[derive(Clone)]
pub struct KeyPair {
    private: x25519::StaticSecret,
    public: PublicKey,
}

impl PartialEq for KeyPair {
    /// By the public half, which follows from the private one.
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl KeyPair {
    /// Keys of 32 bytes of chance.
    pub fn of(chance: [u8; 32]) -> Self {
        let private = x25519::StaticSecret::from(chance);
        let public = PublicKey(x25519::PublicKey::from(&private).to_bytes());
        Self { private, public }
    }

    /// Reads the private key in the folder of the mounted Secret.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn read(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(PRIVATE);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|source| KeyError::Read { path: path.clone(), source })?;
        let bytes = decoded(&text);
        bytes.map(Self::of).ok_or_else(|| KeyError::Malformed { what: format!("{}", path.display()) })
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The private half as the text that the Secret holds. For who makes the Secret; a gateway never needs it.
    pub fn private_text(&self) -> String {
        STANDARD.encode(self.private.to_bytes())
    }

    pub(super) fn secret(&self) -> &x25519::StaticSecret {
        &self.private
    }
}

fn decoded(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}
