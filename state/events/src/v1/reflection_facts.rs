//! The projections of objects that are copied to a peer, and of their copies.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use liqo_model::{ClusterId, Uid};
use serde::Serialize;

use super::BodyDigest;

/// The part of an object in reflection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reflection {
    /// What is copied to a peer: labels, annotations and everything outside of metadata but the status.
    pub content: BodyDigest,
    /// Digest of the status, which comes back.
    pub status: BodyDigest,
    /// Annotation `liqo.io/home-uid`: the life at home that this is a copy of; empty at home.
    #[bincode(with_serde)]
    pub home_uid: Uid,
    /// Label `virtualkubelet.liqo.io/origin`.
    #[bincode(with_serde)]
    pub origin: ClusterId,
    /// Label `virtualkubelet.liqo.io/destination`.
    #[bincode(with_serde)]
    pub destination: ClusterId,
    /// Label `liqo.io/managed-by`: `shadowpod` or `shadowendpointslice` in the provider.
    pub managed_by: String,
    /// Whether annotation `liqo.io/skip-reflection` is there.
    pub skipped: bool,
    /// Name of the service account that a token is of, or of the Service that endpoints are of; empty for other kinds.
    pub belongs_to: String,
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Its name.
    pub name: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The port of the Service.
    pub port: u16,
    /// The port on each node, or 0.
    pub node_port: u16,
}

/// A Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceFacts {
    /// `spec.type`.
    pub kind: String,
    /// `spec.clusterIP`.
    pub cluster_ip: String,
    /// `spec.ports`.
    pub ports: Vec<ServicePort>,
    /// Addresses and names in `status.loadBalancer.ingress`.
    pub ingress: Vec<String>,
    /// Annotations of Liqo: `liqo.io/…` and `net.liqo.io/…`.
    pub annotations: BTreeMap<String, String>,
    /// Its part in reflection.
    pub reflection: Reflection,
}

/// A ShadowPod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShadowPodFacts {
    /// Its part in reflection.
    pub reflection: Reflection,
    /// `status.phase`.
    pub phase: String,
    /// `spec.pod.restartPolicy`.
    pub restart_policy: String,
}
