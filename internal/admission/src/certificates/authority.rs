//! Making the certificates of the webhooks.

use liqo_certificates::{Authority, Pair, Term};
use liqo_events::UnixMillis;

use crate::Error;

const AUTHORITY: &str = "liqo-webhook authority";
const SERVER: &str = "liqo-webhook";
/// An authority lives a year. What takes its place is trusted before it is used.
const AUTHORITY_DAYS: u64 = 365;
/// A certificate lives a quarter of a year: long enough for a cluster that is off for weeks.
const CERTIFICATE_DAYS: u64 = 90;

/// A new authority.
pub(super) fn make_authority(now: UnixMillis) -> Result<Pair, Error> {
    let made = Authority::make(AUTHORITY, Term { made: now, days: AUTHORITY_DAYS });
    made.map_err(|source| Error::MakeCertificate { names: "of an authority".to_owned(), source })
}

/// A certificate of this authority for a server with these names.
pub(super) fn issue(by: &Pair, names: &[String], now: UnixMillis) -> Result<Pair, Error> {
    let term = Term { made: now, days: CERTIFICATE_DAYS };
    let issued =
        Authority::of_key(AUTHORITY, &by.key).and_then(|authority| authority.issue(SERVER, names, term));
    issued.map_err(|source| Error::MakeCertificate { names: names.join(", "), source })
}
