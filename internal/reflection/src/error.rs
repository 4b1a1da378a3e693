//! Why an object cannot be transformed.

use std::net::IpAddr;

use thiserror::Error;

/// An object that cannot be transformed as it is. Names the object and the field, never a value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReflectError {
    /// The object is not what its kind says; trying again helps only after it changed.
    #[error("{object}: {field} is not {expected}; correct it, or look which version of Kubernetes wrote it")]
    ReadObject {
        /// `Kind namespace/name`.
        object: String,
        /// Path of the field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Nothing is known of how the clusters see each other's addresses, so a guess could cut traffic.
    #[error(
        "{object}: addresses cannot be translated before the TunnelEndpoint and the NatMapping of the peer are known"
    )]
    TranslateAddresses {
        /// `Kind namespace/name`.
        object: String,
    },
    /// The peer gave a pod an address that is not in its pod network.
    #[error(
        "{object}: {field} is {address}, outside of the pod network that the peer announced; see the TunnelEndpoint"
    )]
    PlaceAddress {
        /// `Kind namespace/name`.
        object: String,
        /// Path of the field.
        field: String,
        /// The address.
        address: IpAddr,
    },
}

impl ReflectError {
    /// Whether the object can be transformed later, unchanged.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::TranslateAddresses { .. })
    }
}
