//! Why a request had no answer that can be used. Judged by codes, never by texts.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

/// Most bytes of a server's message that are kept. Events hold as many.
pub(crate) const LONGEST_MESSAGE: usize = 512;

/// Why a request had no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The server answered with a code that is no success.
    #[error("the API server answered {code}: {message}")]
    Status {
        /// HTTP status code.
        code: u16,
        /// What the server said, at most 512 bytes.
        message: String,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The request was not sent: our own limit, or the server asked for a pause.
    #[error("not sent: the limit for this API server leaves room again in {} ms", after.as_millis())]
    Throttled {
        /// When there is room again.
        after: Duration,
    },
    /// No answer in time.
    #[error("the API server did not answer within {} s", after.as_secs())]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The server cannot be reached, or the connection broke.
    #[error("the API server cannot be reached: {reason}")]
    Unreachable {
        /// What the connection said.
        reason: String,
    },
    /// The answer is larger than what is read.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// Bytes that are read.
        limit: usize,
    },
    /// The answer is not what was asked for.
    #[error("the answer cannot be understood: {reason}")]
    Unintelligible {
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be made, for instance because a name is none.
    #[error("no such request can be made: {reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
    },
}

impl Refusal {
    /// The HTTP status code; 0 when there was no answer.
    pub fn code(&self) -> u16 {
        match self {
            Self::Status { code, .. } => *code,
            _ => 0,
        }
    }

    /// What the server wishes to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Throttled { after } => Some(*after),
            _ => None,
        }
    }

    /// An answer that is no success. The body is a `Status` object, or any text when a proxy answered.
    pub(super) fn from_answer(code: u16, retry_after: Option<&str>, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Status {
            message: String,
        }
        let message = match serde_json::from_slice::<Status>(body) {
            Ok(status) => status.message,
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        // Only the form in seconds: API servers use no other, and a date would have to be judged by a wall clock.
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        Self::Status { code, message: one_line(&message), retry_after }
    }
}

/// A text without line breaks and other control characters, and not longer than is kept.
pub(crate) fn one_line(text: &str) -> String {
    let plain: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut end = plain.len().min(LONGEST_MESSAGE);
    while !plain.is_char_boundary(end) {
        end -= 1;
    }
    plain[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_the_servers_own() {
        let body = br#"{"kind":"Status","code":403,"message":"pods is forbidden\n: no"}"#;
        let expected =
            Refusal::Status { code: 403, message: "pods is forbidden : no".to_owned(), retry_after: None };
        assert_eq!(Refusal::from_answer(403, None, body), expected);
    }

    #[test]
    fn fairness_answers_with_plain_text_and_a_pause() {
        let expected = Refusal::Status {
            code: 429,
            message: "Too many requests".to_owned(),
            retry_after: Some(Duration::from_secs(3)),
        };
        assert_eq!(Refusal::from_answer(429, Some(" 3 "), b"Too many requests\n"), expected);
        let dated = Refusal::from_answer(429, Some("Wed, 21 Oct 2026 07:28:00 GMT"), b"");
        assert_eq!(dated.retry_after(), None);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let refusal = Refusal::from_answer(500, None, "é".repeat(1000).as_bytes());
        assert_eq!(refusal, Refusal::Status { code: 500, message: "é".repeat(256), retry_after: None });
    }
}
