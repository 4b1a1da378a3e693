//! Carries tables to the kernel and back, with the program `nft`.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::{Listing, NAME, Table};

/// Longest time for one call. A table of some hundred peers takes milliseconds; a kernel that is busy with a large
/// transaction of somebody else makes us wait for its lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the kernel did not take or give a table.
#[derive(Debug, Error)]
pub(crate) enum NftError {
    #[error("the program nft cannot be run: the image lacks it, or the pod may not run programs")]
    Run { source: io::Error },
    #[error("nft did not end within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("nft {call} refused: {complaint}")]
    Refused { call: &'static str, complaint: String },
    #[error("nft lists the table ip {NAME} in a form that this version does not know")]
    Form { source: serde_json::Error },
}

/// The nftables of this process's network namespace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nft;

impl Nft {
    /// Our table as it is; nothing when there is none.
    pub(crate) async fn list(self) -> Result<Option<Listing>, NftError> {
        let output = run("list table", &["-j", "list", "table", "ip", NAME], None).await?;
        if output.status.success() {
            return Listing::parse(&output.stdout).map(Some).map_err(|source| NftError::Form { source });
        }
        // The kernel's word for a table that is not there, in the language that nft was told to speak.
        let complaint = complaint(&output);
        if complaint.contains("No such file or directory") {
            return Ok(None);
        }
        Err(NftError::Refused { call: "list table", complaint })
    }

    /// Replaces our table, all at once.
    pub(crate) async fn replace(self, table: &Table) -> Result<(), NftError> {
        let output = run("-f -", &["-f", "-"], Some(table.to_string())).await?;
        if output.status.success() {
            return Ok(());
        }
        Err(NftError::Refused { call: "-f -", complaint: complaint(&output) })
    }
}

fn complaint(output: &Output) -> String {
    // The first line names the error; the others repeat the input.
    String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("it said nothing").to_owned()
}

async fn run(call: &'static str, words: &[&str], input: Option<String>) -> Result<Output, NftError> {
    let failed = |source| NftError::Run { source };
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new("nft");
    command.args(words).env("LC_ALL", "C").kill_on_drop(true);
    let mut child =
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    tracing::trace!(call, "nft");
    let exchange = async {
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
            pipe.write_all(text.as_bytes()).await?;
            pipe.shutdown().await?;
        }
        child.wait_with_output().await
    };
    timeout(PATIENCE, exchange).await.map_err(|_| NftError::Slow)?.map_err(failed)
}
