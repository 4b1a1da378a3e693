//! The agents' side: a topic, followed over all that happens to connections and leaders.

mod acceptance;
mod follow;

pub use acceptance::{Acceptance, Position, Update, Verdict};
pub use follow::{ClientError, Connection, Credentials, Followed, Mounted, follow};

#[cfg(test)]
mod tests;
