//! The Secret that a one-time token is known by: never the token, but its hash, its end, and who used it.

use std::collections::BTreeMap;

use liqo_events::{UnixMillis, parse_rfc3339, rfc3339_seconds};
use liqo_model::{ClusterId, NamespaceName};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{SecretContent, owned};
use crate::Secret;
use crate::pin::hex;
use crate::token::may_be_one_time;

/// Label of such Secrets.
pub const ONE_TIME_TOKEN: &str = "liqo.io/one-time-token";
/// What their names begin with.
const PREFIX: &str = "liqo-one-time-token-";
/// Letters of the hash that follow in the name: enough that no two tokens share one.
const IN_NAME: usize = 20;
const HASH: &str = "hash";
const EXPIRES: &str = "expires";
const CLUSTER: &str = "cluster-id";
const SPENT: &str = "spent";
/// Clocks differ, and whoever made the token may have another one than who judges it.
const SKEW_MILLIS: u64 = 5 * 60 * 1000;

/// A one-time token, as far as it is known. It shows nothing of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    hash: String,
    expires_at: UnixMillis,
    /// The cluster that used it first: it is of no use to another.
    pub cluster: Option<ClusterId>,
    /// Whether an identity that it was used for has been in use.
    pub spent: bool,
}

impl OneTimeToken {
    /// Whether it is the token.
    pub(crate) fn is(&self, offered: &Secret) -> bool {
        self.hash.as_bytes().ct_eq(hash(offered).as_bytes()).into()
    }

    /// Whether its time is over.
    pub fn has_expired(&self, now: UnixMillis) -> bool {
        now > self.expires_at.plus(SKEW_MILLIS)
    }
}

/// Name of the Secret of a one-time token; nothing when the secret cannot be one.
pub(crate) fn one_time_token_name(secret: &Secret) -> Option<String> {
    may_be_one_time(secret).then(|| name(&hash(secret)))
}

/// The Secret for a new one-time token, in the namespace that Liqo is installed in.
pub fn one_time_token(secret: &Secret, expires_at: UnixMillis, namespace: &NamespaceName) -> SecretContent {
    let hash = hash(secret);
    SecretContent {
        namespace: namespace.clone(),
        name: name(&hash),
        generate_name: false,
        labels: owned([(ONE_TIME_TOKEN, "true")]),
        annotations: BTreeMap::new(),
        data: [(HASH, hash), (EXPIRES, rfc3339_seconds(expires_at))]
            .map(|(key, text)| (key.to_owned(), text.into_bytes()))
            .into(),
    }
}

/// What of the data of such a Secret changes when a cluster uses it first.
pub fn bound_to(cluster: &ClusterId) -> BTreeMap<String, Vec<u8>> {
    [(CLUSTER.to_owned(), cluster.as_str().as_bytes().to_vec())].into()
}

/// What of it changes when an identity that it was used for is seen in use.
pub fn spent() -> BTreeMap<String, Vec<u8>> {
    [(SPENT.to_owned(), b"true".to_vec())].into()
}

/// Reads the data of such a Secret. Nothing when a part is missing or damaged: nobody is let in by that.
pub fn read_one_time_token(data: &BTreeMap<String, Vec<u8>>) -> Option<OneTimeToken> {
    let text = |key: &str| data.get(key).map(|bytes| str::from_utf8(bytes).ok());
    let cluster = match text(CLUSTER) {
        None => None,
        Some(cluster) => Some(ClusterId::new(cluster?)),
    };
    Some(OneTimeToken {
        hash: text(HASH)??.to_owned(),
        expires_at: parse_rfc3339(text(EXPIRES)??)?,
        cluster,
        spent: data.contains_key(SPENT),
    })
}

fn hash(secret: &Secret) -> String {
    hex(&Sha256::digest(secret.expose().as_bytes()))
}

fn name(hash: &str) -> String {
    format!("{PREFIX}{}", hash.get(..IN_NAME).unwrap_or(hash))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::to_base64;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const HASH_OF_A: &str = "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb";

    fn token() -> Secret {
        Secret::new("a".repeat(64))
    }

    #[test]
    fn the_secret_holds_everything_but_the_token() {
        let content = one_time_token(&token(), NOW, &"liqo".into());
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": format!("liqo-one-time-token-{}", &HASH_OF_A[..20]),
                "namespace": "liqo",
                "labels": {"liqo.io/one-time-token": "true"},
            },
            "data": {
                "hash": to_base64(HASH_OF_A.as_bytes()),
                "expires": to_base64(rfc3339_seconds(NOW).as_bytes()),
            },
        });
        assert_eq!(content.object(), expected);
        assert_eq!(one_time_token_name(&token()), Some(content.name.clone()));
        assert_eq!(one_time_token_name(&Secret::new("other")), None);
    }

    #[test]
    fn it_is_read_back_with_what_became_of_it() {
        let mut data = one_time_token(&token(), NOW, &"liqo".into()).data;
        let made = read_one_time_token(&data).unwrap();
        assert!(made.is(&token()) && !made.is(&Secret::new("b".repeat(64))));
        assert_eq!((made.cluster.as_ref(), made.spent), (None, false));
        data.extend(bound_to(&"1".into()));
        assert_eq!(read_one_time_token(&data).unwrap().cluster, Some("1".into()));
        data.extend(spent());
        assert!(read_one_time_token(&data).unwrap().spent);
    }

    #[test]
    fn damage_lets_nobody_in() {
        let whole = one_time_token(&token(), NOW, &"liqo".into()).data;
        for (key, value) in [(HASH, None), (EXPIRES, None), (EXPIRES, Some("soon")), (CLUSTER, Some("\u{0}"))]
        {
            let mut data = whole.clone();
            data.remove(key);
            if let Some(value) = value {
                let bytes = if key == CLUSTER { vec![0xff] } else { value.as_bytes().to_vec() };
                data.insert(key.to_owned(), bytes);
            }
            assert_eq!(read_one_time_token(&data), None, "{key}");
        }
    }

    #[test]
    fn it_ends_five_minutes_late_since_clocks_differ() {
        let token = read_one_time_token(&one_time_token(&token(), NOW, &"liqo".into()).data).unwrap();
        assert!(!token.has_expired(NOW.plus(SKEW_MILLIS)));
        assert!(token.has_expired(NOW.plus(SKEW_MILLIS + 1)));
    }
}
