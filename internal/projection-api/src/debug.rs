//! A look into the event log: the service, and the unix socket that it is on.

mod bridge;
mod convert;
mod pages;
mod server;
mod service;
mod socket;
mod why;

pub use bridge::{bridge, bridge_standard_streams};
pub use server::serve;
pub use service::DebugService;
pub use socket::{DebugSocket, SocketError, may_connect};

#[cfg(test)]
mod tests;
