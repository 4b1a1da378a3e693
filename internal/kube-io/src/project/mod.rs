//! From the JSON of an object to the fields that decisions need, one file a kind.
//!
//! Reading is tolerant: what is missing or null has its default, and fields that nobody asks for may be anything. What
//! cannot be understood makes [`Facts::Malformed`], which names the object and the field, and never an error: one bad
//! object must not stop the others.

mod config_map;
mod deployment;
mod fields;
mod foreign_cluster;
mod namespace;
mod namespace_map;
mod network;
mod node;
mod offloading;
mod pod;
mod quantities;
mod reader;
mod reflection;
mod replication;
mod requests;
mod resource_offer;
mod resource_request;
mod secret;
mod service;
mod shadow_pod;
mod signing_request;

#[cfg(test)]
mod peering_tests;
#[cfg(test)]
mod tests;

use liqo_events::Facts;
use liqo_model::{Kind, ObjectKey};
use serde_json::Value;

use crate::DigestKey;
use fields::Wrong;
use reader::Reader;

pub(crate) use quantities::spelt_as;
#[cfg(test)]
pub(crate) use tests::arbitrary_json;

/// Most bytes of a reason; it is for people, and part of an event.
const LONGEST_REASON: usize = 512;

/// The fields of an object that decisions need. `digests` is for the parts of it that are copied.
pub fn project(key: &ObjectKey, body: &Value, digests: &DigestKey) -> Facts {
    let object = Reader::new(key.kind, body, digests);
    let facts = match key.kind {
        Kind::ConfigMap => config_map::facts(&object),
        Kind::Namespace => namespace::facts(&object),
        Kind::Node => node::facts(&object),
        Kind::Pod => pod::facts(&object),
        Kind::Secret => secret::facts(&object),
        Kind::Service => service::facts(&object),
        Kind::EndpointSlice | Kind::ShadowEndpointSlice => reflection::facts(&object),
        Kind::CertificateSigningRequest => signing_request::facts(&object),
        Kind::ForeignCluster => foreign_cluster::facts(&object),
        Kind::ResourceRequest => resource_request::facts(&object),
        Kind::ResourceOffer => resource_offer::facts(&object),
        Kind::NetworkConfig => network::network_config(&object),
        Kind::TunnelEndpoint => network::tunnel_endpoint(&object),
        Kind::IpamStorage => network::ipam_storage(&object),
        Kind::NamespaceOffloading => offloading::facts(&object),
        Kind::NamespaceMap => namespace_map::facts(&object),
        Kind::ShadowPod => shadow_pod::facts(&object),
        Kind::Deployment => deployment::facts(&object),
        Kind::Lease
        | Kind::ServiceAccount
        | Kind::RoleBinding
        | Kind::ClusterRoleBinding
        | Kind::Ingress
        | Kind::NatMapping => Ok(Facts::Presence),
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
