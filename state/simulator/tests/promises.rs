//! Histories of many seeds, none of which breaks a promise. `LIQO_SOAK=1` runs new ones for an hour.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::time::{Duration, Instant};

use liqo_simulator::{Report, Settings, keep, run};

/// The first seed of a soak, beyond all that are run otherwise.
const SOAK_FROM: u64 = 1_000_000;
/// How long a soak takes.
const SOAK: Duration = Duration::from_secs(3600);

/// Runs a seed; when it breaks a promise, keeps the evidence and fails with the way to see it again.
fn keeps_every_promise(seed: u64, settings: &Settings, options: &str) -> Report {
    let report = run(seed, settings);
    if let Some(violation) = &report.violation {
        let traced = run(seed, &Settings { trace: true, ..settings.clone() });
        let evidence = keep(&traced, Path::new(env!("CARGO_TARGET_TMPDIR")), options).unwrap();
        panic!(
            "seed {seed} broke {}: {}\nkept in {}; run again with\n  {}",
            violation.invariant,
            violation.message,
            evidence.directory.display(),
            evidence.again
        );
    }
    report
}

fn soaks() -> bool {
    std::env::var_os("LIQO_SOAK").is_some_and(|value| value == "1")
}

/// Two clusters with everything that can go wrong. Unoptimised, a seed takes 25 ms, which is why it is not a thousand.
#[test]
fn three_hundred_seeds_keep_every_promise() {
    let settings = Settings::default();
    let writes: u64 = (1..=300).map(|seed| keeps_every_promise(seed, &settings, "").writes).sum();
    // Runs in which nothing happens keep every promise.
    assert!(writes > 300 * 20, "{writes} writes");
}

/// One to four clusters, with some of what can go wrong.
#[test]
fn a_hundred_seeds_that_pick_their_conditions_keep_every_promise() {
    for seed in 1..=100 {
        keeps_every_promise(seed, &Settings::varied(seed), " --varied");
    }
}

#[test]
fn three_clusters_keep_every_promise() {
    let settings = Settings { clusters: 3, steps: 1_500, ..Settings::default() };
    for seed in 1..=30 {
        keeps_every_promise(seed, &settings, " --clusters 3 --steps 1500");
    }
}

/// A run is the same whenever it is run: what is printed for a seed is what happened.
#[test]
fn a_seed_gives_the_same_history_again() {
    for seed in [3, 4] {
        let settings = Settings { trace: true, ..Settings::varied(seed) };
        let (one, other) = (run(seed, &settings), run(seed, &settings));
        assert!(one.trace.len() > 100, "{} lines", one.trace.len());
        assert_eq!((one.trace, one.logs, one.millis), (other.trace, other.logs, other.millis));
    }
}

/// Seeds beyond all others: a few, and with `LIQO_SOAK=1` as many as an hour has room for.
#[test]
fn seeds_that_nobody_has_run_before_keep_every_promise() {
    let (began, settings) = (Instant::now(), Settings::default());
    let mut seed = SOAK_FROM;
    while seed < SOAK_FROM + 20 || soaks() && began.elapsed() < SOAK {
        keeps_every_promise(seed, &settings, "");
        keeps_every_promise(seed, &Settings::varied(seed), " --varied");
        seed += 1;
    }
}
