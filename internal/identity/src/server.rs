//! The authentication service of a provider.

mod connection;
mod provider;
mod refusal;
mod reply;
mod route;
mod service;
mod transport;
mod verdict;

pub use connection::{Listening, serve};
pub use provider::{ApiServer, Provider, ProviderError, Tenant};
pub use service::{AuthService, Settings};
pub use transport::Transport;

#[cfg(test)]
pub(crate) mod test_provider;
#[cfg(test)]
mod tests;
