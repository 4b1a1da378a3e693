//! The command to say of what was issued to a peer whether it is in use: from then on no token gets the peer anything else.

use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use liqo_api::annotations::ENROLLED;
use liqo_api::labels;
use liqo_engine::{Disposition, Outcome};
use liqo_identity::{ONE_TIME_TOKEN, ProviderError, spent};
use liqo_model::{ClusterId, NamespaceName, ObjectKey, ResourceVersion, Uid};
use serde_json::json;

use super::provider::{change, kept_token, present};
use super::refusal::{exists, missing, refused};

/// What was issued to a peer.
pub(super) struct IssuedSecret<'a> {
    /// The API server of this cluster.
    pub(super) client: &'a Client,
    /// Namespace that Liqo is installed in, where the tokens are.
    pub(super) install: &'a NamespaceName,
    /// The Secret with it.
    pub(super) key: &'a ObjectKey,
    /// Its life.
    pub(super) uid: &'a Uid,
    /// Who has it.
    pub(super) peer: &'a ClusterId,
}

impl IssuedSecret<'_> {
    /// Says that it is in use, or is no more.
    pub(super) async fn set(&self, enrolled: bool) -> Outcome {
        match self.carry_out(enrolled).await {
            Ok(Some(resource_version)) => Outcome::Succeeded { resource_version },
            Ok(None) => Outcome::Superseded { reason: format!("{} is another object or no more", self.key) },
            Err(error) => {
                Outcome::Failed { disposition: Disposition::Retry { after: None }, error: error.to_string() }
            }
        }
    }

    /// Tokens first: if this ends in between, it begins anew and nothing was let in.
    async fn carry_out(&self, enrolled: bool) -> Result<Option<ResourceVersion>, ProviderError> {
        if enrolled {
            self.spend_tokens().await?;
        }
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), &self.key.namespace);
        let patch = mark(self.uid, enrolled);
        match secrets.patch(&self.key.name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(secret) => Ok(Some(secret.metadata.resource_version.unwrap_or_default().into())),
            Err(error) if exists(&error) || missing(&error) => Ok(None),
            Err(error) => Err(refused("the mark that a certificate is in use", &error)),
        }
    }

    async fn spend_tokens(&self) -> Result<(), ProviderError> {
        let secrets: Api<KubeSecret> = Api::namespaced(self.client.clone(), self.install.as_str());
        let tokens = ListParams::default().labels(&format!("{ONE_TIME_TOKEN}={}", labels::TRUE));
        let found = secrets.list(&tokens).await.map_err(|error| refused("the one-time tokens", &error))?;
        for kept in found.items.into_iter().filter_map(kept_token) {
            if kept.token.cluster.as_ref() == Some(self.peer) && !kept.token.spent {
                // One that changed at this moment was deleted: what is bound to a cluster stays so.
                change(&secrets, &kept.name, &kept.version, present(spent())).await?;
            }
        }
        Ok(())
    }
}

/// A Secret of another life refuses it.
fn mark(uid: &Uid, enrolled: bool) -> serde_json::Value {
    let told = enrolled.then_some(labels::TRUE);
    json!({"metadata": {"uid": uid.as_str(), "annotations": {ENROLLED: told}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_made_and_taken_away_on_one_life() {
        let made = json!({"metadata": {"uid": "u", "annotations": {"liqo.io/enrolled": "true"}}});
        assert_eq!(mark(&"u".into(), true), made);
        let taken = json!({"metadata": {"uid": "u", "annotations": {"liqo.io/enrolled": null}}});
        assert_eq!(mark(&"u".into(), false), taken);
    }
}
