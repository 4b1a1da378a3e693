//! `liqoctl peer`: this cluster is to use resources of another one.

mod arguments;
mod steps;
mod token_secret;
mod wish;

use k8s_openapi::api::core::v1::{Node, Secret as SecretObject};
use liqo_api::labels::REMOTE_CLUSTER_ID;
use liqo_model::crd::PeeringEnabled;

pub use arguments::PeerArguments;
use arguments::{OutOfBand, PeerCommand};
use steps::{Step, node_seen, peering_seen};
pub(crate) use steps::{said_of, vanished};
use wish::{Wish, Write, made, write_for};
pub(crate) use wish::{enabled, type_of};

use crate::access::Access;
use crate::cluster::{Cluster, Objects};
use crate::debug::plain;
use crate::wait::{Patience, Seen};
use crate::{Console, CtlError, local};

pub(crate) async fn run(
    access: &Access,
    arguments: PeerArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let patience = Patience::new(arguments.timeout);
    match (arguments.peer, arguments.command) {
        (Some(name), None) => again(access, (&name, patience), console).await,
        (None, Some(PeerCommand::OutOfBand(peer))) => {
            out_of_band(access, (&peer, &arguments.installed.namespace), patience, console).await
        }
        _ => Err(CtlError::Argument("write either the name of a ForeignCluster or out-of-band".to_owned())),
    }
}

/// Peers with a cluster that is known already.
async fn again(
    access: &Access,
    (name, patience): (&str, Patience),
    console: &mut Console,
) -> Result<(), CtlError> {
    let cluster = Cluster::open(access).await?;
    let peers = cluster.foreign_clusters();
    let peer = peers.get(name).await?.ok_or_else(|| vanished(name))?;
    match enabled(&peer, PeeringEnabled::Yes) {
        Some(patch) => {
            peers.merge(name, &patch).await?;
            console.success(&format!("Peering with cluster {} asked for", plain(name)))?;
        }
        None => console.info(&format!("Peering with cluster {} was asked for before", plain(name)))?,
    }
    established(&cluster, (name, patience), console).await
}

/// Makes a cluster known, and peers with it.
async fn out_of_band(
    access: &Access,
    (peer, namespace): (&OutOfBand, &str),
    patience: Patience,
    console: &mut Console,
) -> Result<(), CtlError> {
    let wish = Wish::checked(&peer.name, &peer.cluster_id, &peer.auth_url)?;
    let cluster = Cluster::open(access).await?;
    let home = local::identity(&cluster, namespace).await?;
    if home.id == wish.id {
        return Err(CtlError::Argument(format!(
            "--cluster-id {} is this very cluster: run the command in the cluster that is to use resources",
            plain(wish.id.as_str())
        )));
    }
    let peers = cluster.foreign_clusters();
    let known = peers.list("").await?;
    // Judged before anything is written, so that a refusal leaves nothing behind.
    let write = write_for(&known, &wish)?;
    let secrets = cluster.within::<SecretObject>(namespace);
    let token = token_secret::keep(&secrets, (&wish.id, peer.auth_token.secret()), namespace);
    let token_is_new = token.await?;
    let (name, peering_is_new) = match write {
        Write::Create => {
            if !peers.create(&peer.name, &made(&wish)).await? {
                return Err(taken(&peers, &peer.name));
            }
            (peer.name.clone(), true)
        }
        Write::Change { name, patch } => {
            peers.merge(&name, &patch).await?;
            (name, true)
        }
        Write::Nothing { name } => (name, false),
    };
    if name != peer.name {
        console.info(&format!("The cluster is known as {}", plain(&name)))?;
    }
    if token_is_new || peering_is_new {
        console.success(&format!("Peering with cluster {} asked for", plain(&name)))?;
    } else {
        console.info(&format!("Peering with cluster {} was asked for before", plain(&name)))?;
    }
    established(&cluster, (&name, patience), console).await
}

fn taken(peers: &Objects<liqo_api::ForeignCluster>, name: &str) -> CtlError {
    CtlError::Object {
        object: peers.named(name),
        fault: "was made by somebody else at this moment".to_owned(),
        remedy: "run the command again".to_owned(),
    }
}

/// Waits until pods can run in the peer.
async fn established(
    cluster: &Cluster,
    (name, patience): (&str, Patience),
    console: &mut Console,
) -> Result<(), CtlError> {
    let (peers, nodes) = (cluster.foreign_clusters(), cluster.of_cluster::<Node>());
    for step in Step::ALL {
        let look = async || {
            let peer = peers.get(name).await?.ok_or_else(|| vanished(name))?;
            let id = &peer.spec.cluster_identity.cluster_id;
            if step != Step::Node || id.is_empty() {
                return Ok::<Seen, CtlError>(peering_seen(step, &peer));
            }
            let found = nodes.list(&format!("{REMOTE_CLUSTER_ID}={id}")).await?;
            Ok(node_seen(&found, &peer))
        };
        patience.wait(step.awaited(name), console, look).await?;
    }
    console.success("Peering successfully established")
}
