//! The agent of a node.

use liqo_projections::fabric::NodeView;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::desired::{Desired, StateFile};
use crate::error::DatapathError;
use crate::kernel::Kernel;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::netlink::Scope;
use crate::network::of_node;
use crate::report::Report;
use crate::rhythm::{Rhythm, SETTLE};

/// What the agent of a node is given.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Where the last view is remembered; without it a start waits for the control plane.
    pub state: Option<StateFile>,
    /// Where it counts.
    pub metrics: Metrics,
}

/// Keeps the node as it is wanted, in the network namespace of this process, until nobody wants anything any more: then
/// everything stays as it is, and packets go on.
///
/// # Errors
///
/// When the kernel does not talk to us. What comes and goes later is in the reports.
pub async fn run(
    mut desired: watch::Receiver<Desired>,
    reports: watch::Sender<Report>,
    options: NodeOptions,
) -> Result<(), DatapathError> {
    let mut kernel = Kernel::open(Scope::Node, options.metrics.clone())?;
    let mut memory = Memory::new(options.state);
    let mut rhythm = Rhythm::default();
    let mut is_clean = false;
    loop {
        let now = desired.borrow_and_update().clone();
        let is_repair = memory.remember(&now).await && is_clean;
        let problems = converge(&mut kernel, &now, is_repair).await;
        is_clean = problems.is_empty();
        let next = Instant::now() + rhythm.after(problems.len());
        let report = Report { applied: now.at, current: now.current, problems, ..Report::default() };
        options.metrics.reported(&report);
        memory.say(&report);
        reports.send_if_modified(|known| {
            let modified = *known != report;
            *known = report;
            modified
        });
        let notices = kernel.notices.clone();
        tokio::select! {
            changed = desired.changed() => if changed.is_err() { return Ok(()) },
            () = notices.word() => sleep(SETTLE).await,
            () = sleep_until(next) => {}
        }
    }
}

async fn converge(kernel: &mut Kernel, desired: &Desired, is_repair: bool) -> Vec<String> {
    let (view, malformed) = NodeView::read(&desired.view);
    let mut problems: Vec<String> = malformed
        .into_iter()
        .map(|entry| format!("entry {} makes no sense: {}", entry.key, entry.reason))
        .collect();
    // Before the first view there is nothing to take away either.
    if let Some(wanted) = of_node(&view) {
        problems.extend(kernel.converge(&wanted, is_repair).await);
    }
    problems
}
