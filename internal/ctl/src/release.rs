//! `liqoctl release`: an administrator lets go of what is held of a peer.

use clap::Args;
use serde_json::json;

use crate::access::Access;
use crate::debug::arguments::{Output, Place};
use crate::debug::{ask, plain};
use crate::{Console, CtlError};

/// Let go of what is held of a peer.
#[derive(Clone, Debug, Args)]
pub struct ReleaseArguments {
    /// The peer: its cluster ID, or the name of its `ForeignCluster` or of its `NamespaceMap`
    peer: String,
    #[command(flatten)]
    place: Place,
    /// How to show it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl ReleaseArguments {
    /// In the cluster that the command line chose.
    pub(crate) fn at(mut self, access: Access) -> Self {
        self.place.access = access;
        self
    }
}

/// What was let go of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Released {
    /// Cluster ID of the peer.
    pub(crate) cluster: String,
    /// Mappings that were held until now.
    pub(crate) mappings: u64,
}

pub(crate) async fn run(arguments: ReleaseArguments, console: &mut Console) -> Result<(), CtlError> {
    let ReleaseArguments { peer, place, output } = arguments;
    let released = ask(&place, async |live| live.release(&peer).await).await?;
    console.write(&shown(&released, output))
}

fn shown(released: &Released, output: Output) -> String {
    let Released { cluster, mappings } = released;
    match (output, *mappings) {
        (Output::Json, _) => format!("{}\n", json!({"cluster": cluster, "mappings": mappings})),
        (Output::Text, 0) => format!("nothing is held of peer {}\n", plain(cluster)),
        (Output::Text, 1) => format!("1 mapping of peer {} was held and is let go of\n", plain(cluster)),
        (Output::Text, mappings) => {
            format!("{mappings} mappings of peer {} were held and are let go of\n", plain(cluster))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_much_was_held() {
        let text = |mappings, output| shown(&Released { cluster: "m\u{1b}1".to_owned(), mappings }, output);
        assert_eq!(text(0, Output::Text), "nothing is held of peer m\\u{1b}1\n");
        assert_eq!(text(1, Output::Text), "1 mapping of peer m\\u{1b}1 was held and is let go of\n");
        assert_eq!(text(2, Output::Text), "2 mappings of peer m\\u{1b}1 were held and are let go of\n");
        assert_eq!(text(2, Output::Json), "{\"cluster\":\"m\\u001b1\",\"mappings\":2}\n");
    }
}
