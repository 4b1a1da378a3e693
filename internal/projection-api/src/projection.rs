//! The stream of views to agents: who may see what, what is sent, and the server.

mod authority;
mod certificates;
mod feed;
mod identity;
mod ring;
mod roles;
mod server;
mod service;
mod stream;

pub use authority::{Authority, AuthorityError};
pub use certificates::{AuthorityStore, CA_BUNDLE, keep_certificates};
pub use identity::{AUDIENCE, Identity, ReviewError, TokenReviewer};
pub use ring::Position;
pub use roles::{Roles, Topics};
pub use server::{ServeError, TlsPem, serve};
pub use service::ProjectionService;
pub(crate) use stream::{HEARTBEAT, MOST_BYTES};

#[cfg(test)]
mod tests;
