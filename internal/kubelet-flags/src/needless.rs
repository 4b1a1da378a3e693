//! Flags that tell this program nothing: they are taken, so that arguments of Liqo 0.8.3 go on working.

use std::time::Duration;

use clap::Args;

use crate::values;

/// After this time without any event, Liqo 0.8.3 looks at its objects again.
const RESYNC: Duration = Duration::from_secs(10 * 3600);
/// How long it waits for the answer to a ping.
const PING: Duration = Duration::from_secs(1);

/// What the event log or the controller manager has taken over.
#[derive(Debug, Args)]
pub(crate) struct Needless {
    /// Without effect: what is watched is compared with a list every few minutes.
    #[arg(long, default_value = "10h", value_parser = values::duration)]
    resync_period: Duration,
    /// Without effect: how addresses are translated is decided by the controller manager and read from TunnelEndpoints.
    #[arg(long, default_value = "")]
    ipam_server: String,
    /// Without effect: the controller manager asks the provider's API server, in its own time.
    #[arg(long, default_value = "1s", value_parser = values::duration)]
    node_ping_timeout: Duration,
}

impl Needless {
    /// Those that were given, each with the reason why it changes nothing.
    pub(crate) fn given(&self) -> Vec<String> {
        let flags = [
            (
                self.resync_period != RESYNC,
                "--resync-period: what is watched is compared at its own interval",
            ),
            (!self.ipam_server.is_empty(), "--ipam-server: addresses are translated as TunnelEndpoints say"),
            (
                self.node_ping_timeout != PING,
                "--node-ping-timeout: the controller manager asks the API server",
            ),
        ];
        flags.into_iter().filter(|(given, _)| *given).map(|(_, reason)| reason.to_owned()).collect()
    }
}
