//! Why a request is not answered with what was asked for, in words for people: the API server passes them on.

use http::StatusCode;
use thiserror::Error;

use crate::access::{Attributes, Denial};
use crate::peer::QueryFault;

/// Why a request is not answered with what was asked for.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error("Unauthorized: show a client certificate of this cluster or a bearer token")]
    Anonymous,
    #[error("Forbidden (user={user}, resource=nodes, needed={})", words(.needed))]
    Forbidden { user: String, needed: Vec<Attributes> },
    #[error("nobody can say whether this is allowed: {0}")]
    Unknown(crate::Error),
    #[error("the kubelet API of a virtual node has no such path")]
    NoPath,
    #[error("this path does not take this method")]
    NoMethod,
    #[error("{0}")]
    Query(#[from] QueryFault),
    #[error(
        "pod {namespace}/{pod} is not known here: its namespace is not offloaded, or it is not in the peer yet"
    )]
    NoPod { namespace: String, pod: String },
    #[error("an upgrade is required: SPDY/3.1 or websocket")]
    NoUpgrade,
    #[error("there is no identity for the peer's API server yet")]
    NoIdentity,
    #[error("the {whose} API server does not accept our identity any more: {message}")]
    BadIdentity { whose: &'static str, message: String },
    #[error("the {whose} API server cannot be reached: {reason}")]
    Unreachable { whose: &'static str, reason: String },
    #[error("the {whose} API server did not answer within {seconds} s")]
    Late { whose: &'static str, seconds: u64 },
    #[error("the {whose} API server gave an answer of no use: {reason}")]
    Unusable { whose: &'static str, reason: String },
    /// What the peer said, which is passed on.
    #[error("{message}")]
    Refused { status: StatusCode, message: String },
}

fn words(needed: &[Attributes]) -> String {
    let words = needed.iter().map(|one| format!("{} nodes/{}", one.verb, one.subresource));
    words.collect::<Vec<_>>().join(" or ")
}

impl Trouble {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Anonymous => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NoPath | Self::NoPod { .. } | Self::Query(QueryFault::Place) => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Query(_) | Self::NoUpgrade => StatusCode::BAD_REQUEST,
            Self::Unknown(_) | Self::NoIdentity => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadIdentity { .. } | Self::Unreachable { .. } | Self::Unusable { .. } => {
                StatusCode::BAD_GATEWAY
            }
            Self::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Refused { status, .. } => *status,
        }
    }
}

impl From<Denial> for Trouble {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Anonymous => Self::Anonymous,
            Denial::Forbidden { user, needed } => Self::Forbidden { user, needed },
            Denial::Unknown(error) => Self::Unknown(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_said_in_words() {
        let needed = vec![
            Attributes { verb: "get", subresource: "pods" },
            Attributes { verb: "get", subresource: "proxy" },
        ];
        let forbidden = Trouble::from(Denial::Forbidden { user: "mallory".to_owned(), needed });
        assert_eq!(forbidden.status(), 403);
        assert_eq!(
            forbidden.to_string(),
            "Forbidden (user=mallory, resource=nodes, needed=get nodes/pods or get nodes/proxy)"
        );
        assert_eq!(Trouble::from(Denial::Anonymous).status(), 401);
        assert_eq!(Trouble::Query(QueryFault::NoStream).status(), 400);
        assert_eq!(Trouble::Query(QueryFault::Place).status(), 404);
    }
}
