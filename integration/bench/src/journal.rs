//! Logs on disk with the history of a cluster in them.

use std::path::{Path, PathBuf};

use clap::Args;
use liqo_domain::{Batch, Checkpoint};
use liqo_events::UnixMillis;
use liqo_log::{EventLog as _, Options, SledLog, Snapshot};

use crate::Result;
use crate::world::{Home, Scale, World};

/// What the log is of.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The volume.
    #[arg(long)]
    pub(crate) log: PathBuf,
    /// Objects that are known in the end.
    #[arg(long)]
    pub(crate) objects: u32,
    /// Uid of the namespace kube-system of the cluster that the log is of.
    #[arg(long, default_value = "bench")]
    pub(crate) uid: String,
    /// Version of everything; grows when there is none.
    #[arg(long)]
    pub(crate) version: Option<u64>,
}

/// A cluster that has so many objects in the end.
pub(crate) fn scale(objects: u32) -> Scale {
    const PEERS: u32 = 20;
    const NAMESPACES: u32 = 400;
    const OFFLOADED: u32 = 40;
    // A peer is a ForeignCluster, a node, a map and a tenant namespace; one ConfigMap has the identity.
    let others = 4 * PEERS + NAMESPACES + OFFLOADED + 1;
    Scale {
        pods: objects.saturating_sub(others),
        updates: 1,
        peers: PEERS,
        namespaces: NAMESPACES,
        offloaded: OFFLOADED,
    }
}

/// Writes the log and ends.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut log = SledLog::open(&arguments.log, Options::CONTROLLER, UnixMillis(0))?.log;
    let mut sink = |batch: Batch| append(&mut log, &batch);
    let home = Home { uid: arguments.uid.clone(), version: arguments.version };
    let mut world = World::new(home, &mut sink)?;
    world.live(scale(arguments.objects))?;
    let known = world.state().objects.len();
    if known != arguments.objects as usize {
        return Err(format!("the history ends with {known} objects instead of {}", arguments.objects).into());
    }
    Ok(())
}

/// Makes a batch durable, as the engine does.
pub(crate) fn append(log: &mut SledLog, batch: &Batch) -> Result<()> {
    for part in batch.envelopes.chunks(256) {
        log.append(part)?;
    }
    if let Some(checkpoint) = &batch.checkpoint {
        log.keep(&snapshot(checkpoint))?;
        log.collect(checkpoint.recorded_at)?;
    }
    Ok(())
}

/// A checkpoint as the log keeps it.
fn snapshot(checkpoint: &Checkpoint) -> Snapshot {
    Snapshot::new(checkpoint.at, checkpoint.recorded_at, checkpoint.digest, checkpoint.events.clone())
}

/// Bytes of the files in a directory and below.
pub(crate) fn bytes_below(path: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
