//! From the JSON of an object to the fields that decisions need, one file a kind.
//!
//! Reading is tolerant: what is missing or null has its default, and fields that nobody asks for may be anything. What
//! cannot be understood makes [`Facts::Malformed`], which names the object and the field, and never an error: one bad
//! object must not stop the others.

mod config_map;
mod fields;
mod foreign_cluster;
mod namespace;
mod namespace_map;
mod node;
mod offloading;
mod pod;

#[cfg(test)]
mod tests;

use liqo_events::Facts;
use liqo_model::{Kind, ObjectKey};
use serde_json::Value;

use fields::{Fields, Wrong};

#[cfg(test)]
pub(crate) use tests::arbitrary_json;

/// Most bytes of a reason; it is for people, and part of an event.
const LONGEST_REASON: usize = 512;

/// The fields of an object that decisions need.
pub fn project(key: &ObjectKey, body: &Value) -> Facts {
    let fields = Fields::new(body);
    let facts = match key.kind {
        Kind::ConfigMap => config_map::facts(&fields),
        Kind::Namespace => namespace::facts(&fields),
        Kind::Node => node::facts(&fields),
        Kind::Pod => pod::facts(&fields),
        Kind::ForeignCluster => foreign_cluster::facts(&fields),
        Kind::NamespaceOffloading => offloading::facts(&fields),
        Kind::NamespaceMap => namespace_map::facts(&fields),
        Kind::Secret
        | Kind::Lease
        | Kind::Service
        | Kind::ServiceAccount
        | Kind::EndpointSlice
        | Kind::RoleBinding
        | Kind::ClusterRoleBinding
        | Kind::Deployment
        | Kind::CertificateSigningRequest
        | Kind::Ingress
        | Kind::ResourceRequest
        | Kind::ResourceOffer
        | Kind::NetworkConfig
        | Kind::TunnelEndpoint
        | Kind::IpamStorage
        | Kind::NatMapping
        | Kind::ShadowPod
        | Kind::ShadowEndpointSlice => Ok(Facts::Presence),
    };
    facts.unwrap_or_else(|wrong| malformed(key, &wrong))
}

fn malformed(key: &ObjectKey, wrong: &Wrong) -> Facts {
    let reason = format!("{key}: {wrong}");
    Facts::Malformed(fields::cut(&reason, LONGEST_REASON).to_owned())
}

/// What is said of an object that is nested deeper than anybody reads.
pub(crate) fn too_deep(key: &ObjectKey) -> Facts {
    Facts::Malformed(format!("{key}: it is nested too deeply to be read; make it flatter"))
}
