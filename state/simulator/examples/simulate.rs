//! Runs the history of one seed, or searches many, and prints what happened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "an example may end loudly")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use liqo_simulator::{Crash, Fault, Lost, Peering, Planted, Report, Settings, Whose, keep, live, run};

/// Runs histories of simulated clusters.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds are run; the trace of the first one that breaks a promise is printed.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many clusters there are.
    #[arg(long, default_value_t = 2)]
    clusters: usize,
    /// Steps before faults and users stop.
    #[arg(long, default_value_t = Settings::default().steps)]
    steps: u64,
    /// Every seed picks the number of clusters, the steps and the faults itself.
    #[arg(long)]
    varied: bool,
    /// Faults that do not happen, by name, separated by commas; `all` for none at all.
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// A fault that is built into the model of the process, by name.
    #[arg(long)]
    planted: Option<String>,
    /// Lives through a peering, instead of what users make up.
    #[arg(long)]
    peering: bool,
    /// In both directions.
    #[arg(long, requires = "peering")]
    both: bool,
    /// With a network of Liqo's.
    #[arg(long, requires = "peering")]
    network: bool,
    /// At this moment of its life somebody dies.
    #[arg(long, requires = "peering")]
    dies_at: Option<usize>,
    /// Who dies: own, others, all.
    #[arg(long, default_value = "own")]
    dies: String,
    /// What is lost by it: nothing, lease, volume.
    #[arg(long, default_value = "nothing")]
    loses: String,
    /// Does not print the trace.
    #[arg(long)]
    quiet: bool,
    /// Goes on after a broken promise and counts.
    #[arg(long)]
    count: bool,
    /// Where trace and logs of a run that broke a promise are kept.
    #[arg(long, default_value = "target/simulator")]
    directory: PathBuf,
}

fn settings(arguments: &Arguments, seed: u64) -> Settings {
    let without = |name: &str| arguments.without.iter().any(|other| other == name || other == "all");
    let faults: BTreeSet<Fault> =
        Fault::ALL.iter().filter(|(name, _)| !without(name)).map(|(_, fault)| *fault).collect();
    let planted = arguments
        .planted
        .as_deref()
        .map(|name| Planted::from_name(name).expect("a planted fault of that name"));
    if arguments.varied {
        let varied = Settings::varied(seed);
        let faults = varied.faults.intersection(&faults).copied().collect();
        return Settings { faults, planted, ..varied };
    }
    let peering = arguments.peering.then(|| peering(arguments));
    Settings { clusters: arguments.clusters, steps: arguments.steps, faults, planted, peering, trace: false }
}

fn peering(arguments: &Arguments) -> Peering {
    let crash = arguments.dies_at.map(|at| Crash {
        at,
        whose: Whose::from_name(&arguments.dies).expect("own, others or all"),
        lost: Lost::from_name(&arguments.loses).expect("nothing, lease or volume"),
    });
    Peering { both: arguments.both, network: arguments.network, crash }
}

/// A history of users, or the life of a peering. With a death, it has to come to what it comes to without.
fn report(seed: u64, settings: &Settings) -> Report {
    let Some(peering) = settings.peering else { return run(seed, settings) };
    let calm =
        Settings { peering: Some(Peering { crash: None, ..peering }), trace: false, ..settings.clone() };
    let expected = peering.crash.map(|_| live(seed, &calm, None).rests);
    live(seed, settings, expected.as_deref()).report
}

fn show(report: &Report, arguments: &Arguments) {
    if !arguments.quiet {
        report.trace.iter().for_each(|line| println!("{line}"));
    }
    if let Some(violation) = &report.violation {
        println!(
            "seed {} broke {} after {} steps:\n{}",
            report.seed, violation.invariant, violation.step, violation.message
        );
        let evidence =
            keep(report, &arguments.directory, &options(arguments)).expect("a directory to write to");
        println!("kept in {}; run again with\n  {}", evidence.directory.display(), evidence.again);
    }
}

/// What makes another run of this program equal to this one.
fn options(arguments: &Arguments) -> String {
    let mut options = if arguments.varied {
        " --varied".to_owned()
    } else {
        format!(" --clusters {} --steps {}", arguments.clusters, arguments.steps)
    };
    if arguments.peering {
        options.push_str(&peering(arguments).options());
    }
    if !arguments.without.is_empty() {
        options.push_str(&format!(" --without {}", arguments.without.join(",")));
    }
    if let Some(planted) = &arguments.planted {
        options.push_str(&format!(" --planted {planted}"));
    }
    options
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let (mut steps, mut broken) = (0, Vec::new());
    for seed in arguments.seed..arguments.seed + arguments.seeds {
        let report = report(seed, &settings(&arguments, seed));
        steps += report.steps;
        if let Some(violation) = &report.violation {
            println!("seed {seed}: {}", violation.invariant);
            broken.push(seed);
            if !arguments.count {
                break;
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    if let Some(seed) = broken.first().copied().or((arguments.seeds == 1).then_some(arguments.seed)) {
        show(&report(seed, &Settings { trace: true, ..settings(&arguments, seed) }), &arguments);
    }
    println!("{steps} steps in {seconds:.1} s; {} broken", broken.len());
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
