//! The agents' side: a topic, followed over all that happens to connections and leaders, and word of what an agent sees.

mod acceptance;
mod dial;
mod follow;
mod report;

pub use acceptance::{Acceptance, Position, Update, Verdict};
pub use dial::{ClientError, Connection, Credentials, Mounted};
pub use follow::{Followed, follow};
pub use report::report;

#[cfg(test)]
mod tests;
