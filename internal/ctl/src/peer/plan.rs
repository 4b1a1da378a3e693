//! What `liqoctl peer` would do.

use k8s_openapi::api::core::v1::Secret as SecretObject;
use liqo_api::ForeignCluster;
use liqo_model::crd::{PeeringConditionStatus as Status, PeeringConditionType as Part};
use liqo_model::{ClusterId, ClusterName};

use super::wish::Write;
use crate::CtlError;
use crate::cluster::Cluster;
use crate::footprint::{Party, Span, Trace, of_consumer, of_provider, sorted};
use crate::known::id_of;
use crate::local::LocalIdentity;
use crate::plan::{Change, Deed, Plan};

/// A peering that is asked for.
pub(super) struct Asked<'a> {
    pub(super) home: &'a LocalIdentity,
    pub(super) provider: Party,
    /// URL of its authentication service.
    pub(super) auth_url: &'a str,
    /// The object that stands for it, if there is one.
    pub(super) known: Option<&'a ForeignCluster>,
    /// Whether Liqo takes care of the network.
    pub(super) network: bool,
}

/// What would be done, where the command itself does `first`.
pub(super) async fn plan(cluster: &Cluster, asked: &Asked<'_>, first: Vec<Change>) -> Result<Plan, CtlError> {
    let home = Party::from(asked.home);
    let name = asked.provider.name.to_string();
    let wanted = |trace: &Trace| asked.network || trace.span() != Span::Network;
    let here = of_consumer(&home, &asked.provider).into_iter().filter(wanted).collect();
    let (_, missing) = sorted(cluster, &asked.provider, here).await?;
    let create = |trace: Trace| Change::new(Deed::Create, trace.named());
    let mut plan = Plan::default();
    let settled = first.is_empty() && asked.known.is_some_and(is_established);
    plan.add(format!("in this cluster, {}", home.name), first);
    plan.add(
        format!("and the control plane of this cluster, {}, then", home.name),
        missing.into_iter().map(create).collect(),
    );
    if !settled {
        let there = of_provider(&home, &asked.provider).into_iter().filter(wanted).map(create);
        let heading = format!(
            "and the control plane of cluster {name}, {}, then, of what it does not have yet",
            asked.auth_url
        );
        plan.add(heading, there.collect());
    }
    Ok(plan)
}

fn is_established(peer: &ForeignCluster) -> bool {
    let status = peer.status.as_ref().map(|status| status.condition_status(Part::OutgoingPeering));
    status == Some(Status::Established)
}

/// What the command itself does with the `ForeignCluster`.
pub(super) fn of_write(name: &str, write: &Write) -> Option<Change> {
    match write {
        Write::Create => Some(Change::new(Deed::Create, format!("ForeignCluster {name}"))),
        Write::Change { name, patch } => {
            Some(Change::new(Deed::Change, format!("ForeignCluster {name}: {patch}")))
        }
        Write::Nothing { .. } => None,
    }
}

/// What the command itself does with the Secret of the token.
pub(super) async fn of_token(
    secrets: &crate::cluster::Objects<SecretObject>,
    content: &liqo_identity::SecretContent,
) -> Result<Option<Change>, CtlError> {
    let found = secrets.get(&content.name).await?;
    let named = secrets.named(&content.name);
    Ok(match found {
        None => Some(Change::new(Deed::Create, named)),
        Some(found) => {
            super::token_secret::differs(&found, content).then(|| Change::new(Deed::Change, named))
        }
    })
}

/// The cluster that an object stands for.
pub(crate) fn party(peer: &ForeignCluster) -> Party {
    let name = &peer.spec.cluster_identity.cluster_name;
    Party { id: ClusterId::new(id_of(peer)), name: ClusterName::new(name) }
}
