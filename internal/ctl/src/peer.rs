//! `liqoctl peer`: this cluster is to use resources of another one.

mod arguments;
mod endpoint;
mod plan;
mod steps;
mod token_secret;
mod wish;

use k8s_openapi::api::core::v1::{Node, Secret as SecretObject};
use liqo_api::ForeignCluster;
use liqo_api::labels::REMOTE_CLUSTER_ID;
use liqo_identity::peer_token_secret;
use liqo_model::ClusterName;
use liqo_model::crd::PeeringEnabled;

pub use arguments::PeerArguments;
use arguments::{OutOfBand, PeerCommand};
pub(crate) use endpoint::Endpoints;
use plan::Asked;
pub(crate) use plan::party;
pub(crate) use steps::said_of;
use steps::{Step, node_seen, peering_seen, vanished};
use wish::{Wish, Write, made, standing_for, write_for};
pub(crate) use wish::{enabled, type_of};

use crate::access::Access;
use crate::cluster::{Cluster, Objects};
use crate::debug::plain;
use crate::footprint::Party;
use crate::known::{Known, id_of, known, only_one};
use crate::local::LocalIdentity;
use crate::plan::{Change, Deed};
use crate::wait::{Patience, Seen};
use crate::{Console, CtlError, local, status, version};

/// How the command is to be carried out.
#[derive(Clone, Copy)]
struct Manner<'a> {
    namespace: &'a str,
    patience: Patience,
    /// Nothing is done, it is only shown.
    plan: bool,
}

pub(crate) async fn run(
    access: &Access,
    arguments: PeerArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let namespace = arguments.installed.namespace.as_str();
    let manner = Manner { namespace, patience: Patience::new(arguments.timeout), plan: arguments.plan };
    match (arguments.peer, arguments.command) {
        (Some(name), None) => {
            let cluster = Cluster::open(access).await?;
            again(&cluster, &name, manner, console).await
        }
        (None, Some(PeerCommand::OutOfBand(peer))) => {
            let wish = Wish::checked(&peer.name, &peer.cluster_id, &peer.auth_url)?;
            let cluster = Cluster::open(access).await?;
            out_of_band(&cluster, (&peer, &wish), manner, console).await
        }
        _ => Err(CtlError::Argument("write either the name of a ForeignCluster or out-of-band".to_owned())),
    }
}

/// Peers with a cluster that is known already.
async fn again(
    cluster: &Cluster,
    name: &str,
    manner: Manner<'_>,
    console: &mut Console,
) -> Result<(), CtlError> {
    let Known { peer, all } = known(cluster, name).await?;
    version::warn(cluster, manner.namespace, console).await?;
    let home = local::identity(cluster, manner.namespace).await;
    usable(&peer, home.as_ref().ok())?;
    only_one(id_of(&peer), &all)?;
    let patch = enabled(&peer, PeeringEnabled::Yes);
    if manner.plan {
        let home = home?;
        let change = patch.map(|patch| Change::new(Deed::Change, format!("ForeignCluster {name}: {patch}")));
        let asked = Asked {
            home: &home,
            provider: party(&peer),
            auth_url: &peer.spec.foreign_auth_url,
            known: Some(&peer),
            network: status::has_network(cluster, manner.namespace).await?,
        };
        let plan = plan::plan(cluster, &asked, change.into_iter().collect()).await?;
        return console.write(&plan.shown());
    }
    match patch {
        Some(patch) => {
            cluster.foreign_clusters().merge(name, &patch).await?;
            console.success(&format!("Peering with cluster {} asked for", plain(name)))?;
        }
        None => console.info(&format!("Peering with cluster {} was asked for before", plain(name)))?,
    }
    established(cluster, (name, manner.patience), console).await
}

/// Refuses an object that nothing can come of.
fn usable(peer: &ForeignCluster, home: Option<&LocalIdentity>) -> Result<(), CtlError> {
    let refused = |fault: &str, remedy: String| CtlError::Object {
        object: format!("ForeignCluster {}", plain(crate::known::name_of(peer))),
        fault: fault.to_owned(),
        remedy,
    };
    if peer.metadata.deletion_timestamp.is_some() {
        let remedy = "wait until it is gone, and use `liqoctl peer out-of-band`".to_owned();
        return Err(refused("is being deleted", remedy));
    }
    if home.is_some_and(|home| home.id.as_str() == id_of(peer)) {
        let name = plain(crate::known::name_of(peer));
        let remedy =
            format!("`kubectl delete foreigncluster {name}`, and run the command in the other cluster");
        return Err(refused("stands for this very cluster", remedy));
    }
    Ok(())
}

