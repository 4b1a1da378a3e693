//! The values the testbed decides from: names, specifications, addresses. Nothing here touches the machine.

mod address;
mod flags;
mod name;
mod record;
mod spec;

pub(crate) use address::{AddressPlan, Network};
pub use flags::ComponentFlag;
pub use name::{ClusterName, NodeName};
pub(crate) use record::{ClusterRecord, free_index};
pub use spec::{ClusterSpec, DEFAULT_POD_CIDR, DEFAULT_SERVICE_CIDR, parse_cidr};
