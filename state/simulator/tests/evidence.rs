//! A run that broke a promise leaves files behind that others can work with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use liqo_domain::{LiqoMachine, Machine, State};
use liqo_events::{Envelope, ExportReader, Seq};
use liqo_simulator::{Evidence, Planted, Report, Settings, keep, search};

fn broken() -> Report {
    let planted = Some(Planted::DispatchBeforeCommit);
    search(1..=5, &Settings { steps: 400, planted, ..Settings::default() }).unwrap()
}

fn kept(report: &Report, within: &Path) -> Evidence {
    keep(report, within, " --planted dispatch-before-commit --steps 400").unwrap()
}

fn read(path: &Path) -> Vec<Envelope> {
    let reader = ExportReader::new(BufReader::new(File::open(path).unwrap())).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_trace_ends_with_the_promise_and_says_how_to_run_it_again() {
    let (report, directory) = (broken(), tempfile::tempdir().unwrap());
    let evidence = kept(&report, directory.path());
    assert_eq!(evidence.directory, directory.path().join(format!("seed-{}", report.seed)));
    let again = "cargo run -p liqo-simulator --example simulate -- --seed";
    let options = "--planted dispatch-before-commit --steps 400";
    assert_eq!(evidence.again, format!("{again} {} {options}", report.seed));
    let trace = fs::read_to_string(evidence.directory.join("trace.txt")).unwrap();
    let violation = report.violation.unwrap();
    assert!(trace.contains(&evidence.again), "{trace}");
    assert!(trace.contains(&format!("BROKEN {}: {}", violation.invariant, violation.message)), "{trace}");
}

#[test]
fn the_logs_are_exports_that_replay_to_the_recorded_states() {
    let (report, directory) = (broken(), tempfile::tempdir().unwrap());
    let evidence = kept(&report, directory.path());
    let mut replayed = 0;
    for (name, written) in &report.logs {
        let envelopes = read(&evidence.directory.join(format!("{name}.events")));
        assert_eq!(&envelopes, written, "{name}");
        // One that begins later is of a log that was begun anew, after the snapshot of another one.
        if envelopes.first().is_none_or(|first| first.seq != Seq(1)) {
            continue;
        }
        let mut state = State::default();
        for envelope in &envelopes {
            LiqoMachine::evolve(&mut state, &envelope.open().unwrap());
            assert_eq!(LiqoMachine::digest(&state), envelope.state, "{name} after {}", envelope.seq);
        }
        replayed += envelopes.len();
    }
    assert!(replayed > 10, "{replayed} events were replayed");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(keep(&broken(), &file, "").is_err());
}
