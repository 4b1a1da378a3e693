//! Why a request gets no certificate, and what the peer is told of it.
//!
//! The status codes are those of Liqo 0.8.3. The texts never hold anything that was sent but a name that was checked.

use hyper::StatusCode;
use liqo_model::ClusterName;

use super::ProviderError;
use crate::cluster::ClusterFault;
use crate::csr::CsrFault;
use crate::wire::{NoRequest, TOKEN_EXPIRED, TOKEN_USED};

/// What Kubernetes is asked to do for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    ReadIdentity,
    ReadToken,
    BindToken,
    FindApiServer,
    EnsureTenant,
    ReadIssued,
    Sign,
    KeepIssued,
    BindBasic,
    KeepPeerToken,
}

impl Step {
    /// What did not happen.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadIdentity => "reading the identity of this cluster",
            Self::ReadToken => "reading the token of this cluster",
            Self::BindToken => "keeping who uses the token",
            Self::FindApiServer => "finding the address of the API server",
            Self::EnsureTenant => "making the tenant namespace",
            Self::ReadIssued => "reading the certificate that was issued",
            Self::Sign => "signing the certificate",
            Self::KeepIssued => "keeping the certificate",
            Self::BindBasic => "giving permissions to the cluster",
            Self::KeepPeerToken => "keeping the token of the cluster",
        }
    }
}

/// A request that is not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The body is longer than any request.
    TooLong,
    /// The body did not come in time.
    TooSlow,
    /// The body is no request.
    Malformed(NoRequest),
    /// The token is not the right one.
    Token,
    /// The token was the right one, but its time is over.
    Expired,
    /// The token was used by another cluster, or for an identity that has been in use.
    Used,
    /// The identity of the cluster is in use: no token gets it another one.
    Enrolled { name: ClusterName },
    /// The cluster cannot have an identity.
    Cluster(ClusterFault),
    /// The certificate signing request is no base64.
    Base64 { at: usize },
    /// It may not be signed.
    Csr(CsrFault),
    /// Another one was signed before.
    OtherCsr { name: ClusterName },
    /// One of the same cluster is being signed.
    Busy,
    /// It takes too long.
    Timeout,
    /// Kubernetes did not do its part.
    Provider { step: Step, error: ProviderError },
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Token | Self::Expired | Self::Used => StatusCode::UNAUTHORIZED,
            Self::Cluster(_)
            | Self::Enrolled { .. }
            | Self::Csr(_)
            | Self::OtherCsr { .. }
            | Self::Provider { error: ProviderError::Denied { .. }, .. } => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Base64 { .. }
            | Self::Timeout
            | Self::Provider { error: ProviderError::Failed { .. }, .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the peer reads, without the end of the line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::TooLong => "the request is too long".to_owned(),
            Self::TooSlow => "the request did not arrive in time".to_owned(),
            Self::Malformed(fault) => fault.to_string(),
            Self::Token => "invalid token".to_owned(),
            Self::Expired => TOKEN_EXPIRED.to_owned(),
            Self::Used => TOKEN_USED.to_owned(),
            Self::Enrolled { name } => format!(
                "the identity of cluster {name} is in use here, and no token gets it another one: `liqoctl reset identity` \
                 in the cluster that was asked allows it"
            ),
            Self::Cluster(fault) => fault.to_string(),
            Self::Base64 { at } => format!("illegal base64 data at input byte {at}"),
            Self::Csr(fault) => {
                format!("CertificateSigningRequest.certificates.k8s.io is invalid: spec.request: {fault}")
            }
            Self::OtherCsr { name } => {
                format!("the stored and the provided CSR for cluster {name} does not match")
            }
            Self::Busy => "an identity for this cluster is being issued, ask again".to_owned(),
            Self::Timeout => "timeout, ask again".to_owned(),
            Self::Provider { step, error: ProviderError::Denied { .. } } => {
                format!("the API server refused {}", step.name())
            }
            Self::Provider { step, error: ProviderError::Failed { .. } } => {
                format!("{} failed, ask again", step.name())
            }
        }
    }

    /// The word that it is counted under.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::TooSlow => "too_slow",
            Self::Malformed(_) | Self::Base64 { .. } => "malformed",
            Self::Token => "invalid_token",
            Self::Expired => "expired_token",
            Self::Used => "used_token",
            Self::Enrolled { .. } => "enrolled",
            Self::Cluster(_) => "invalid_cluster",
            Self::Csr(_) => "invalid_csr",
            Self::OtherCsr { .. } => "other_csr",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Provider { error: ProviderError::Denied { .. }, .. } => "denied",
            Self::Provider { error: ProviderError::Failed { .. }, .. } => "failed",
        }
    }

    /// Whether the connection can go on: not when the rest of a body is still to come.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(self, Self::TooLong | Self::TooSlow)
    }
}
