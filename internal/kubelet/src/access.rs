//! Who calls, and whether they may: judged by the cluster, as a kubelet with webhooks does.

mod attributes;
mod authorizer;
mod cache;
mod client_authority;
mod reviewer;
mod user;

pub use attributes::Attributes;
pub use authorizer::Authorizer;
pub(crate) use authorizer::{Caller, Denial};
pub use reviewer::{KubeReviewer, Reviewer};
pub use user::User;
