//! Secrets: identities and tokens of peers are known by their labels, and of what they hold only what is no secret is
//! read. Any other may be one that is copied, of which a keyed digest is taken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_api::{annotations, labels};
use liqo_events::{Facts, IdentityFacts, IssuedFacts, PeerTokenFacts, UnixMillis};

use super::fields::Read;
use super::{Reader, reflection};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    let peer = object.label(labels::CLUSTER_ID)?;
    if object.label(labels::LOCAL_IDENTITY)? == labels::TRUE {
        return identity(object, peer);
    }
    if object.has_label(labels::AUTH_TOKEN)? {
        return Ok(Facts::PeerToken(PeerTokenFacts { peer: peer.into() }));
    }
    if !peer.is_empty() {
        let enrolled = !object.annotation(annotations::ENROLLED)?.is_empty();
        return Ok(Facts::Issued(IssuedFacts { peer: peer.into(), enrolled }));
    }
    reflection::facts(object)
}

fn identity(object: &Reader<'_>, peer: &str) -> Read<Facts> {
    let seconds: i64 = object.annotation(annotations::CERTIFICATE_EXPIRE_TIME)?.parse().unwrap_or_default();
    Ok(Facts::Identity(IdentityFacts {
        peer: peer.into(),
        remote_namespace: decoded(object, "data.namespace")?.into(),
        api_server: decoded(object, "data.apiServerUrl")?,
        expires_at: UnixMillis(seconds.saturating_mul(1000)),
    }))
}

/// The error shows nothing of what is there: it may have been put under the wrong key.
fn decoded(object: &Reader<'_>, path: &str) -> Read<String> {
    let bytes = STANDARD.decode(object.text(path)?).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| object.refuse(path, "is no text in base64"))
}
