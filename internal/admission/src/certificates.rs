//! Certificates of the webhooks: an authority of our own that API servers are told to trust, and what it issues to the
//! replicas, which all serve with the same.

mod authority;
mod bundle;
mod keeper;
mod kept;
mod serving;

pub(crate) use keeper::Keeper;
pub(crate) use serving::Serving;

pub use bundle::bundle_patch;

/// Service by which API servers reach the webhooks.
const SERVICE: &str = "liqo-controller-manager";

/// The names of the webhooks' Service in a namespace, as the certificate has them.
#[must_use]
pub fn service_names(namespace: &str) -> Vec<String> {
    let of_namespace = format!("{SERVICE}.{namespace}");
    let of_services = format!("{of_namespace}.svc");
    let of_cluster = format!("{of_services}.cluster.local");
    vec![SERVICE.to_owned(), of_namespace, of_services, of_cluster]
}
