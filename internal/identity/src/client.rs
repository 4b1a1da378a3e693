//! The consumer's side: asking a provider who it is, and for an identity.

mod answer;
mod error;
mod exchange;
mod pinned;
mod target;
mod tls;

pub use answer::Identity;
pub use error::{Disposition, EnrolError};
pub use exchange::{Application, AuthClient};
pub use target::Target;

#[cfg(test)]
mod scripted_server;
#[cfg(test)]
mod tests;
