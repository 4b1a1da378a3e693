//! One run of the runner, from its arguments to its verdict.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::budget::Budgets;
use crate::error::RunnerError;
use crate::process::{self, Ended, Interrupts};
use crate::tally::Tally;
use crate::targets::Workspace;
use crate::tier::Tier;
use crate::verdict::Outcome;
use crate::{invocation, report};

/// Cases of each property in a soak; otherwise there are 256.
const SOAK_CASES: &str = "4096";

/// Runs what the arguments choose; true when nothing failed. The report is shown whatever happens to the tests.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, RunnerError> {
    let mut session = Session::prepare(arguments)?;
    session.compile()?;
    let mut outcomes = Vec::new();
    for tier in arguments.command.tiers() {
        outcomes.extend(session.run_tier(tier)?);
        if session.interrupts.came() {
            break;
        }
    }
    let tolerance = (!session.soak).then_some(session.budgets.tolerance);
    let faults: Vec<_> = outcomes.iter().flat_map(|outcome| outcome.faults(tolerance)).collect();
    print!("{}", report::render(&outcomes, &faults));
    if session.interrupts.came() { Err(RunnerError::Interrupted) } else { Ok(faults.is_empty()) }
}

/// What all tiers share.
struct Session {
    workspace: Workspace,
    budgets: Budgets,
    soak: bool,
    interrupts: Interrupts,
}

impl Session {
    /// Reads what is needed, and refuses early what would fail only after minutes.
    fn prepare(arguments: &Arguments) -> Result<Self, RunnerError> {
        let workspace = Workspace::read()?;
        let budgets = Budgets::read(&workspace.root.join("integration/budget.toml"))?;
        for tier in arguments.command.tiers() {
            let starts_clusters = tier.needs_testbed() && workspace.targets.of_tier(tier).next().is_some();
            if starts_clusters && !workspace.testbed.exists() {
                return Err(RunnerError::TestbedMissing { tier, path: workspace.testbed });
            }
        }
        let interrupts = Interrupts::listen().map_err(RunnerError::Signals)?;
        Ok(Self { workspace, budgets, soak: arguments.command.is_soak(), interrupts })
    }

    fn compile(&mut self) -> Result<(), RunnerError> {
        println!("== compiling every test");
        let line = invocation::compile();
        let ended = self.cargo(&line)?;
        if self.interrupts.came() {
            return Err(RunnerError::Interrupted);
        }
        match ended.status.success() {
            true => Ok(()),
            false => Err(RunnerError::Compile { command: shown(&line), status: ended.status.to_string() }),
        }
    }

    /// Runs one tier; nothing is returned only for a tier without a budget, which reading the budgets rules out.
    fn run_tier(&mut self, tier: Tier) -> Result<Option<Outcome>, RunnerError> {
        let Some(budget) = self.budgets.of(tier) else { return Ok(None) };
        println!("\n== tier {tier}, budget {} s", budget.seconds);
        let mut outcome =
            Outcome { tier, tally: Tally::default(), elapsed: Duration::ZERO, budget, broken: None };
        let began = Instant::now();
        for line in invocation::of_tier(tier, &self.workspace.targets, budget) {
            let ended = self.cargo(&line)?;
            outcome.tally += Tally::of(ended.lines.iter().map(String::as_str));
            if !ended.status.success() {
                outcome.broken.get_or_insert(ended.status.to_string());
            }
            if self.interrupts.came() {
                break;
            }
        }
        outcome.elapsed = began.elapsed();
        Ok(Some(outcome))
    }

    fn cargo(&mut self, line: &[String]) -> Result<Ended, RunnerError> {
        println!("{}", shown(line));
        let mut command = cargo(line, &self.workspace.root, &self.workspace.testbed);
        if self.soak {
            command.env("LIQO_SOAK", "1").env("PROPTEST_CASES", SOAK_CASES);
        }
        process::follow(&mut command, &mut self.interrupts)
            .map_err(|source| RunnerError::Run { command: shown(line), source })
    }
}

fn cargo(line: &[String], root: &Path, testbed: &Path) -> Command {
    // Cargo tells its children where it is, so that the same one is used again.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(line).current_dir(root).env("LIQO_TESTBED", testbed);
    command
}

fn shown(line: &[String]) -> String {
    format!("cargo {}", line.join(" "))
}
