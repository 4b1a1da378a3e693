//! From a refusal to what the engine makes of it. By codes alone: texts differ between versions and proxies.

use liqo_engine::{Disposition, Outcome};
use liqo_model::{Kind, ObjectKey};

use crate::Refusal;
use crate::client::one_line;

/// What a refused write means.
pub(super) fn of(refusal: &Refusal, key: &ObjectKey) -> Outcome {
    let disposition = match refusal {
        Refusal::Status { code, retry_after, .. } => match code {
            // Credentials are renewed beside us; conflicts, throttling and faults of the server pass.
            401 | 408 | 409 | 425 | 429 | 500..=599 => Disposition::Retry { after: *retry_after },
            // What it would be made in, or its kind, is not there yet.
            404 | 410 => Disposition::Retry { after: None },
            // The server understood and says no: 400, 403, 405, 413, 415, 422. Asking again changes nothing.
            _ => Disposition::Park,
        },
        Refusal::Throttled { after } => Disposition::Retry { after: Some(*after) },
        Refusal::Timeout { .. } | Refusal::Unreachable { .. } | Refusal::Unintelligible { .. } => {
            Disposition::Retry { after: None }
        }
        Refusal::TooLarge { .. } | Refusal::Request { .. } => Disposition::Park,
    };
    Outcome::Failed { disposition, error: describe(refusal, key) }
}

/// Of a Secret nothing is repeated that a server says: validation shows values.
fn describe(refusal: &Refusal, key: &ObjectKey) -> String {
    let text = match refusal {
        Refusal::Status { code, .. } if key.kind == Kind::Secret => {
            format!("{key}: the API server answered {code}")
        }
        other => format!("{key}: {other}"),
    };
    one_line(&text)
}

/// The error of a step that was not taken.
pub(super) fn parked(reason: &str) -> Outcome {
    Outcome::Failed { disposition: Disposition::Park, error: one_line(reason) }
}

/// The error of a step that has to wait.
pub(super) fn later(reason: &str) -> Outcome {
    Outcome::Failed { disposition: Disposition::Retry { after: None }, error: one_line(reason) }
}

/// The error about an object whose API server nobody can ask.
pub(super) fn no_server(key: &ObjectKey) -> Outcome {
    // A peer whose identity is being renewed has no client for a moment.
    let error = format!("{key}: there is no client for the API server of {}", key.cluster);
    Outcome::Failed { disposition: Disposition::Retry { after: None }, error }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn status(code: u16) -> Refusal {
        Refusal::Status { code, message: "no".to_owned(), retry_after: None }
    }

    fn disposition(refusal: &Refusal) -> Disposition {
        match of(refusal, &ObjectKey::local_cluster_scoped(Kind::Node, "n")) {
            Outcome::Failed { disposition, .. } => disposition,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn codes_decide() {
        let retry = Disposition::Retry { after: None };
        for code in [401, 404, 408, 409, 410, 425, 429, 500, 502, 503, 504] {
            assert_eq!(disposition(&status(code)), retry, "{code}");
        }
        for code in [301, 400, 403, 405, 406, 413, 415, 422] {
            assert_eq!(disposition(&status(code)), Disposition::Park, "{code}");
        }
        let second = Some(Duration::from_secs(1));
        let throttled = Refusal::Status { code: 429, message: String::new(), retry_after: second };
        assert_eq!(disposition(&throttled), Disposition::Retry { after: second });
        assert_eq!(
            disposition(&Refusal::Throttled { after: Duration::from_secs(1) }),
            Disposition::Retry { after: second }
        );
        assert_eq!(disposition(&Refusal::Timeout { after: Duration::from_secs(1) }), retry);
        assert_eq!(disposition(&Refusal::Unreachable { reason: String::new() }), retry);
        assert_eq!(disposition(&Refusal::Request { reason: String::new() }), Disposition::Park);
    }

    #[test]
    fn nothing_that_a_server_says_of_a_secret_is_repeated() {
        let refusal = Refusal::Status {
            code: 422,
            message: "data: Invalid value: CANARY".to_owned(),
            retry_after: None,
        };
        let secret = describe(&refusal, &ObjectKey::local(Kind::Secret, "n", "s"));
        assert_eq!(secret, "Secret/n/s: the API server answered 422");
        let pod = describe(&refusal, &ObjectKey::local(Kind::Pod, "n", "p"));
        assert_eq!(pod, "Pod/n/p: the API server answered 422: data: Invalid value: CANARY");
    }

    #[test]
    fn errors_have_a_bound() {
        let refusal = Refusal::Status { code: 422, message: "x".repeat(5000), retry_after: None };
        assert_eq!(describe(&refusal, &ObjectKey::local(Kind::Pod, "n", "p")).len(), 512);
    }
}
