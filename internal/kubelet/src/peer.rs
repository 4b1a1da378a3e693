//! Requests to the API server of the peer that stand for requests to a kubelet.

mod log;
mod place;
mod stream;

pub(crate) use log::log_target;
pub use place::RemotePod;
pub(crate) use place::{QueryFault, is_name};
pub(crate) use stream::{Stream, handshake, method, stream_target};
