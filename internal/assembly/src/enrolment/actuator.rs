//! The command to get an identity, beside the commands that only write.

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
        let Effect::Authenticate { id, name, auth_url, skip_tls_verify, tenant, home, home_name } =
            &command.effect
        else {
            let error = format!("{} is no request for an identity", command.effect.name());
            return Outcome::Failed { disposition: Disposition::Park, error };
        };
        let enrolment = Enrolment {
            peer: id,
            auth_url,
            skip_tls_verify: *skip_tls_verify,
            home: Cluster { id: home.clone(), name: home_name.clone() },
            tenant,
            secret: &format!("{IDENTITY_SECRET_PREFIX}{}", unique_name(name, id)),
        };
        match self.kept(&enrolment).await {
            Some(resource_version) => Outcome::Succeeded { resource_version },
            None => self.enrol(&enrolment).await,
        }
    }
}
