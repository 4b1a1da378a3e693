//! Identities between clusters, with Kubernetes behind them.

mod applicant;
mod provider;
mod refusal;
mod shared_token;

pub use applicant::{Applicant, Enrolment};
pub use provider::KubernetesProvider;
pub use shared_token::SharedToken;
