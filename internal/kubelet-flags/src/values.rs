//! Values of flags as Go writes them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::SignedDuration;

/// `key=value,key=value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs(BTreeMap<String, String>);

impl From<Pairs> for BTreeMap<String, String> {
    fn from(pairs: Pairs) -> Self {
        pairs.0
    }
}

pub(crate) fn pairs(text: &str) -> Result<Pairs, String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is not key=value"))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    parts.map(pair).collect::<Result<_, String>>().map(Pairs)
}

/// `10h`, `1m30s`, `0`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let text = if text == "0" { "0s" } else { text };
    let parsed: SignedDuration =
        text.parse().map_err(|_| format!("{text:?} is no duration; write it like 40s or 1m30s"))?;
    Duration::try_from(parsed).map_err(|_| format!("{text} is below zero"))
}

/// `:8080`, or with an address.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let all = Ipv4Addr::UNSPECIFIED;
    let whole = if text.starts_with(':') { format!("{all}{text}") } else { text.to_owned() };
    whole.parse().map_err(|_| format!("{text:?} is no address; write it like :8080 or 127.0.0.1:8080"))
}

/// Requests a second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if rate.is_finite() && rate > 0.0 { Ok(rate) } else { Err(format!("{text} is no rate above zero")) }
}
