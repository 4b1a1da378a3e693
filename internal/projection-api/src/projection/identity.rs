//! Who calls.

use std::future::Future;

use thiserror::Error;

/// The audience that tokens of agents have. Such a token is worth nothing at the API server.
pub const AUDIENCE: &str = "liqo-fabric";

/// Who a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `NAMESPACE/NAME` of the service account.
    pub service_account: String,
    /// The node that the pod of the token runs on, when the token says so.
    pub node: Option<String>,
}

/// Why a token does not say who calls.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReviewError {
    /// It is not valid, or not for this audience.
    #[error("the token is not valid for audience {AUDIENCE}: {reason}")]
    Refused {
        /// What the reviewer said; nothing of the token.
        reason: String,
    },
    /// Nobody could tell.
    #[error("the token cannot be checked now: {reason}; try again")]
    Unavailable {
        /// What went wrong.
        reason: String,
    },
}

/// Finds out whom a token belongs to, in practice by a TokenReview.
pub trait TokenReviewer: Send + Sync + 'static {
    /// Whom the token belongs to, if it is valid for the audience. Must not keep or log it.
    fn review(
        &self,
        token: &str,
        audience: &str,
    ) -> impl Future<Output = Result<Identity, ReviewError>> + Send;
}
