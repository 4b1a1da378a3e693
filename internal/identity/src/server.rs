//! The authentication service of a provider.

mod auth_key;
mod connection;
mod entitlement;
mod provider;
mod refusal;
mod reply;
mod route;
mod service;
mod transport;
mod verdict;

pub use auth_key::{AUTH_KEY_SECRET, AuthKey, PIN_KEY, read_pin};
pub use connection::{Listening, serve};
pub use provider::{ApiServer, KeptIdentity, KeptToken, Provider, ProviderError, Tenant};
pub use service::{AuthService, Settings};
pub use transport::Transport;

#[cfg(test)]
pub(crate) mod test_provider;
#[cfg(test)]
mod tests;
