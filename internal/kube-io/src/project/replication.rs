//! The part of an object in replication: its labels, and digests of its halves.

use liqo_api::{finalizers, labels};
use liqo_events::{BodyDigest, Replication};
use liqo_model::Kind;
use serde_json::{Map, Value};

use super::Reader;
use super::fields::Read;
use super::quantities::normalised;

pub(super) fn read(object: &Reader<'_>) -> Read<Replication> {
    let owners = object.items("metadata.ownerReferences")?;
    let mut names = Vec::new();
    for owner in &owners {
        if owner.text("kind")? == Kind::ForeignCluster.as_str() {
            names.push(owner.text("name")?.to_owned());
        }
    }
    Ok(Replication {
        origin: object.label(labels::REPLICATION)? == labels::TRUE,
        remote_id: object.label(labels::REPLICATION_DESTINATION)?.into(),
        origin_id: object.label(labels::REPLICATION_ORIGIN)?.into(),
        replicated: object.label(labels::REPLICATED)? == labels::TRUE,
        finalizer: object.finalizers()?.contains(&finalizers::REPLICATOR),
        spec: half(object, "spec"),
        status: half(object, "status"),
        owners: names,
    })
}

/// A half that is not there and an empty one are the same: one API server writes it, another leaves it out.
fn half(object: &Reader<'_>, name: &str) -> BodyDigest {
    let empty = Value::Object(Map::new());
    let half = object.body().get(name).filter(|half| !half.is_null()).unwrap_or(&empty);
    if object.kind() == Kind::ResourceOffer && name == "spec" {
        object.digests().part(&normalised(half))
    } else {
        object.digests().part(half)
    }
}
