//! Flags about what consumers are offered.

use std::collections::BTreeMap;

use clap::{Args, value_parser};
use liqo_assembly::ResourceSharing;
use liqo_events::SharingConfigured;
use liqo_model::ClusterId;
use liqo_model::crd::Quantity;

/// Stands for each consumer that has no limit of its own.
const EVERYBODY: &str = "*";
/// Billionths of a unit in a thousandth.
const MILLI: i128 = 1_000_000;

/// What consumers are offered, beside the share of what is free.
#[derive(Clone, Debug, Args)]
pub(crate) struct SharingFlags {
    /// Change in percent up to which an offer stays as it is; 0 tells every change.
    #[arg(long, env = "LIQO_OFFER_UPDATE_THRESHOLD_PERCENTAGE", default_value_t = 0, value_parser = value_parser!(u8).range(0..=100))]
    offer_update_threshold_percentage: u8,
    /// HOST:PORT of an external resource monitor, which then says how much each consumer may have, whatever is free.
    #[arg(long, env = "LIQO_RESOURCE_PLUGIN_ADDRESS", default_value = "")]
    resource_plugin_address: String,
    /// The most that a consumer is offered of a resource, CLUSTER-ID/RESOURCE=QUANTITY; `*` in place of the ID is for each
    /// consumer without a limit of its own.
    #[arg(long, env = "LIQO_OFFER_LIMITS", value_delimiter = ',', value_parser = limit)]
    offer_limits: Vec<Limit>,
}

/// A limit; nothing for an empty text, which is what an empty environment variable gives.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit(Option<(ClusterId, String, u64)>);

fn limit(text: &str) -> Result<Limit, String> {
    if text.is_empty() {
        return Ok(Limit(None));
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
    Ok(Limit(Some((consumer, resource.to_owned(), amount))))
}

impl SharingFlags {
    /// What the process is to do.
    pub(crate) fn sharing(self) -> ResourceSharing {
        let mut limits: BTreeMap<ClusterId, BTreeMap<String, u64>> = BTreeMap::new();
        for (consumer, resource, amount) in self.offer_limits.into_iter().filter_map(|limit| limit.0) {
            limits.entry(consumer).or_default().insert(resource, amount);
        }
        let threshold_percent = self.offer_update_threshold_percentage;
        let rules = SharingConfigured { threshold_percent, limits, ..SharingConfigured::default() };
        ResourceSharing { rules, monitor: self.resource_plugin_address }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Process {
        #[command(flatten)]
        sharing: SharingFlags,
    }

    fn parsed(flags: &[&str]) -> Result<ResourceSharing, clap::Error> {
        let process = Process::try_parse_from(std::iter::once("process").chain(flags.iter().copied()))?;
        Ok(process.sharing.sharing())
    }

    #[test]
    fn defaults_are_those_of_liqo() {
        let sharing = parsed(&[]).unwrap();
        assert_eq!((sharing.rules, sharing.monitor.as_str()), (SharingConfigured::default(), ""));
    }

    #[test]
    fn limits_are_by_consumer_and_resource() {
        let limits = "--offer-limits=*/cpu=4,a1/nvidia.com/gpu=2,a1/memory=1Ki,";
        let sharing = parsed(&["--offer-update-threshold-percentage", "5", limits]).unwrap();
        assert_eq!(sharing.rules.threshold_percent, 5);
        let amounts = |of: &[(&str, u64)]| -> BTreeMap<String, u64> {
            of.iter().map(|(resource, amount)| ((*resource).to_owned(), *amount)).collect()
        };
        let expected: [(ClusterId, _); 2] = [
            ("".into(), amounts(&[("cpu", 4_000)])),
            ("a1".into(), amounts(&[("memory", 1_024_000), ("nvidia.com/gpu", 2_000)])),
        ];
        assert_eq!(sharing.rules.limits, expected.into());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for wrong in ["cpu=4", "a1/cpu", "a1/cpu=many", "a1/cpu=-1", "/cpu=1", "a1/=1"] {
            let refused = parsed(&["--offer-limits", wrong]).unwrap_err().to_string();
            assert!(refused.contains("CLUSTER-ID/RESOURCE=QUANTITY"), "{wrong}: {refused}");
        }
        assert!(parsed(&["--offer-update-threshold-percentage", "101"]).is_err());
    }
}
