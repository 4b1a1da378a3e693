//! What is written down about a cluster before anything of it is made, so that `down` always knows what to look for.

use serde::{Deserialize, Serialize};

use super::{AddressPlan, ClusterSpec, Network};
use crate::error::{Error, Result};

/// The index is an octet of the nodes' addresses; 0 is the machine's, 255 the routers'.
const LAST_INDEX: u8 = 250;

/// A cluster that was asked for, with the index that its addresses derive from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// What was asked for.
    pub spec: ClusterSpec,
    /// Unique on the machine.
    pub index: u8,
    /// The network at that time.
    pub network: Network,
}

impl ClusterRecord {
    /// The cluster's addresses.
    pub fn addresses(&self) -> AddressPlan {
        AddressPlan::new(self.network, self.index, self.spec.behind_nat)
    }
}

/// The smallest index that no record uses.
///
/// # Errors
/// [`Error::Machine`] when all are taken.
pub(crate) fn free_index(records: &[ClusterRecord]) -> Result<u8> {
    (1..=LAST_INDEX).find(|index| records.iter().all(|r| r.index != *index)).ok_or_else(|| Error::Machine {
        problem: format!("{LAST_INDEX} clusters exist already"),
        fix: "take one down with `testbed down NAME`".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_used_again() {
        let record = |name: &str, index| ClusterRecord {
            spec: ClusterSpec::new(name.parse().unwrap()),
            index,
            network: Network::default(),
        };
        assert_eq!(free_index(&[]).unwrap(), 1);
        assert_eq!(free_index(&[record("a", 1), record("c", 3)]).unwrap(), 2);
    }
}
