//! `liqoctl reset identity`: a peer that lost its identity at this cluster may ask for another one.

use clap::{Args, Subcommand};
use k8s_openapi::api::core::v1::{Namespace, Secret as SecretObject};
use liqo_api::labels::CLUSTER_ID;
use liqo_api::names::REMOTE_CERTIFICATE_SECRET;

use crate::access::Access;
use crate::cluster::Cluster;
use crate::debug::plain;
use crate::known::{id_of, meant, name_of};
use crate::{Console, CtlError};

/// Undo what cannot be undone by asking again.
#[derive(Clone, Debug, Args)]
pub struct ResetArguments {
    #[command(subcommand)]
    command: ResetCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum ResetCommand {
    /// Let a peer that lost its identity at this cluster ask for another one
    ///
    /// While a peer uses its identity, no token gets it another one: whoever has a token could otherwise be the peer. After
    /// this, the next token that is used for the peer does, once. The certificate that the peer had works until it ends.
    Identity {
        /// The peer: the name of its `ForeignCluster`, or its cluster ID
        #[arg(value_name = "PEER")]
        peer: String,
    },
}

pub(crate) async fn run(
    access: &Access,
    arguments: ResetArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let ResetCommand::Identity { peer } = arguments.command;
    let cluster = Cluster::open(access).await?;
    let (id, namespaces) = tenant(&cluster, &peer).await?;
    let mut reset = false;
    for namespace in &namespaces {
        let secrets = cluster.within::<SecretObject>(namespace);
        if secrets.get(REMOTE_CERTIFICATE_SECRET).await?.is_some() {
            secrets.delete(REMOTE_CERTIFICATE_SECRET).await?;
            reset = true;
        }
    }
    let id = plain(&id);
    if !reset {
        return console.info(&format!("Cluster {id} has no identity at this cluster: nothing to do"));
    }
    console.success(&format!("Cluster {id} may ask for another identity"))?;
    console.info(
        "It needs a token for that: `liqoctl generate peer-command` prints one. Its earlier certificate works until it ends",
    )
}

/// The ID of a peer, and the namespaces that are its own, of which there is one.
async fn tenant(cluster: &Cluster, peer: &str) -> Result<(String, Vec<String>), CtlError> {
    let all = cluster.foreign_clusters().list("").await?;
    let known = all.iter().find(|known| name_of(known) == peer).map(|known| id_of(known).to_owned());
    let id = known.unwrap_or_else(|| peer.to_owned());
    // What is no label's value is nobody's ID, and would be another selector.
    let found = if is_label_value(&id) {
        cluster.of_cluster::<Namespace>().list(&format!("{CLUSTER_ID}={id}")).await?
    } else {
        Vec::new()
    };
    if found.is_empty() {
        return Err(CtlError::Object {
            object: format!("peer {}", plain(peer)),
            fault: "has no tenant namespace in this cluster".to_owned(),
            remedy: meant(peer, &all),
        });
    }
    let names = found.into_iter().filter_map(|namespace| namespace.metadata.name);
    Ok((id, names.collect()))
}

fn is_label_value(text: &str) -> bool {
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    !text.is_empty() && text.chars().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_makes_no_selector() {
        assert!(is_label_value("7f081ef5-ce34-40d7-94fc-46a331394d56"));
        for text in ["", "a,b", "a=b", "!a", "a in (b)"] {
            assert!(!is_label_value(text), "{text}");
        }
    }
}