/// Makes a cluster known, and peers with it.
async fn out_of_band(
    cluster: &Cluster,
    (peer, wish): (&OutOfBand, &Wish),
    manner: Manner<'_>,
    console: &mut Console,
) -> Result<(), CtlError> {
    let (namespace, peers) = (manner.namespace, cluster.foreign_clusters());
    // Judged before anything is written, so that a refusal leaves nothing behind.
    let known = peers.list("").await?;
    version::warn(cluster, namespace, console).await?;
    let home = local::identity(cluster, namespace).await?;
    if home.id == wish.id {
        return Err(CtlError::Argument(format!(
            "--cluster-id {} is this very cluster: run the command in the cluster that is to use resources",
            plain(wish.id.as_str())
        )));
    }
    only_one(wish.id.as_str(), &known)?;
    let write = write_for(&known, wish)?;
    let secrets = cluster.within::<SecretObject>(namespace);
    if manner.plan {
        let content = peer_token_secret(&wish.id, peer.auth_token.secret(), &namespace.into());
        let token = plan::of_token(&secrets, &content).await?;
        let first = token.into_iter().chain(plan::of_write(&peer.name, &write)).collect();
        let found = standing_for(&wish.id, &known);
        let asked = Asked {
            home: &home,
            provider: provider(peer, wish, found),
            auth_url: &peer.auth_url,
            known: found,
            network: status::has_network(cluster, namespace).await?,
        };
        return console.write(&plan::plan(cluster, &asked, first).await?.shown());
    }
    let token = token_secret::keep(&secrets, (&wish.id, peer.auth_token.secret()), namespace);
    let token_is_new = token.await?;
    let (name, peering_is_new) = written(&peers, (peer, wish), write).await?;
    if name != peer.name {
        console.info(&format!("The cluster is known as {}", plain(&name)))?;
    }
    if token_is_new || peering_is_new {
        console.success(&format!("Peering with cluster {} asked for", plain(&name)))?;
    } else {
        console.info(&format!("Peering with cluster {} was asked for before", plain(&name)))?;
    }
    established(cluster, (&name, manner.patience), console).await
}

/// The other cluster; one that is known already keeps its name.
fn provider(peer: &OutOfBand, wish: &Wish, known: Option<&ForeignCluster>) -> Party {
    let name = known.map(|known| known.spec.cluster_identity.cluster_name.as_str());
    let name = name.filter(|name| !name.is_empty()).unwrap_or(&peer.name);
    Party { id: wish.id.clone(), name: ClusterName::new(name) }
}

/// Writes what has to be written; the name of the object, and whether anything was.
async fn written(
    peers: &Objects<ForeignCluster>,
    (peer, wish): (&OutOfBand, &Wish),
    write: Write,
) -> Result<(String, bool), CtlError> {
    match write {
        Write::Create => {
            if !peers.create(&peer.name, &made(wish)).await? {
                return Err(CtlError::Object {
                    object: peers.named(&peer.name),
                    fault: "was made by somebody else at this moment".to_owned(),
                    remedy: "run the command again".to_owned(),
                });
            }
            Ok((peer.name.clone(), true))
        }
        Write::Change { name, patch } => {
            peers.merge(&name, &patch).await?;
            Ok((name, true))
        }
        Write::Nothing { name } => Ok((name, false)),
    }
}

/// Waits until pods can run in the peer.
async fn established(
    cluster: &Cluster,
    (name, patience): (&str, Patience),
    console: &mut Console,
) -> Result<(), CtlError> {
    let (peers, nodes) = (cluster.foreign_clusters(), cluster.of_cluster::<Node>());
    let mut endpoints = Endpoints::new(cluster);
    for step in Step::ALL {
        let look = async || {
            let peer = peers.get(name).await?.ok_or_else(|| vanished(name))?;
            let id = id_of(&peer);
            let seen = if step != Step::Node || id.is_empty() {
                peering_seen(step, &peer)
            } else {
                node_seen(&nodes.list(&format!("{REMOTE_CLUSTER_ID}={id}")).await?, &peer)
            };
            match seen {
                Seen::NotYet(said) => Ok(Seen::NotYet(endpoints.named(step, &peer, said).await)),
                done => Ok::<Seen, CtlError>(done),
            }
        };
        patience.wait(step.awaited(name), console, look).await?;
    }
    console.success("Peering successfully established")
}
