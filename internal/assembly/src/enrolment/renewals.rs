//! Identities at peers are renewed before they end: each look finds those for which it is time.
//!
//! The earlier key is in use until the new certificate is there, and proves to the provider who asks. Of several processes
//! one asks: it has claimed the Secret before, by a write that only one of them can make.

use std::convert::Infallible;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use liqo_api::labels::{CLUSTER_ID, LOCAL_IDENTITY, TRUE};
use liqo_api::{ForeignCluster, api_resource};
use liqo_engine::{Clock as _, Outcome, SystemClock};
use liqo_events::{UnixMillis, parse_rfc3339, rfc3339_seconds};
use liqo_identity::{Cluster, RENEWABLE, is_renewal_due};
use liqo_model::{ClusterId, Kind, NamespaceName};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::{Applicant, Enrolment};

/// Between two looks. A certificate of 30 days is renewed ten days before its end, so a provider may be away for long.
const PAUSE: Duration = Duration::from_secs(600);
/// Annotation of the Secret while a process renews it: when it began.
const CLAIMED: &str = "liqo.io/renewing-since";
/// A process that began so long ago has ended without the answer.
const CLAIM_MILLIS: u64 = 500_000;

/// Renews what is due.
pub(super) struct Renewals {
    pub(super) applicant: Applicant,
    /// This cluster, once it has an identity.
    pub(super) home: watch::Receiver<Option<Cluster>>,
}

/// An identity for which it is time.
struct Due {
    secret: String,
    tenant: NamespaceName,
    peer: ClusterId,
    /// The write by which one process claims it.
    claim: Value,
}

impl Renewals {
    /// Looks for ever.
    pub(super) async fn run(&self) -> Infallible {
        let mut looks = interval(PAUSE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let home = self.home.borrow().clone();
            let Some(home) = home else { continue };
            if let Err(error) = self.look(&home).await {
                warn!(%error, "whether identities at peers have to be renewed could not be seen");
            }
        }
    }

    /// Renews what is due now.
    pub(super) async fn look(&self, home: &Cluster) -> Result<(), kube::Error> {
        let secrets: Api<KubeSecret> = Api::all(self.applicant.client().clone());
        let identities = ListParams::default().labels(&format!("{LOCAL_IDENTITY}={TRUE}"));
        let now = SystemClock.wall();
        for due in secrets.list(&identities).await?.items.into_iter().filter_map(|secret| due(secret, now)) {
            self.renew(home, &due).await?;
        }
        Ok(())
    }

    async fn renew(&self, home: &Cluster, due: &Due) -> Result<(), kube::Error> {
        let client = self.applicant.client();
        let peers: Api<ForeignCluster> = Api::all_with(client.clone(), &api_resource(Kind::ForeignCluster));
        let of_peer = ListParams::default().labels(&format!("{CLUSTER_ID}={}", due.peer));
        // An identity at a peer that nobody knows any more ends when it ends.
        let Some(peer) = peers.list(&of_peer).await?.items.into_iter().next() else { return Ok(()) };
        let secrets: Api<KubeSecret> = Api::namespaced(client.clone(), due.tenant.as_str());
        match secrets.patch(&due.secret, &PatchParams::default(), &Patch::Merge(&due.claim)).await {
            Ok(_) => {}
            // Somebody else was faster, or it changed: the next look sees.
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => return Ok(()),
            Err(error) => return Err(error),
        }
        let enrolment = Enrolment {
            peer: &due.peer,
            auth_url: &peer.spec.foreign_auth_url,
            skip_tls_verify: peer.spec.insecure_skip_tls_verify,
            home: home.clone(),
            tenant: &due.tenant,
            secret: &due.secret,
        };
        let Some(kept) = self.applicant.kept(&enrolment).await else { return Ok(()) };
        match self.applicant.enrol(&enrolment, Some(&kept)).await {
            Outcome::Succeeded { .. } => info!(peer = %due.peer, "the identity at the peer was renewed"),
            Outcome::Superseded { reason } | Outcome::Failed { error: reason, .. } => {
                warn!(peer = %due.peer, reason, "the identity at the peer could not be renewed yet");
            }
        }
        Ok(())
    }
}

/// What has to be known of a Secret with an identity, if it is time to renew it and nobody does already.
fn due(secret: KubeSecret, now: UnixMillis) -> Option<Due> {
    let metadata = secret.metadata;
    let annotations = metadata.annotations.unwrap_or_default();
    let data = secret.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)).collect();
    let claimed = annotations.get(CLAIMED).and_then(|since| parse_rfc3339(since));
    let free = claimed.is_none_or(|since| now.since(since) > CLAIM_MILLIS);
    if metadata.deletion_timestamp.is_some()
        || !annotations.contains_key(RENEWABLE)
        || !free
        || !is_renewal_due(&data, now)
    {
        return None;
    }
    let since = rfc3339_seconds(now);
    Some(Due {
        secret: metadata.name?,
        tenant: NamespaceName::new(metadata.namespace?),
        peer: ClusterId::new(metadata.labels?.remove(CLUSTER_ID)?),
        claim: json!({"metadata": {
            "resourceVersion": metadata.resource_version?, "annotations": {CLAIMED: since},
        }}),
    })
}
