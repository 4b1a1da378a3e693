//! The part of an object in reflection, and the kinds of which nothing else matters: ConfigMaps, Secrets, endpoints.

use liqo_api::{annotations, labels};
use liqo_events::{Facts, Reflection};
use liqo_model::Kind;
use liqo_reflection::names::SERVICE_NAME;

use super::Reader;
use super::fields::Read;

/// On Secrets with a token of a service account: its name.
const TOKEN_OF: &str = "kubernetes.io/service-account.name";

/// What of it is copied, by what it belongs to.
pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    read(object).map(Facts::Reflected)
}

pub(super) fn read(object: &Reader<'_>) -> Read<Reflection> {
    let label = |key| object.label(key);
    let belongs_to = match object.kind() {
        Kind::Secret => {
            let token = object.annotation(TOKEN_OF)?;
            if token.is_empty() { label(labels::SERVICE_ACCOUNT_NAME)? } else { token }
        }
        Kind::EndpointSlice | Kind::ShadowEndpointSlice => label(SERVICE_NAME)?,
        _ => "",
    };
    Ok(Reflection {
        content: object.digests().content(object.body()),
        status: object.digests().part(&object.body()["status"]),
        home_uid: object.annotation(annotations::HOME_UID)?.into(),
        origin: label(labels::ORIGIN)?.into(),
        destination: label(labels::DESTINATION)?.into(),
        managed_by: label(labels::MANAGED_BY)?.to_owned(),
        skipped: object.has_annotation(annotations::SKIP_REFLECTION)?,
        belongs_to: belongs_to.to_owned(),
    })
}
