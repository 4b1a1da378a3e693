//! The certificate that the node shows to the API server.

mod keeper;
mod life;
mod request;
mod tls;

pub use keeper::{CertificateKeeper, ServingState};
pub use request::{CertificateType, ServingIdentity};
pub use tls::ServingTls;
