//! Runs: one seed, or many until one breaks a promise.

use liqo_events::Envelope;

use crate::invariants::{Broken, Checked};
use crate::queue::Step;
use crate::settings::Settings;
use crate::world::World;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The promise, as the name of its check.
    pub invariant: &'static str,
    /// What was seen instead.
    pub message: String,
    /// After so many steps.
    pub step: u64,
    /// Milliseconds of virtual time since the beginning.
    pub at_millis: u64,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Steps of the run and of its end.
    pub steps: u64,
    /// Virtual milliseconds.
    pub millis: u64,
    /// Writes to API servers.
    pub writes: u64,
    /// Events that are durable, of each process, by its name. Only of runs that were traced.
    pub logs: Vec<(String, Vec<Envelope>)>,
    /// What happened, a line a step. Only of runs that were traced.
    pub trace: Vec<String>,
    /// The promise that was broken, if one was.
    pub violation: Option<Violation>,
}

/// Runs the history of one seed to its end.
pub fn run(seed: u64, settings: &Settings) -> Report {
    let mut world = World::new(seed, settings);
    world.open_the_play();
    world.plan(1_000, 9_000, Step::User);
    world.plan(3_000, 15_000, Step::Fault);
    let outcome = whole(&mut world, seed);
    Report::of(world, seed, outcome)
}

impl Report {
    /// What there is to say of a world at its end.
    pub(crate) fn of(mut world: World, seed: u64, outcome: Checked) -> Self {
        let violation = outcome.err().map(|Broken { invariant, message }| Violation {
            invariant,
            message,
            step: world.steps,
            at_millis: world.now,
        });
        if let Some(violation) = &violation {
            world.note(|| format!("BROKEN {}: {}", violation.invariant, violation.message));
        }
        Self {
            seed,
            steps: world.steps,
            millis: world.now,
            writes: world.writes().iter().sum(),
            logs: if world.settings.trace { logs(&world) } else { Vec::new() },
            trace: world.trace.take(),
            violation,
        }
    }
}

fn whole(world: &mut World, seed: u64) -> Checked {
    while world.steps < world.settings.steps {
        world.advance()?;
    }
    world.settle()?;
    world.check_convergence(seed)?;
    world.check_deleting_the_volumes()
}

fn logs(world: &World) -> Vec<(String, Vec<Envelope>)> {
    let processes = world.clusters.iter().flat_map(|cluster| &cluster.processes);
    processes
        .map(|process| (process.id.to_string().replace('/', "-"), process.disk.written().to_vec()))
        .collect()
}

/// Runs seeds until one breaks a promise; gives that run once more with its trace.
pub fn search(seeds: impl IntoIterator<Item = u64>, settings: &Settings) -> Option<Report> {
    let broken = seeds.into_iter().find(|seed| run(*seed, settings).violation.is_some())?;
    Some(run(broken, &Settings { trace: true, ..settings.clone() }))
}
