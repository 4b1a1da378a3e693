//! How one side of a peering sees a network of the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The word for "not remapped" on the wire.
const NOT_REMAPPED: &str = "None";

/// The CIDR that a network was remapped to, or the word `None` when it is used as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct RemappedCidr(String);

impl RemappedCidr {
    /// A network that is seen as `cidr`, or as itself when there is none.
    #[must_use]
    pub fn new(cidr: Option<&str>) -> Self {
        Self(cidr.unwrap_or(NOT_REMAPPED).to_owned())
    }

    /// The CIDR, when the network was remapped. The empty text counts as not remapped, as Go writes it for none.
    #[must_use]
    pub fn cidr(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty() && *text != NOT_REMAPPED)
    }
}

impl Default for RemappedCidr {
    fn default() -> Self {
        Self::new(None)
    }
}
