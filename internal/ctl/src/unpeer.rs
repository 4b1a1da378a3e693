//! `liqoctl unpeer`: this cluster is to use resources of another one no longer.

mod plan;

use std::time::Duration;

use clap::{Args, Subcommand};
use k8s_openapi::api::core::v1::Node;
use liqo_api::ForeignCluster;
use liqo_api::annotations::GIVEN_UP;
use liqo_api::labels::{REMOTE_CLUSTER_ID, TRUE};
use liqo_model::crd::{
    PeeringConditionStatus as Status, PeeringConditionType as Part, PeeringEnabled, PeeringType,
};
use serde_json::{Value, json};

use crate::access::{Access, Installed};
use crate::cluster::Cluster;
use crate::debug::plain;
use crate::known::{Known, id_of, known};
use crate::peer::{Endpoints, enabled, said_of, type_of};
use crate::wait::{Awaited, Patience, Seen};
use crate::{Console, CtlError, duration, version};

/// Use resources of another cluster no longer.
#[derive(Clone, Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub struct UnpeerArguments {
    /// The cluster: the name of its `ForeignCluster`. It may go on using resources of this one
    #[arg(required = true, value_name = "CLUSTER")]
    peer: Option<String>,
    #[command(subcommand)]
    command: Option<UnpeerCommand>,
    /// How long to wait, for all steps together
    #[arg(long, global = true, value_name = "DURATION", default_value = "120s", value_parser = duration::parse)]
    timeout: Duration,
    /// Show what would be changed and deleted in both clusters, and change nothing
    #[arg(long, global = true)]
    plan: bool,
    #[command(flatten)]
    installed: Installed,
}

#[derive(Clone, Debug, Subcommand)]
enum UnpeerCommand {
    /// Unpeer, and forget the other cluster unless it uses resources of this one
    #[command(alias = "oob")]
    OutOfBand {
        /// The cluster: the name of its `ForeignCluster`
        #[arg(value_name = "CLUSTER")]
        name: String,
        /// Wait for no answer of the other cluster, which is gone for ever: what is there stays there
        #[arg(long)]
        force: bool,
    },
}

/// How much ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The use of the other cluster's resources.
    Direction,
    /// That, and the other cluster is forgotten unless it uses resources of this one.
    Forget,
    /// Everything here, whatever the other cluster says.
    GiveUp,
}

pub(crate) async fn run(
    access: &Access,
    arguments: UnpeerArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let patience = Patience::new(arguments.timeout);
    let namespace = arguments.installed.namespace.as_str();
    let (name, extent) = match (arguments.peer, arguments.command) {
        (Some(name), None) => (name, Extent::Direction),
        (None, Some(UnpeerCommand::OutOfBand { name, force: false })) => (name, Extent::Forget),
        (None, Some(UnpeerCommand::OutOfBand { name, force: true })) => (name, Extent::GiveUp),
        _ => {
            let usage = "write either the name of a ForeignCluster or out-of-band";
            return Err(CtlError::Argument(usage.to_owned()));
        }
    };
    let cluster = Cluster::open(access).await?;
    let Known { peer, .. } = known(&cluster, &name).await?;
    version::warn(&cluster, namespace, console).await?;
    if extent == Extent::Forget && peer.spec.peering_type != PeeringType::OutOfBand {
        return Err(CtlError::Object {
            object: format!("ForeignCluster {}", plain(&name)),
            fault: format!("has spec.peeringType {}", type_of(&peer)),
            remedy: "only clusters that were peered with out of band are unpeered in this way".to_owned(),
        });
    }
    if arguments.plan {
        let plan = plan::plan(&cluster, (&peer, extent), namespace).await?;
        return console.write(&plan.shown());
    }
    if extent == Extent::GiveUp {
        cluster.foreign_clusters().merge(&name, &given_up()).await?;
        return removed(&cluster, &name, patience, console).await;
    }
    withdraw(&cluster, (&peer, &name), patience, console).await?;
    if extent == Extent::Forget { forgotten(&cluster, &name, patience, console).await } else { Ok(()) }
}

/// The patch that gives a peer up: nothing waits for it any more.
fn given_up() -> Value {
    json!({"metadata": {"annotations": {GIVEN_UP: TRUE}}, "spec": {"outgoingPeeringEnabled": PeeringEnabled::No}})
}

/// Ends the use of resources of the peer.
async fn withdraw(
    cluster: &Cluster,
    (peer, name): (&ForeignCluster, &str),
    patience: Patience,
    console: &mut Console,
) -> Result<(), CtlError> {
    let (peers, nodes) = (cluster.foreign_clusters(), cluster.of_cluster::<Node>());
    if let Some(patch) = enabled(peer, PeeringEnabled::No) {
        peers.merge(name, &patch).await?;
    }
    let mut endpoints = Endpoints::new(cluster);
    let look = async || {
        let Some(peer) = peers.get(name).await? else { return Ok(Seen::Done) };
        Ok(endpoints.told(&peer, withdrawn(&peer)).await)
    };
    patience.wait(ending(name), console, look).await?;
    let id = id_of(peer);
    if id.is_empty() {
        return Ok(());
    }
    let look = async || {
        let found = nodes.list(&format!("{REMOTE_CLUSTER_ID}={id}")).await?;
        Ok(endpoints.told(peer, node_gone(&found)).await)
    };
    patience.wait(node_ending(name), console, look).await
}

