//! Identities between clusters, with Kubernetes behind them.

mod actuator;
mod applicant;
mod enrolled;
mod expired;
mod provider;
mod refusal;
mod renewals;
mod service;
mod shared_token;

pub use applicant::{Applicant, Enrolment};
pub use provider::KubernetesProvider;
pub use service::Authentication;
pub use shared_token::SharedToken;

#[cfg(test)]
mod tests;
