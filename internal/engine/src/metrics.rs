//! Figures of the engine and its log. Labels are closed lists of this program, so the number of series is fixed.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use liqo_domain::Tally;
use liqo_log::LogStatistics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

/// What became of an observation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObservationLabels {
    result: &'static str,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    effect: &'static str,
    outcome: &'static str,
}

/// The metrics of one engine.
#[derive(Clone, Debug)]
pub struct Metrics {
    appended: Counter,
    append_seconds: Histogram,
    batch_events: Histogram,
    disk_bytes: Gauge,
    degraded: Gauge,
    quarantined: Counter,
    replayed: Counter,
    divergences: Counter,
    last_sequence: Gauge<u64, AtomicU64>,
    snapshots: Gauge<u64, AtomicU64>,
    dropped: Gauge<u64, AtomicU64>,
    generation: Gauge<u64, AtomicU64>,
    inbox_depth: Gauge,
    observations: Family<ObservationLabels, Counter>,
    in_flight: Gauge,
    commands: Family<CommandLabels, Counter>,
    leader: Gauge,
    live: Gauge,
    epoch: Gauge<u64, AtomicU64>,
    decision_seconds: Histogram,
    deadlines: Counter,
    oversized: Counter,
    refused: Counter,
    decisions_cut: Counter,
    outcomes_late: Counter,
    withheld: Counter,
}

