//! The gateway: the end of all tunnels of a cluster.
//!
//! A round brings everything to what is wanted, in an order in which no packet is let through untranslated: first the
//! nftables table, then interfaces and routes, then the peers of WireGuard, then the connection checks.

mod endpoints;
mod rounds;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prometheus_client::registry::Registry;
use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::desired::{Desired, StateFile};
use crate::error::DatapathError;
use crate::kernel::Kernel;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::netlink::Scope;
use crate::report::Report;
use crate::rhythm::{Rhythm, SETTLE};
use crate::wireguard::Drops;
use rounds::Rounds;

/// Between reports of figures; changes of a status are reported at once.
const FIGURES: Duration = Duration::from_secs(2);

/// What a gateway is given.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Address of the pod.
    pub address: Ipv4Addr,
    /// Folder with the private key, as the Secret is mounted.
    pub keys: PathBuf,
    /// Where the last view is remembered; without it a start waits for the control plane.
    pub state: Option<StateFile>,
    /// Chance, of which the indexes of sessions are made. They need not be secret, only different from life to life.
    pub seed: u64,
    /// Where it counts.
    pub metrics: Metrics,
    /// Packets that the tunnel drops.
    pub figures: Figures,
}

/// Figures of the tunnel that are read when somebody asks.
#[derive(Clone, Debug, Default)]
pub struct Figures(Arc<Drops>);

impl Figures {
    /// Registers the metrics of peers and of the tunnel; `reports` is what the gateway reports to.
    pub fn register(registry: &mut Registry, reports: watch::Receiver<Report>) -> Self {
        let figures = Self::default();
        Metrics::show_gateway(registry, reports, figures.0.clone());
        figures
    }
}

/// Keeps the gateway as it is wanted, in the network namespace of this process, until nobody wants anything any more.
///
/// # Errors
///
/// When the kernel does not talk to us. What comes and goes later is in the reports.
pub async fn run(
    mut desired: watch::Receiver<Desired>,
    reports: watch::Sender<Report>,
    options: GatewayOptions,
) -> Result<(), DatapathError> {
    let kernel = Kernel::open(Scope::Gateway(options.address), options.metrics.clone())?;
    let mut memory = Memory::new(options.state.clone());
    let mut rhythm = Rhythm::default();
    let mut chance = ChaCha8Rng::seed_from_u64(options.seed);
    let mut rounds = Rounds::new(kernel, &options);
    let mut figures = interval(FIGURES);
    figures.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = desired.borrow_and_update().clone();
        let is_same = memory.remember(&now).await;
        rounds.converge(&now, is_same, || chance.next_u32()).await;
        let next = Instant::now() + rhythm.after(rounds.problems());
        // Until something may have changed: only figures and the health of peers do.
        loop {
            let (notices, mut ended, mut health) = rounds.signals();
            let report = rounds.report(&now, SystemTime::now());
            options.metrics.reported(&report);
            memory.say(&report);
            reports.send_if_modified(|known| {
                let modified = *known != report;
                *known = report;
                modified
            });
            tokio::select! {
                changed = desired.changed() => if changed.is_err() { return Ok(()) } else { break },
                () = notices.word() => {
                    sleep(SETTLE).await;
                    break;
                }
                _ = ended.wait_for(|ended| *ended) => break,
                () = sleep_until(next) => break,
                _ = health.changed() => {}
                _ = figures.tick() => {}
            }
        }
    }
}
