//! The command line of `liqoctl debug`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use liqo_events::CommandId;
use liqo_projections::{ObjectPattern, PatternError, parse_command};

use crate::access::Access;

/// Look into the event log of a process of Liqo.
#[derive(Clone, Debug, Args)]
pub struct DebugArguments {
    /// What to show.
    #[command(subcommand)]
    pub(crate) command: DebugCommand,
    /// Read this file, written by `debug export`, instead of a process
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["socket", "pod", "kubeconfig", "context"])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// How to show it
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

impl DebugArguments {
    /// In the cluster that the command line chose.
    pub(crate) fn at(mut self, access: Access) -> Self {
        self.place.access = access;
        self
    }
}

/// Where the process is: behind a socket, or in a pod.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Connect to this unix socket instead of going through the cluster
    #[arg(long, global = true, value_name = "PATH", conflicts_with_all = ["pod", "kubeconfig", "context"])]
    pub(crate) socket: Option<PathBuf>,
    /// Namespace of the process; of a virtual kubelet, the tenant namespace of the peer
    #[arg(short, long, global = true, value_name = "NAMESPACE", default_value = "liqo")]
    pub(crate) namespace: String,
    /// Component whose process is meant: controller-manager or virtual-kubelet
    #[arg(long, global = true, value_name = "NAME", default_value = "controller-manager")]
    pub(crate) component: String,
    /// Pod of the component, when there are several
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) pod: Option<String>,
    /// The cluster; said before the verb as well as behind it, so it is put here when all is parsed.
    #[arg(skip)]
    pub(crate) access: Access,
}

/// How to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// What to show.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DebugCommand {
    /// Show events, the newest last
    Tail(TailArguments),
    /// Show one event in full
    Get {
        /// Its number
        seq: u64,
    },
    /// Show why something is as it is: what led to the last event about it, and what followed
    Why {
        /// An object (KIND/NAME or KIND/NAMESPACE/NAME), the ID of a command, or the number of an event
        subject: Subject,
        /// Levels to go up and down
        #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
        depth: u32,
    },
    /// Show how the process is doing
    State,
    /// Write events to a file that --file reads, here or on another machine
    Export {
        /// The file, which must not exist
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// The first event
        #[arg(long, value_name = "SEQ")]
        from: Option<u64>,
        /// The last event
        #[arg(long, value_name = "SEQ")]
        to: Option<u64>,
    },
    /// Open the debug service on localhost, for any gRPC console
    Proxy {
        /// Port; 0 takes any that is free
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
}

/// Which events to show.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TailArguments {
    /// Go on with new events
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Begin with this event
    #[arg(long, value_name = "SEQ", conflicts_with = "last")]
    pub(crate) from: Option<u64>,
    /// Begin this many events before the end, counted before filters
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) last: u32,
    /// Only events of this kind, for instance CommandFailed; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// Only events about this object: KIND/NAME or KIND/NAMESPACE/NAME
    #[arg(long, value_name = "OBJECT")]
    pub(crate) object: Option<ObjectPattern>,
}

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An object, by the text that was typed and what it means.
    Object(ObjectPattern),
    /// A command.
    Command(CommandId),
    /// An event.
    Event(u64),
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(seq) = text.parse() {
            return Ok(Self::Event(seq));
        }
        if let Some(id) = parse_command(text) {
            return Ok(Self::Command(id));
        }
        text.parse().map(Self::Object).map_err(|error: PatternError| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::{Arguments, Command};

    fn parsed(line: &str) -> Result<DebugArguments, clap::Error> {
        match Arguments::try_parse_from(line.split(' '))?.command {
            Command::Debug(debug) => Ok(debug),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_subject_is_an_event_a_command_or_an_object() {
        assert_eq!("41".parse(), Ok(Subject::Event(41)));
        assert_eq!("ab".repeat(16).parse(), Ok(Subject::Command(CommandId([0xab; 16]))));
        let milan: ObjectPattern = "ForeignCluster/milan".parse().unwrap();
        assert_eq!("foreignclusters/milan".parse(), Ok(Subject::Object(milan)));
        assert!("milan".parse::<Subject>().unwrap_err().contains("write KIND/NAME"));
    }

    #[test]
    fn places_exclude_each_other() {
        assert!(parsed("liqoctl debug tail --file f --socket s").is_err());
        assert!(parsed("liqoctl debug tail --socket s --pod p").is_err());
        assert!(parsed("liqoctl debug tail --from 3 --last 4").is_err());
        assert!(parsed("liqoctl debug why pod/x/y --depth 65").is_err());
        let debug = parsed("liqoctl debug --namespace other get 4 -o json").unwrap();
        assert_eq!((debug.place.namespace.as_str(), debug.output), ("other", Output::Json));
        assert!(matches!(debug.command, DebugCommand::Get { seq: 4 }));
    }
}
