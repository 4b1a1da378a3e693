//! One-time tokens whose time is over are deleted: they let nobody in any more, and say nothing that matters.

use std::convert::Infallible;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::{Api, Client};
use liqo_api::labels::TRUE;
use liqo_engine::{Clock as _, SystemClock};
use liqo_identity::ONE_TIME_TOKEN;
use liqo_model::NamespaceName;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use super::provider::kept_token;

/// Between two looks at them. There is no hurry: each is judged again when it is used.
const PAUSE: Duration = Duration::from_secs(600);
/// How long a token is kept after its end, so that who uses it late is told why it is refused.
const KEPT_MILLIS: u64 = 24 * 3600 * 1000;
/// Tokens that are read at a time: those beyond wait for the next look.
const MOST: u32 = 500;

/// Deletes one-time tokens.
pub(super) struct Expired {
    /// The API server of this cluster.
    pub(super) client: Client,
    /// Namespace that Liqo is installed in.
    pub(super) namespace: NamespaceName,
}

impl Expired {
    /// Looks at them for ever.
    pub(super) async fn clear(&self) -> Infallible {
        let mut looks = interval(PAUSE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Err(error) = self.look().await {
                warn!(%error, "one-time tokens whose time is over could not be deleted");
            }
        }
    }

    async fn look(&self) -> Result<(), kube::Error> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let tokens = ListParams::default().labels(&format!("{ONE_TIME_TOKEN}={TRUE}")).limit(MOST);
        let now = SystemClock.wall();
        for kept in secrets.list(&tokens).await?.items.into_iter().filter_map(kept_token) {
            let late = liqo_events::UnixMillis(now.0.saturating_sub_unsigned(KEPT_MILLIS));
            if !kept.token.has_expired(late) {
                continue;
            }
            let preconditions =
                Preconditions { resource_version: Some(kept.version.as_str().to_owned()), uid: None };
            let deletion = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
            // One that changed meanwhile is judged by the next look.
            if let Err(error) = secrets.delete(&kept.name, &deletion).await {
                debug!(%error, token = kept.name, "a one-time token whose time is over stays a while longer");
            }
        }
        Ok(())
    }
}
