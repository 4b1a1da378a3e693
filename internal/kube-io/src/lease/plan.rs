//! What to do about a Lease: pure.

use std::time::Duration;

use liqo_events::UnixMillis;
use liqo_model::Uid;

use super::{DURATION, LeaseRecord, RENEW_EVERY};

/// How far two wall clocks may be apart before a renewal is called old without having been watched.
const SKEW: Duration = Duration::from_secs(300);

/// What is to be done about a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseStep {
    /// Make it.
    Create {
        /// The epoch that begins.
        epoch: u64,
    },
    /// Take it.
    Take {
        /// The epoch that begins.
        epoch: u64,
        /// The same pod holds it, without a break and without another holder in between.
        continued: bool,
    },
    /// Renew it.
    Renew,
    /// Another one has it; look again then.
    Wait {
        /// How long to wait.
        pause: Duration,
    },
    /// It was ours and is not any more: step down, then begin anew.
    StepDown,
}

/// The Lease as it is, and for how long it has been so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it says.
    pub record: LeaseRecord,
    /// How long, by our own monotonic clock, nobody has changed it.
    pub unchanged_for: Duration,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me<'a> {
    /// Uid of the pod.
    pub uid: &'a Uid,
    /// The epoch that this process holds the Lease in, when it does.
    pub held: Option<u64>,
    /// Whether an earlier container of this pod left a whole log, so that its term can be continued.
    pub may_continue: bool,
}

/// What to do about the Lease at the time `now`.
///
/// Others are judged by how long they were silent on our own clock, never by comparing their clock with ours: a Lease
/// that does not change for its duration is free. Only one that is older than any difference of clocks is free at once.
pub fn plan(seen: Option<&Seen>, me: Me<'_>, now: UnixMillis) -> LeaseStep {
    let Some(seen) = seen else {
        return match me.held {
            Some(_) => LeaseStep::StepDown,
            None => LeaseStep::Create { epoch: next_epoch(0, now) },
        };
    };
    let record = &seen.record;
    let ours = record.holder == *me.uid;
    match me.held {
        Some(epoch) if ours && record.epoch == epoch => return LeaseStep::Renew,
        Some(_) => return LeaseStep::StepDown,
        None => {}
    }
    let epoch = next_epoch(record.epoch, now);
    if ours {
        let continued = me.may_continue && record.epoch != 0 && !is_over(record, now, Duration::ZERO);
        return LeaseStep::Take { epoch, continued };
    }
    let free =
        record.holder.is_empty() || seen.unchanged_for >= record.duration || is_over(record, now, SKEW);
    if free {
        return LeaseStep::Take { epoch, continued: false };
    }
    LeaseStep::Wait { pause: (record.duration - seen.unchanged_for).min(RENEW_EVERY) }
}

/// Whether the Lease ended more than `slack` ago by the wall clock. One pod has one clock; two pods need slack.
fn is_over(record: &LeaseRecord, now: UnixMillis, slack: Duration) -> bool {
    let lasts = record.duration.min(DURATION) + slack;
    now.since(record.renewed_at) >= u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)
}

fn next_epoch(previous: u64, now: UnixMillis) -> u64 {
    let seconds = u64::try_from(now.0 / 1000).unwrap_or_default();
    previous.saturating_add(1).max(seconds)
}
