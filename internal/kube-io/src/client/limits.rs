//! How much one API server is asked at once and over time.

use std::time::Duration;

use crate::MAX_BACK_OFF;

/// Limits of the client of one API server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests without an answer at the same time; watches are not counted.
    pub in_flight: usize,
    /// Requests a second over a longer time.
    pub per_second: f64,
    /// Requests at once after a pause.
    pub burst: f64,
    /// For one request from the first wait to the last byte of the answer, but for pages of lists and watches.
    pub request_timeout: Duration,
    /// For one page of a list.
    pub list_timeout: Duration,
    /// Bytes of one answer, and of one line of a watch.
    pub answer_bytes: usize,
}

impl Default for Limits {
    /// A client of the size of a scheduler (50 requests a second, 100 at once), so that an API server with default
    /// fairness settings never refuses us, and every write of a batch of 256 events leaves within seconds. Sixteen
    /// requests in flight saturate a server on one core. Objects are at most 1.5 MiB in etcd, so 32 MiB are a page
    /// of twenty of the largest; a page that is larger is asked for again with fewer objects.
    fn default() -> Self {
        Self {
            in_flight: 16,
            per_second: 50.0,
            burst: 100.0,
            request_timeout: Duration::from_secs(15),
            list_timeout: Duration::from_secs(60),
            answer_bytes: 32 << 20,
        }
    }
}

/// Tokens that requests take. Moments are durations since any fixed one.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled_at: Duration,
    closed_until: Duration,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            per_second: limits.per_second.max(0.1),
            burst: limits.burst.max(1.0),
            tokens: limits.burst.max(1.0),
            filled_at: Duration::ZERO,
            closed_until: Duration::ZERO,
        }
    }

    /// Takes a token that there will be within `patience`, and says how long to wait for it. Else takes none, and says
    /// how long it would have been.
    pub(super) fn take(&mut self, now: Duration, patience: Duration) -> Result<Duration, Duration> {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.filled_at = self.filled_at.max(now);
        let missing = (1.0 - self.tokens).max(0.0);
        let wait = Duration::from_secs_f64(missing / self.per_second).max(self.closed_for(now));
        if wait > patience {
            return Err(wait);
        }
        self.tokens -= 1.0;
        Ok(wait)
    }

    /// The server asked not to be asked for a while; for at most [`MAX_BACK_OFF`], whatever it says.
    pub(super) fn close(&mut self, now: Duration, pause: Duration) {
        self.closed_until = self.closed_until.max(now + pause.min(MAX_BACK_OFF));
    }

    /// How long the server still does not want to be asked.
    pub(super) fn closed_for(&self, now: Duration) -> Duration {
        self.closed_until.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn bucket() -> TokenBucket {
        TokenBucket::new(&Limits { per_second: 10.0, burst: 2.0, ..Limits::default() })
    }

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_burst_passes_and_then_requests_are_spread() {
        let mut bucket = bucket();
        let waits: Vec<_> = (0..5).map(|_| bucket.take(Duration::ZERO, PATIENCE)).collect();
        assert_eq!(waits, [0, 0, 100, 200, 300].map(|wait| Ok(millis(wait))));
        assert_eq!(bucket.take(millis(10_000), PATIENCE), Ok(Duration::ZERO));
    }

    #[test]
    fn no_token_is_taken_by_who_does_not_wait() {
        let mut bucket = bucket();
        assert!(
            bucket.take(Duration::ZERO, PATIENCE).is_ok() && bucket.take(Duration::ZERO, PATIENCE).is_ok()
        );
        assert_eq!(bucket.take(Duration::ZERO, millis(50)), Err(millis(100)));
        assert_eq!(bucket.take(Duration::ZERO, millis(100)), Ok(millis(100)));
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it_up_to_a_bound() {
        let mut bucket = bucket();
        bucket.close(millis(0), millis(2000));
        assert_eq!(bucket.take(millis(500), PATIENCE), Ok(millis(1500)));
        bucket.close(millis(500), Duration::from_secs(31_536_000));
        assert_eq!(bucket.closed_for(millis(500)), MAX_BACK_OFF);
    }
}
