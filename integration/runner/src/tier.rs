//! The tiers, and which of them a test target belongs to.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;

/// How much of a machine the tests of a target need, least first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tier {
    /// Nothing but the compiler: unit tests, doc tests, and integration tests of no higher tier
    Unit,
    /// Root and network namespaces
    Network,
    /// Real API servers, no nodes
    Api,
    /// Real clusters with running pods
    Cluster,
}

impl Tier {
    /// Every tier, least powerful first.
    pub(crate) const ALL: [Self; 4] = [Self::Unit, Self::Network, Self::Api, Self::Cluster];

    /// The tier of the integration test target `name`, which its prefix tells.
    pub(crate) fn of_target(name: &str) -> Self {
        let has_prefix =
            |tier: &Self| name.strip_prefix(tier.name()).is_some_and(|rest| rest.starts_with('_'));
        [Self::Network, Self::Api, Self::Cluster].into_iter().find(has_prefix).unwrap_or(Self::Unit)
    }

    /// The name on the command line, in `budget.toml` and before the `_` of a test target.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Network => "network",
            Self::Api => "api",
            Self::Cluster => "cluster",
        }
    }

    /// Whether the tests start clusters, for which they need the `testbed` binary.
    pub(crate) fn needs_testbed(self) -> bool {
        matches!(self, Self::Api | Self::Cluster)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_target_tells_its_tier() {
        assert_eq!(Tier::of_target("network_faults"), Tier::Network);
        assert_eq!(Tier::of_target("api_watch"), Tier::Api);
        assert_eq!(Tier::of_target("cluster_end_to_end"), Tier::Cluster);
    }

    #[test]
    fn anything_else_is_unit() {
        for name in ["layering", "networking", "apiserver", "cluster", "unit_golden"] {
            assert_eq!(Tier::of_target(name), Tier::Unit, "{name}");
        }
    }
}