impl Metrics {
    /// Makes the metrics and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::new();
        metrics.register_log(registry);
        metrics.register_engine(registry);
        metrics
    }

    fn new() -> Self {
        // From a tenth of a millisecond to 6.5 s: what memory, a disk and a bad disk take.
        let append_seconds = Histogram::new(exponential_buckets(0.0001, 2.0, 17));
        let batch_events = Histogram::new(exponential_buckets(1.0, 2.0, 12));
        // From 10 µs to 2.6 s.
        let decision_seconds = Histogram::new(exponential_buckets(0.000_01, 4.0, 10));
        Self {
            appended: Counter::default(),
            append_seconds,
            batch_events,
            disk_bytes: Gauge::default(),
            degraded: Gauge::default(),
            quarantined: Counter::default(),
            replayed: Counter::default(),
            divergences: Counter::default(),
            last_sequence: Gauge::default(),
            snapshots: Gauge::default(),
            dropped: Gauge::default(),
            generation: Gauge::default(),
            inbox_depth: Gauge::default(),
            observations: Family::default(),
            in_flight: Gauge::default(),
            commands: Family::default(),
            leader: Gauge::default(),
            live: Gauge::default(),
            epoch: Gauge::default(),
            decision_seconds,
            deadlines: Counter::default(),
            oversized: Counter::default(),
            refused: Counter::default(),
            decisions_cut: Counter::default(),
            outcomes_late: Counter::default(),
            withheld: Counter::default(),
        }
    }

    fn register_log(&self, registry: &mut Registry) {
        let mut add = Names(registry, "liqo_log_");
        add.metric(
            "appended_events",
            "Events made durable, or as durable as memory while degraded",
            &self.appended,
        );
        add.metric("append_seconds", "Time to make a batch durable", &self.append_seconds);
        add.metric("batch_events", "Events that were made durable together", &self.batch_events);
        add.metric("disk_bytes", "Bytes that the log takes on its volume", &self.disk_bytes);
        add.metric("degraded", "1 while the log is only in memory because its volume fails", &self.degraded);
        add.metric("quarantined", "Logs that could not be read and were put aside", &self.quarantined);
        add.metric(
            "replayed_events",
            "Events folded at the start, those of the snapshot not counted",
            &self.replayed,
        );
        add.metric(
            "replay_divergences",
            "Replays that gave another state than was recorded",
            &self.divergences,
        );
        add.metric("last_sequence", "Sequence number of the last durable event", &self.last_sequence);
        add.metric("snapshots", "Snapshots kept since the log was opened", &self.snapshots);
        add.metric("dropped_events", "Events that retention dropped since the log was opened", &self.dropped);
        add.metric(
            "generation",
            "Number of the log's generation, higher each time it was begun anew",
            &self.generation,
        );
    }

    fn register_engine(&self, registry: &mut Registry) {
        let mut add = Names(registry, "liqo_engine_");
        add.metric("inbox_depth", "Inputs that wait to be taken in", &self.inbox_depth);
        add.metric("observations", "Observations by what became of them", &self.observations);
        add.metric("in_flight_commands", "Commands that are being carried out", &self.in_flight);
        add.metric("commands", "Commands that ended, by effect and outcome", &self.commands);
        add.metric("leader", "1 while this process holds the lease", &self.leader);
        add.metric("live", "1 while this process decides and acts", &self.live);
        add.metric("epoch", "Epoch of the lease that this process holds, 0 without one", &self.epoch);
        add.metric("decision_seconds", "Time to fold an input and decide on it", &self.decision_seconds);
        add.metric("deadlines_fired", "Deadlines of the state that passed", &self.deadlines);
        add.metric("oversized_objects", "Objects that were too large for an event", &self.oversized);
        add.metric("refused_events", "Events that could not be recorded, a fault of Liqo", &self.refused);
        add.metric(
            "decisions_cut",
            "Plans that were cut short because they had too many outputs",
            &self.decisions_cut,
        );
        add.metric("late_outcomes", "Outcomes that came after the lease was lost", &self.outcomes_late);
        add.metric(
            "withheld_commands",
            "Commands held back because the lease may have ended",
            &self.withheld,
        );
    }

    pub(crate) fn appended(&self, events: usize, took: Duration) {
        self.appended.inc_by(count(events));
        self.append_seconds.observe(took.as_secs_f64());
        self.batch_events.observe(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
    }

    pub(crate) fn log(&self, statistics: &LogStatistics) {
        self.disk_bytes.set(i64::try_from(statistics.disk_bytes).unwrap_or(i64::MAX));
        self.snapshots.set(statistics.snapshots);
        self.dropped.set(statistics.dropped_events);
        self.generation.set(statistics.generation);
        if let Some(last) = statistics.last {
            self.last_sequence.set(last.0);
        }
    }

    pub(crate) fn degraded(&self, degraded: bool) {
        self.degraded.set(i64::from(degraded));
    }

    pub(crate) fn quarantined(&self) {
        self.quarantined.inc();
    }

    pub(crate) fn replayed(&self, events: u64, diverged: bool) {
        self.replayed.inc_by(events);
        self.divergences.inc_by(u64::from(diverged));
    }

    pub(crate) fn inbox(&self, depth: usize) {
        self.inbox_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    pub(crate) fn decided(&self, took: Duration) {
        self.decision_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn in_flight(&self, commands: usize) {
        self.in_flight.set(i64::try_from(commands).unwrap_or(i64::MAX));
    }

    pub(crate) fn ended(&self, effect: &'static str, outcome: &'static str) {
        self.commands.get_or_create(&CommandLabels { effect, outcome }).inc();
    }

    pub(crate) fn withheld(&self) {
        self.withheld.inc();
    }

    pub(crate) fn role(&self, epoch: Option<u64>, live: bool) {
        self.leader.set(i64::from(epoch.is_some()));
        self.live.set(i64::from(live));
        self.epoch.set(epoch.unwrap_or(0));
    }

    pub(crate) fn tally(&self, tally: &Tally) {
        for (result, times) in
            [("news", tally.news), ("unchanged", tally.unchanged), ("coalesced", tally.coalesced)]
        {
            self.observations.get_or_create(&ObservationLabels { result }).inc_by(times);
        }
        self.deadlines.inc_by(tally.deadlines_fired);
        self.oversized.inc_by(tally.oversized);
        self.refused.inc_by(tally.refused);
        self.decisions_cut.inc_by(tally.decisions_cut);
        self.outcomes_late.inc_by(tally.outcomes_late);
    }
}

/// Registers under a prefix.
struct Names<'a>(&'a mut Registry, &'static str);

impl Names<'_> {
    fn metric(&mut self, name: &str, help: &str, metric: &(impl Metric + Clone)) {
        self.0.register(format!("{}{name}", self.1), help, metric.clone());
    }
}

fn count(events: usize) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}
