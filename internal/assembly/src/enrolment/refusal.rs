//! What an API server refused, without anything that it may have said of a Secret.

use liqo_identity::ProviderError;

/// The error of a call: who was told no need not ask again.
pub(super) fn refused(what: &str, error: &kube::Error) -> ProviderError {
    match error {
        kube::Error::Api(status) if (400..500).contains(&status.code) && !passes(status.code) => {
            ProviderError::Denied { reason: format!("{what}: the API server answered {}", status.code) }
        }
        kube::Error::Api(status) => {
            ProviderError::Failed { reason: format!("{what}: the API server answered {}", status.code) }
        }
        other => ProviderError::Failed { reason: format!("{what}: {other}") },
    }
}

/// Conflicts, throttling and time-outs pass.
fn passes(code: u16) -> bool {
    matches!(code, 401 | 408 | 409 | 429)
}

/// Whether the object is there already.
pub(super) fn exists(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Whether there is no such object.
pub(super) fn missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
