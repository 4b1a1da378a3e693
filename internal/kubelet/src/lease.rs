//! The Lease that says that the node lives.

mod content;
mod keeper;

pub use content::LeaseSettings;
pub use keeper::keep_lease;
