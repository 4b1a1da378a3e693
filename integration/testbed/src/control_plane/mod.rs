//! What makes a cluster out of its control plane: certificates, kubeconfigs, the first objects.

mod bootstrap;
mod client;
pub(crate) mod kubeconfig;
pub(crate) mod pki;

pub(crate) use bootstrap::{bootstrap, create_nodes};
pub(crate) use client::{client, is_ready, not_ready, wait_for_accounts, wait_for_api, wait_for_nodes};
