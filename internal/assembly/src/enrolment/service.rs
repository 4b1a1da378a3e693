//! The authentication service of this cluster.

use std::sync::Arc;

use liqo_engine::{Clock as _, SystemClock};
use liqo_events::UnixMillis;
use liqo_identity::{AuthClient, AuthService, Cluster, Error, Listening, Metrics, Settings, serve};
use liqo_kube_io::{ApiServer, random_bytes};
use liqo_model::NamespaceName;
use tokio::sync::watch;

use super::expired::Expired;
use super::renewals::Renewals;
use super::{Applicant, KubernetesProvider, SharedToken};

/// What the authentication service runs with.
pub struct Authentication {
    /// The API server of this cluster.
    pub server: Arc<ApiServer>,
    /// Namespace that Liqo is installed in.
    pub namespace: NamespaceName,
    /// Where it listens.
    pub listening: Listening,
    /// Address of the API server for peers; that of a control-plane node when it is empty.
    pub advertised: String,
    /// This cluster's identity, once there is one.
    pub identity: watch::Receiver<Option<Cluster>>,
    /// The token that every peer may use, and the key of this cluster.
    pub token: SharedToken,
    /// What is counted.
    pub metrics: Metrics,
}

impl Authentication {
    /// Serves until `stopping`.
    ///
    /// # Errors
    ///
    /// [`Error`], when no certificate or no TLS client can be made.
    pub async fn serve(self, mut stopping: watch::Receiver<bool>) -> Result<(), Error> {
        let names =
            vec![format!("liqo-auth.{}.svc", self.namespace), format!("liqo-auth.{}", self.namespace)];
        let transport = self.token.key().transport(&names)?;
        let expired = Expired { client: self.server.client().clone(), namespace: self.namespace.clone() };
        let asking = AuthClient::new(&[], self.metrics.clone())?;
        let (client, install) = (self.server.client().clone(), self.namespace.clone());
        let applicant = Applicant::new(client, install, self.token.clone(), asking, random);
        let renewals = Renewals { applicant, home: self.identity.clone() };
        let provider = KubernetesProvider {
            client: self.server.client().clone(),
            namespace: self.namespace,
            identity: self.identity,
            token: self.token,
            advertised: Some(self.advertised).filter(|address| !address.is_empty()),
            now,
        };
        let service = AuthService::new(provider, Settings::default(), self.metrics);
        // A sender that is gone says the same.
        let stop = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
        tokio::select! {
            () = serve(self.listening, transport, service, stop) => {}
            never = expired.clear() => match never {},
            never = renewals.run() => match never {},
        }
        Ok(())
    }
}

fn random() -> std::io::Result<[u8; 32]> {
    random_bytes().map_err(std::io::Error::other)
}

fn now() -> UnixMillis {
    SystemClock.wall()
}
