//! Clients of API servers, each with limits of its own.

mod limits;
mod read_body;
mod refusal;
mod request;
mod server;
mod servers;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub(crate) use read_body::Chunks;
pub use refusal::Refusal;
pub(crate) use refusal::one_line;
pub(crate) use request::{Place, Preconditions, Selection, create_event};
pub use server::ApiServer;
pub(crate) use server::{Urgency, Verb};
pub use servers::ApiServers;
