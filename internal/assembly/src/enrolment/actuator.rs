//! The commands about identities, beside the commands that only write.

use liqo_api::names::IDENTITY_SECRET_PREFIX;
use liqo_engine::{Actuator, Disposition, Outcome};
use liqo_events::{Command, Effect};
use liqo_identity::Cluster;
use liqo_model::unique_name;

use super::{Applicant, Enrolment};

/// For [`liqo_kube_io::write::WriterWith`]. An identity that is there already is kept: of an answer that was taken in
/// and not written down, Liqo 0.8.3 gives no second one.
impl Actuator for Applicant {
    async fn act(&self, command: &Command, _: u32) -> Outcome {
        match &command.effect {
            Effect::Authenticate { id, name, auth_url, skip_tls_verify, tenant, home, home_name } => {
                let enrolment = Enrolment {
                    peer: id,
                    auth_url,
                    skip_tls_verify: *skip_tls_verify,
                    home: Cluster { id: home.clone(), name: home_name.clone() },
                    tenant,
                    secret: &format!("{IDENTITY_SECRET_PREFIX}{}", unique_name(name, id)),
                };
                match self.kept(&enrolment).await {
                    Some(kept) if kept.lasts && !kept.due => {
                        Outcome::Succeeded { resource_version: kept.version }
                    }
                    earlier => self.enrol(&enrolment, earlier.as_ref()).await,
                }
            }
            Effect::SetEnrolled { uid, peer, enrolled } => {
                self.issued((&command.slot.object, uid), peer).set(*enrolled).await
            }
            other => {
                let error = format!("{} is not about an identity", other.name());
                Outcome::Failed { disposition: Disposition::Park, error }
            }
        }
    }
}
