//! Brings the kernel's network configuration to what is wanted, again and again.

use std::sync::Arc;

use crate::error::chain;
use crate::metrics::Metrics;
use crate::netlink::{Netlink, NetlinkError, Notices, Scope};
use crate::network::{Wanted, plan};

/// The kernel, as one agent sees it.
pub(crate) struct Kernel {
    netlink: Netlink,
    pub(crate) notices: Arc<Notices>,
    metrics: Metrics,
    /// Steps that were carried out in all; for tests and logs.
    pub(crate) steps: u64,
}

impl Kernel {
    pub(crate) fn open(scope: Scope, metrics: Metrics) -> Result<Self, NetlinkError> {
        let notices = Arc::new(Notices::listen(scope)?);
        Ok(Self { netlink: Netlink::open(scope)?, notices, metrics, steps: 0 })
    }

    /// Name of the interface of the gateway's pod.
    pub(crate) async fn uplink(&self) -> Result<Option<String>, NetlinkError> {
        self.netlink.uplink().await
    }

    /// Reads, plans, and does what is planned. Says what could not be done. `is_repair` when nothing else was wanted since
    /// the last time, so that any difference is somebody else's doing.
    pub(crate) async fn converge(&mut self, wanted: &Wanted, is_repair: bool) -> Vec<String> {
        let mut problems = wanted.problems.clone();
        let mut seen = match self.netlink.read().await {
            Ok(seen) => seen,
            Err(error) => {
                problems.push(chain(&error));
                return problems;
            }
        };
        let ops = plan(&wanted.network, &seen.network);
        if is_repair && let Some(first) = ops.first() {
            tracing::warn!(steps = ops.len(), %first, "somebody changed the network configuration; it is put right");
        }
        for op in &ops {
            match self.netlink.apply(op, &mut seen).await {
                Ok(()) => {
                    self.steps += 1;
                    self.metrics.changed(op.object(), is_repair);
                    tracing::debug!(step = %op, "done");
                }
                Err(error) => problems.push(chain(&error)),
            }
        }
        self.notices.know(&seen);
        problems
    }
}
