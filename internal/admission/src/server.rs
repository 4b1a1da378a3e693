//! HTTPS, as the API server speaks it to webhooks.

mod connection;
mod reply;
mod service;

pub(crate) use connection::serve;
pub(crate) use service::Service;
