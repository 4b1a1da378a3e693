//! How much of this cluster consumers are offered: the rules for the machine, the external resource monitor that may take
//! their place, and the figures.

use liqo_domain::LiqoMachine;
use liqo_engine::Handle;
use liqo_events::{Event, SharingConfigured};
use liqo_resource_monitor::{ExternalMonitor, Metrics, show_promises};

use crate::services::{Failure, Services};

/// How much of this cluster consumers are offered.
#[derive(Clone, Debug, Default)]
pub struct ResourceSharing {
    /// How offers are made. Whether a monitor says it follows from the address.
    pub rules: SharingConfigured,
    /// Where the external resource monitor is, `HOST:PORT`; empty when there is none.
    pub monitor: String,
}

impl ResourceSharing {
    /// What the machine is told.
    pub(crate) fn configured(&self) -> Event {
        let monitored = !self.monitor.is_empty();
        Event::SharingConfigured(SharingConfigured { monitored, ..self.rules.clone() })
    }

    /// Asks the monitor, if there is one, and shows the figures.
    ///
    /// # Errors
    ///
    /// When the monitor's address is none.
    pub(crate) fn serve(
        &self,
        services: &mut Services,
        handle: &Handle<LiqoMachine>,
        metrics: Metrics,
    ) -> Result<(), Failure> {
        if !self.monitor.is_empty() {
            let monitor = ExternalMonitor::new(&self.monitor, handle.clone(), metrics.clone())?;
            let stopping = services.stopping();
            services.spawn(monitor.run(stopping));
        }
        let stopping = services.stopping();
        services.spawn(show_promises(handle.clone(), metrics, stopping));
        Ok(())
    }
}
