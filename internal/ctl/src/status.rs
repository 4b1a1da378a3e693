//! `liqoctl status`: how Liqo is doing in this cluster, and how its peerings are.

mod arguments;
mod boxes;
mod component;
mod connection;
mod gather;
mod home;
mod overview;
mod peer;
mod report;
mod resources;
mod shown;

pub use arguments::StatusArguments;
use arguments::StatusCommand;
use boxes::Boxes;
pub(crate) use gather::has_network;
use peer::Peers;
use report::{OVERVIEW, PEERS, in_form};

use crate::access::Access;
use crate::cluster::Cluster;
use crate::{Console, CtlError, version};

pub(crate) async fn run(
    access: &Access,
    arguments: StatusArguments,
    verbose: bool,
    console: &mut Console,
) -> Result<(), CtlError> {
    let cluster = Cluster::open(access).await?;
    let boxes = Boxes::new(console.colour());
    let namespace = arguments.installed.namespace.as_str();
    version::warn(&cluster, namespace, console).await?;
    match arguments.command {
        None => {
            let overview = gather::overview(&cluster, namespace).await?;
            let text = || boxes.drawn(&shown::overview(&overview, verbose));
            console.write(&in_form(OVERVIEW, &overview, arguments.output, text)?)?;
            verdict(overview.faults())
        }
        Some(StatusCommand::Peer { names }) => {
            let peers = gather::peers(&cluster, &names, namespace).await?;
            let text = || peers_in_boxes(&peers, boxes, verbose);
            console.write(&in_form(PEERS, &peers, arguments.output, text)?)?;
            verdict(peers.not_found.len())
        }
    }
}

fn peers_in_boxes(peers: &Peers, boxes: Boxes, verbose: bool) -> String {
    if peers.peers.is_empty() && peers.not_found.is_empty() {
        "This cluster has no peers: `liqoctl peer out-of-band` makes one\n".to_owned()
    } else {
        boxes.drawn(&[shown::peers(peers, verbose)])
    }
}

/// What is wrong is shown already; the exit code has to say it too.
fn verdict(faults: usize) -> Result<(), CtlError> {
    match faults {
        0 => Ok(()),
        1 => Err(CtlError::Unhealthy("one thing is not as it should be, see above".to_owned())),
        faults => Err(CtlError::Unhealthy(format!("{faults} things are not as they should be, see above"))),
    }
}