/// Deletes the object that stands for the peer, unless the peer needs it.
async fn forgotten(
    cluster: &Cluster,
    name: &str,
    patience: Patience,
    console: &mut Console,
) -> Result<(), CtlError> {
    let peers = cluster.foreign_clusters();
    let Some(peer) = peers.get(name).await? else { return Ok(()) };
    if status(&peer, Part::IncomingPeering) != Status::None {
        let name = plain(name);
        console.warn(&format!("Cluster {name} uses resources of this one: ForeignCluster {name} is kept"))?;
        return console.warn("To end that as well, run the same command in the other cluster");
    }
    removed(cluster, name, patience, console).await
}

/// Deletes the object that stands for the peer, and waits until it is gone.
async fn removed(
    cluster: &Cluster,
    name: &str,
    patience: Patience,
    console: &mut Console,
) -> Result<(), CtlError> {
    let peers = cluster.foreign_clusters();
    peers.delete(name).await?;
    let mut endpoints = Endpoints::new(cluster);
    let look = async || {
        let Some(peer) = peers.get(name).await? else { return Ok(Seen::Done) };
        Ok(endpoints.told(&peer, Seen::NotYet(finalizers(&peer))).await)
    };
    patience.wait(forgetting(name), console, look).await
}

fn status(peer: &ForeignCluster, part: Part) -> Status {
    peer.status.as_ref().map(|status| status.condition_status(part)).unwrap_or_default()
}

fn withdrawn(peer: &ForeignCluster) -> Seen {
    match status(peer, Part::OutgoingPeering) {
        Status::None => Seen::Done,
        _ => Seen::NotYet(said_of(peer, Part::OutgoingPeering)),
    }
}

fn node_gone(nodes: &[Node]) -> Seen {
    nodes.first().map_or(Seen::Done, |node| {
        Seen::NotYet(format!(
            "node {} is still there",
            plain(node.metadata.name.as_deref().unwrap_or_default())
        ))
    })
}

fn finalizers(peer: &ForeignCluster) -> String {
    match peer.metadata.finalizers.as_deref() {
        None | Some([]) => "it is still there".to_owned(),
        Some(finalizers) => format!("it is kept by {}", plain(&finalizers.join(", "))),
    }
}

fn ending(name: &str) -> Awaited {
    let name = plain(name);
    Awaited {
        what: format!("the end of the peering with cluster {name} (step 1 of 3, offer)"),
        done: format!("Peering with cluster {name} ended"),
        remedy: "the other cluster has to take its offer back: check that it is reached, and that its control plane \
                 runs"
            .to_owned(),
    }
}

fn node_ending(name: &str) -> Awaited {
    let name = plain(name);
    Awaited {
        what: format!("the virtual node of cluster {name} to go (step 2 of 3, node)"),
        done: format!("Virtual node of cluster {name} removed"),
        remedy: "pods on it are evicted first: `kubectl get pods -A -o wide` shows those that stay, and a \
                 PodDisruptionBudget may keep them"
            .to_owned(),
    }
}

fn forgetting(name: &str) -> Awaited {
    let name = plain(name);
    Awaited {
        what: format!("ForeignCluster {name} to go (step 3 of 3, ForeignCluster)"),
        done: format!("ForeignCluster {name} removed"),
        remedy: "see whether the controller manager runs here, and that it reaches the other cluster"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn peer(status: &str) -> ForeignCluster {
        serde_json::from_value(json!({
            "metadata": {"name": "milan", "finalizers": ["a", "b"]},
            "spec": {"foreignAuthUrl": "https://a.b"},
            "status": {"peeringConditions": [{"type": "OutgoingPeering", "status": status, "reason": "Why"}]},
        }))
        .unwrap()
    }

    #[test]
    fn a_peering_has_ended_when_nothing_is_left_of_it() {
        assert_eq!(withdrawn(&peer("None")), Seen::Done);
        let expected = Seen::NotYet("OutgoingPeering is Disconnecting (Why)".to_owned());
        assert_eq!(withdrawn(&peer("Disconnecting")), expected);
        assert!(matches!(withdrawn(&peer("Established")), Seen::NotYet(_)));
    }

    #[test]
    fn what_keeps_things_is_named() {
        assert_eq!(finalizers(&peer("None")), "it is kept by a, b");
        assert_eq!(node_gone(&[]), Seen::Done);
        let node: Node = serde_json::from_value(json!({"metadata": {"name": "liqo-milan"}})).unwrap();
        assert_eq!(node_gone(&[node]), Seen::NotYet("node liqo-milan is still there".to_owned()));
    }
}
