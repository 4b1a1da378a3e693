//! A log that lives as long as its process: for a degraded process, and for tests.

use std::collections::VecDeque;

use liqo_events::{Envelope, Seq, UnixMillis};

use crate::contract::{check_batch, check_snapshot};
use crate::{EventLog, LogError, LogStatistics, Retention, Snapshot};

/// What a log in memory may hold. Above it the oldest events are forgotten, dense or not: a degraded process has to
/// run on, and its state is in memory anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Events.
    pub events: usize,
    /// Bytes of events, as records.
    pub bytes: u64,
}

impl Default for MemoryLimits {
    /// Twice the events between two snapshots, so that the dense part is normally whole, in a small part of what a pod
    /// of ours may use.
    fn default() -> Self {
        Self { events: 20_000, bytes: 16 * 1024 * 1024 }
    }
}

/// Events in memory.
#[derive(Debug)]
pub struct MemoryLog {
    events: VecDeque<Held>,
    next: Seq,
    snapshot: Option<Snapshot>,
    retention: Retention,
    limits: MemoryLimits,
    bytes: u64,
    snapshot_bytes: u64,
    statistics: LogStatistics,
    /// The first position that everything from it on is there.
    whole_from: Seq,
}

#[derive(Debug)]
struct Held {
    envelope: Envelope,
    bytes: u64,
}

impl MemoryLog {
    /// An empty log whose first event is `next`.
    pub fn new(next: Seq, retention: Retention, limits: MemoryLimits) -> Self {
        Self {
            events: VecDeque::new(),
            next,
            snapshot: None,
            retention,
            limits,
            bytes: 0,
            snapshot_bytes: 0,
            statistics: LogStatistics::default(),
            whole_from: next,
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.bytes -= oldest.bytes;
            self.statistics.dropped_events += 1;
            self.whole_from = self.whole_from.max(oldest.envelope.seq.next());
        }
    }

    fn keep_limits(&mut self) {
        while self.events.len() > self.limits.events || self.bytes > self.limits.bytes {
            self.forget_oldest();
        }
    }

    /// Drops history that fails `keep`, and counts it.
    fn retain_history(&mut self, mut keep: impl FnMut(&Held) -> bool) {
        let first = self.first();
        let mut dropped_bytes = 0;
        let before = self.events.len();
        self.events.retain(|held| {
            let stays = held.envelope.seq >= first || keep(held);
            dropped_bytes += if stays { 0 } else { held.bytes };
            stays
        });
        self.bytes -= dropped_bytes;
        self.statistics.dropped_events += u64::try_from(before - self.events.len()).unwrap_or(u64::MAX);
    }

    fn history_bytes(&self) -> u64 {
        let first = self.first();
        self.events.iter().take_while(|held| held.envelope.seq < first).map(|held| held.bytes).sum()
    }
}

impl Default for MemoryLog {
    /// An empty log with the bounds of a controller manager.
    fn default() -> Self {
        Self::new(Seq::FIRST, Retention::default(), MemoryLimits::default())
    }
}

impl EventLog for MemoryLog {
    fn append(&mut self, batch: &[Envelope]) -> Result<(), LogError> {
        check_batch(self.next, batch)?;
        for envelope in batch {
            let bytes = u64::try_from(envelope.bytes()).unwrap_or(u64::MAX);
            self.events.push_back(Held { envelope: envelope.clone(), bytes });
            self.bytes += bytes;
            self.statistics.appended_events += 1;
            self.statistics.appended_bytes += bytes;
            self.next = envelope.seq.next();
        }
        self.keep_limits();
        Ok(())
    }

    fn read(&self, from: Seq, limit: usize) -> Result<Vec<Envelope>, LogError> {
        let start = self.events.partition_point(|held| held.envelope.seq < from);
        Ok(self.events.iter().skip(start).take(limit).map(|held| held.envelope.clone()).collect())
    }

    fn first(&self) -> Seq {
        let after_snapshot = self.snapshot.as_ref().map_or(Seq::default(), |snapshot| snapshot.at.next());
        self.whole_from.max(after_snapshot)
    }

    fn last(&self) -> Option<Seq> {
        self.events.back().map(|held| held.envelope.seq)
    }

    fn next(&self) -> Seq {
        self.next
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, LogError> {
        Ok(self.snapshot.clone())
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), LogError> {
        check_snapshot(self.first(), self.next, snapshot)?;
        self.snapshot_bytes = u64::try_from(snapshot.to_bytes().len()).unwrap_or(u64::MAX);
        self.snapshot = Some(snapshot.clone());
        self.statistics.snapshots += 1;
        Ok(())
    }

    fn collect(&mut self, now: UnixMillis) -> Result<(), LogError> {
        let retention = self.retention;
        self.retain_history(|held| {
            !retention.short_expired(held.envelope.recorded_at, now)
                || retention.survives(&held.envelope, now)
        });
        let mut excess = self.history_bytes().saturating_sub(retention.recent_bytes());
        self.retain_history(|held| {
            let goes = excess > 0 && !retention.survives(&held.envelope, now);
            excess = if goes { excess.saturating_sub(held.bytes) } else { excess };
            !goes
        });
        let mut excess = self.history_bytes().saturating_sub(retention.window_bytes);
        self.retain_history(|held| {
            let goes = excess > 0;
            excess = excess.saturating_sub(held.bytes);
            !goes
        });
        Ok(())
    }

    fn statistics(&self) -> LogStatistics {
        LogStatistics {
            disk_bytes: self.bytes + self.snapshot_bytes,
            retained_bytes: self.bytes + self.snapshot_bytes,
            oldest: self.events.front().map(|held| held.envelope.seq),
            first: self.first(),
            last: self.last(),
            ..self.statistics
        }
    }
}
