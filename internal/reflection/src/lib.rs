//! What becomes of an object in another cluster: pure transforms, one file a kind, and the registry of the kinds.
//!
//! A transform takes the object of the home cluster, the remote object if there is one, and a [`Context`]; it says
//! [`Forged`]: the fields that are ours in the remote object, or that there shall be none, or why nothing is done.
//! Whether a write is needed, and which, says [`difference::patch`]: it looks at our fields alone, so what others
//! have written there stays. Bodies are untyped JSON, since fields of other versions of Kubernetes have to survive
//! the way.
//!
//! Nothing here reads a clock, draws a number or does input or output. A new kind is a file in `kinds` and one entry
//! in [`REFLECTORS`], from which flags, workers, metric labels and cluster roles are made.

pub mod difference;
pub mod kinds;
pub mod labels;
pub mod names;
pub mod policy;

mod context;
mod error;
mod fields;
mod forged;
mod metadata;
mod record;
mod registry;
mod resource;

pub use context::{
    AddressTranslation, ApiServerSupport, Cluster, Context, HomeApiServer, Tenant, TranslationUnavailable,
};
pub use error::ReflectError;
pub use forged::{Forged, Why};
pub use registry::{Access, Direction, REFLECTORS, Reflector, Transform, reflector};
pub use resource::Resource;
