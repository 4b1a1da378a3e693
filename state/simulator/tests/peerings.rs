//! Peerings that are lived through while processes die at every moment, and while everything else goes wrong. Whatever
//! happens, they are established, and leave nothing. `LIQO_SOAK=1` tries every pair of moment and death.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use liqo_simulator::{Crash, Fault, Life, Lost, Peering, Settings, Whose, keep, live};

const DEATHS: [(Whose, Lost); 9] = [
    (Whose::Own, Lost::Nothing),
    (Whose::Own, Lost::Lease),
    (Whose::Own, Lost::Volume),
    (Whose::Others, Lost::Nothing),
    (Whose::Others, Lost::Lease),
    (Whose::Others, Lost::Volume),
    (Whose::All, Lost::Nothing),
    (Whose::All, Lost::Lease),
    (Whose::All, Lost::Volume),
];

fn settings(clusters: usize, peering: Peering) -> Settings {
    Settings { clusters, faults: BTreeSet::new(), peering: Some(peering), ..Settings::default() }
}

fn soaks() -> bool {
    std::env::var_os("LIQO_SOAK").is_some_and(|value| value == "1")
}

/// A life that keeps every promise; one that does not is kept, with the way to see it again.
fn lives(seed: u64, settings: &Settings, expected: Option<&[Vec<String>]>) -> Life {
    let life = live(seed, settings, expected);
    if let Some(violation) = &life.report.violation {
        let traced = live(seed, &Settings { trace: true, ..settings.clone() }, expected);
        let options = format!(" --clusters {}{}", settings.clusters, settings.peering.unwrap().options());
        let evidence = keep(&traced.report, Path::new(env!("CARGO_TARGET_TMPDIR")), &options).unwrap();
        panic!(
            "seed {seed} broke {}: {}\nkept in {}; run again with\n  {}",
            violation.invariant,
            violation.message,
            evidence.directory.display(),
            evidence.again
        );
    }
    life
}

/// A process dies at moments of a life, in one of nine ways at each, or in all of them.
fn deaths(seed: u64, clusters: usize, peering: Peering, ways: impl Fn(usize) -> Vec<(Whose, Lost)>) -> usize {
    let calm = lives(seed, &settings(clusters, peering), None);
    let mut count = 0;
    for at in 0..calm.moments.len() {
        for (whose, lost) in ways(at) {
            let crash = Some(Crash { at, whose, lost });
            lives(seed, &settings(clusters, Peering { crash, ..peering }), Some(&calm.rests));
            count += 1;
        }
    }
    count
}

/// One of so many moments, unless there is time for all of them. Moments of a command follow each other, and this has no
/// factor in common with their number, so that all of their kinds are met.
fn some(at: usize, one_of: usize, deaths: &[(Whose, Lost)]) -> Vec<(Whose, Lost)> {
    if soaks() || at.is_multiple_of(one_of) { deaths.to_vec() } else { Vec::new() }
}

/// A peering in one direction: the process whose moment it is dies.
#[test]
fn a_process_may_die_at_every_moment_of_a_peering() {
    let peering = Peering { network: true, ..Peering::default() };
    let count = deaths(1, 2, peering, |at| some(at, 11, &DEATHS[..1]));
    assert!(count > 40, "{count} moments");
}

/// The other ways to die, and both directions.
#[test]
fn anybody_may_die_in_any_way_at_every_moment_of_a_peering() {
    if soaks() {
        for seed in 2..=6 {
            for network in [false, true] {
                deaths(seed, 2, Peering { both: true, network, crash: None }, |_| DEATHS.to_vec());
            }
        }
        deaths(7, 3, Peering { both: true, network: true, crash: None }, |_| DEATHS.to_vec());
        return;
    }
    let peering = Peering { both: true, network: true, crash: None };
    let count = deaths(2, 2, peering, |at| some(at, 37, &DEATHS[1 + (at / 37) % 8..][..1]));
    assert!(count > 20, "{count} moments");
}

/// What goes wrong in a peering: stores that are taken back are another matter, since what a cluster forgot stays in its
/// peers until somebody lets go of it.
fn troubled(seed: u64, clusters: usize) -> Settings {
    let faults = Fault::ALL.into_iter().map(|(_, fault)| fault);
    let faults = faults.filter(|fault| !matches!(fault, Fault::Restore | Fault::Rebuild)).collect();
    let peering = Peering { both: seed.is_multiple_of(2), network: !seed.is_multiple_of(3), crash: None };
    Settings { steps: 1_000, faults, ..settings(clusters, peering) }
}

#[test]
fn peerings_are_made_and_ended_whatever_goes_wrong() {
    let (first, seeds) = if soaks() { (1_000_000, 5_000) } else { (1, 20) };
    for seed in first..first + seeds {
        lives(seed, &troubled(seed, 2), None);
    }
    for seed in first..first + seeds / 20 {
        lives(seed, &troubled(seed, 3), None);
    }
}

/// A life is the same whenever it is lived.
#[test]
fn a_seed_gives_the_same_life_again() {
    let settings = Settings { trace: true, ..troubled(4, 2) };
    let (one, other) = (live(4, &settings, None), live(4, &settings, None));
    assert!(one.moments.len() > 100, "{} moments", one.moments.len());
    assert_eq!((one.moments, one.report.trace), (other.moments, other.report.trace));
}
