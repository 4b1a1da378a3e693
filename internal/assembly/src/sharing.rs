//! How much of this cluster consumers are offered: the rules for the machine, the external resource monitor that may take
//! their place, and the figures.

use std::collections::BTreeMap;
use std::str::FromStr;

use liqo_domain::LiqoMachine;
use liqo_engine::Handle;
use liqo_events::{Event, SharingConfigured};
use liqo_model::ClusterId;
use liqo_model::crd::Quantity;
use liqo_resource_monitor::{ExternalMonitor, Metrics, show_promises};

use crate::services::{Failure, Services};

/// Stands for each consumer that has no limit of its own.
const EVERYBODY: &str = "*";
/// Billionths of a unit in a thousandth.
const MILLI: i128 = 1_000_000;

/// The most that a consumer is offered of a resource, `CLUSTER-ID/RESOURCE=QUANTITY`. An empty text, as an empty environment
/// variable gives, limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferLimit(Option<(ClusterId, String, u64)>);

impl FromStr for OfferLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let wrong = || format!("{text:?} is not CLUSTER-ID/RESOURCE=QUANTITY, such as */cpu=4");
        let (consumer, limit) = text.split_once('/').ok_or_else(wrong)?;
        let (resource, quantity) = limit.split_once('=').ok_or_else(wrong)?;
        let amount = Quantity::from(quantity).billionths().filter(|amount| *amount >= 0);
        let amount = amount.and_then(|amount| u64::try_from(amount / MILLI).ok()).ok_or_else(wrong)?;
        if consumer.is_empty() || resource.is_empty() {
            return Err(wrong());
        }
        let consumer = if consumer == EVERYBODY { ClusterId::default() } else { ClusterId::new(consumer) };
        Ok(Self(Some((consumer, resource.to_owned(), amount))))
    }
}

/// How much of this cluster consumers are offered.
#[derive(Clone, Debug, Default)]
pub struct ResourceSharing {
    rules: SharingConfigured,
    monitor: String,
}

impl ResourceSharing {
    /// Changes up to so many percent are not told; `monitor` is the `HOST:PORT` of an external resource monitor, or empty.
    pub fn new(threshold_percent: u8, limits: Vec<OfferLimit>, monitor: String) -> Self {
        let mut by_consumer: BTreeMap<ClusterId, BTreeMap<String, u64>> = BTreeMap::new();
        for (consumer, resource, amount) in limits.into_iter().filter_map(|limit| limit.0) {
            by_consumer.entry(consumer).or_default().insert(resource, amount);
        }
        let monitored = !monitor.is_empty();
        Self { rules: SharingConfigured { threshold_percent, monitored, limits: by_consumer }, monitor }
    }

    /// What the machine is told.
    pub(crate) fn configured(&self) -> Event {
        Event::SharingConfigured(self.rules.clone())
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
        if self.rules.monitored {
            let monitor = ExternalMonitor::new(&self.monitor, handle.clone(), metrics.clone())?;
            let stopping = services.stopping();
            services.spawn(monitor.run(stopping));
        }
        let stopping = services.stopping();
        services.spawn(show_promises(handle.clone(), metrics, stopping));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(of: &[&str]) -> Result<Vec<OfferLimit>, String> {
        of.iter().map(|text| text.parse()).collect()
    }

    #[test]
    fn limits_are_by_consumer_and_resource() {
        let given = limits(&["*/cpu=4", "a1/nvidia.com/gpu=2", "a1/memory=1Ki", ""]).unwrap();
        let Event::SharingConfigured(rules) = ResourceSharing::new(5, given, String::new()).configured()
        else {
            panic!("another event")
        };
        let amounts = |of: &[(&str, u64)]| -> BTreeMap<String, u64> {
            of.iter().map(|(resource, amount)| ((*resource).to_owned(), *amount)).collect()
        };
        let expected: [(ClusterId, _); 2] = [
            ("".into(), amounts(&[("cpu", 4_000)])),
            ("a1".into(), amounts(&[("memory", 1_024_000), ("nvidia.com/gpu", 2_000)])),
        ];
        assert_eq!(
            rules,
            SharingConfigured { threshold_percent: 5, monitored: false, limits: expected.into() }
        );
        let monitored = ResourceSharing::new(0, Vec::new(), "monitor:6000".to_owned());
        assert!(monitored.rules.monitored);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for wrong in ["cpu=4", "a1/cpu", "a1/cpu=many", "a1/cpu=-1", "/cpu=1", "a1/=1"] {
            let refused = limits(&[wrong]).unwrap_err();
            assert!(refused.contains("CLUSTER-ID/RESOURCE=QUANTITY"), "{wrong}: {refused}");
        }
    }
}
