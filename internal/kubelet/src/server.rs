//! The server of the kubelet API.

mod answer;
mod backend;
mod call;
mod connection;
mod relay;
mod reply;
mod route;
mod stats;
mod summary;
mod trouble;

pub use backend::Backend;
pub use connection::serve;

#[cfg(test)]
mod tests;
