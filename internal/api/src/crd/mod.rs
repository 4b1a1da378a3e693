//! The custom resource definitions, made from the types of the model.

mod definition;
mod files;
mod nodes;
mod pod_spec;
mod schema;

pub use definition::crds;
pub use files::files;
