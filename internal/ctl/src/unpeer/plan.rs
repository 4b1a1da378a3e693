//! What `liqoctl unpeer` would do.

use k8s_openapi::api::core::v1::Pod;
use liqo_api::ForeignCluster;
use liqo_api::labels::{REMOTE_CLUSTER_ID, REPLICATED, TRUE};
use liqo_model::crd::{PeeringConditionStatus as Status, PeeringConditionType as Part, PeeringEnabled};

use super::{Extent, given_up};
use crate::cluster::Cluster;
use crate::debug::plain;
use crate::footprint::{Party, Span, of_consumer, of_provider, sorted};
use crate::known::{id_of, name_of};
use crate::peer::{enabled, party};
use crate::plan::{Change, Deed, Plan};
use crate::{CtlError, local};

/// Pods that are listed one by one. The rest is counted, so that what matters is still on the screen.
const MOST_PODS: usize = 20;

/// What would be done.
pub(super) async fn plan(
    cluster: &Cluster,
    (peer, extent): (&ForeignCluster, Extent),
    namespace: &str,
) -> Result<Plan, CtlError> {
    let identity = local::identity(cluster, namespace).await?;
    let (home, provider) = (Party::from(&identity), party(peer));
    let used = extent != Extent::GiveUp && status_of(peer, Part::IncomingPeering) != Status::None;
    let ends = |span: Span| span == Span::Direction || (span == Span::Network && !used);
    let delete = |named: String| Change::new(Deed::Delete, named);

    let here = of_consumer(&home, &provider).into_iter().filter(|trace| ends(trace.span())).collect();
    let (there, _) = sorted(cluster, &provider, here).await?;
    let mut plan = Plan::default();
    plan.add(format!("in this cluster, {}", home.name), of_object(peer, extent, used));
    let mut changes = pods(cluster, &provider).await?;
    changes.extend(there.iter().map(|trace| delete(trace.named())));
    plan.add(format!("and the control plane of this cluster, {}, then", home.name), changes);

    if extent != Extent::GiveUp && status_of(peer, Part::OutgoingPeering) != Status::None {
        let mut changes = namespaces(cluster, peer).await?;
        // It has a ForeignCluster of ours for as long as it uses resources of this cluster.
        let traces = of_provider(&home, &provider).into_iter();
        let traces = traces.filter(|trace| ends(trace.span()));
        let kept = format!("ForeignCluster {}", home.name);
        changes.extend(traces.map(|trace| trace.named()).filter(|named| !used || *named != kept).map(delete));
        let heading = format!(
            "and the control plane of cluster {}, {}, then",
            provider.name, peer.spec.foreign_auth_url
        );
        plan.add(heading, changes);
    }
    Ok(plan)
}

fn status_of(peer: &ForeignCluster, part: Part) -> Status {
    peer.status.as_ref().map(|status| status.condition_status(part)).unwrap_or_default()
}

/// What the command itself does.
fn of_object(peer: &ForeignCluster, extent: Extent, used: bool) -> Vec<Change> {
    let named = format!("ForeignCluster {}", name_of(peer));
    let patch = match extent {
        Extent::GiveUp => Some(given_up()),
        Extent::Direction | Extent::Forget => enabled(peer, PeeringEnabled::No),
    };
    let change = patch.map(|patch| Change::new(Deed::Change, format!("{named}: {patch}")));
    let end = match (extent, used) {
        (Extent::Direction, _) => None,
        (Extent::Forget | Extent::GiveUp, false) => Some(Change::new(Deed::Delete, named)),
        (Extent::Forget | Extent::GiveUp, true) => {
            let why = "its cluster uses resources of this one";
            Some(Change::new(Deed::Keep, format!("{named}: {why}")))
        }
    };
    change.into_iter().chain(end).collect()
}

/// Pods on the virtual node, which go on elsewhere if a controller makes them anew.
async fn pods(cluster: &Cluster, provider: &Party) -> Result<Vec<Change>, CtlError> {
    let fields = format!("spec.nodeName={}", provider.node());
    let found = cluster.everywhere::<Pod>().list_by_fields(&fields).await?;
    let mut names: Vec<String> = found
        .iter()
        .map(|pod| {
            let (namespace, name) = (&pod.metadata.namespace, &pod.metadata.name);
            format!(
                "pod {}/{}",
                namespace.as_deref().unwrap_or_default(),
                name.as_deref().unwrap_or_default()
            )
        })
        .collect();
    names.sort();
    let more = names.len().saturating_sub(MOST_PODS);
    names.truncate(MOST_PODS);
    if more > 0 {
        names.push(format!("{more} more pods on node {}", provider.node()));
    }
    Ok(names.into_iter().map(|name| Change::new(Deed::Evict, name)).collect())
}

/// Namespaces that extend to the other cluster.
async fn namespaces(cluster: &Cluster, peer: &ForeignCluster) -> Result<Vec<Change>, CtlError> {
    let labels = format!("{REMOTE_CLUSTER_ID}={}", id_of(peer));
    let maps = cluster.namespace_maps().list(&labels).await?;
    let ours = maps.iter().filter(|map| {
        let labels = map.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get(REPLICATED)).is_none_or(|value| value != TRUE)
    });
    let delete = |(home, remote): (&String, &String)| {
        let what = format!("Namespace {remote} and everything in it: namespace {home} extends there");
        Change::new(Deed::Delete, plain(&what))
    };
    Ok(ours.flat_map(|map| map.spec.desired_mapping.iter()).map(delete).collect())
}
