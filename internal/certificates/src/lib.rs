//! Certificates that servers of Liqo have made for themselves: of an authority of their own, or of nobody.
//!
//! When each is made anew is up to who keeps it. All begin a day before they were made, since the clocks of nodes differ,
//! and begin and end at midnight. Keys are random; everything else follows from the arguments.

mod authority;
mod self_signed;
mod term;

pub use authority::Authority;
pub use rcgen::Error;
pub use self_signed::self_signed;
pub use term::{DAY_MILLIS, Term};

/// A certificate with its key, PEM. Neither shown nor compared: the key is secret.
#[derive(Clone)]
pub struct Pair {
    /// For everybody.
    pub certificate: String,
    /// For nobody else.
    pub key: String,
}

impl Pair {
    fn of(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> Self {
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}
