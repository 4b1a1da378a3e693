//! Commands inside nodes.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::node::NodeProcess;

/// Programs of the node's own come first, as for its components.
const PATH: &str = "/opt/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a command in a node did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Whether it exited with 0.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a command in a node and keeps its output.
///
/// # Errors
/// [`Error::Invalid`] for a node that does not exist, [`Error::Node`] for one that is off.
pub(crate) async fn run(layout: &Layout, node: &str, command: &[&str]) -> Result<Output> {
    let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    run_with(layout, node, &command, None).await
}

pub(crate) async fn run_with(
    layout: &Layout,
    node: &str,
    command: &[String],
    input: Option<&Path>,
) -> Result<Output> {
    let input = match input {
        Some(path) => Stdio::from(std::fs::File::open(path).map_err(Error::file("read", path))?),
        None => Stdio::null(),
    };
    let output = enter(layout, node, command)?
        .stdin(input)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(Error::file("start", "nsenter"))?;
    Ok(Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a command in a node on the user's terminal.
///
/// # Errors
/// As [`run`].
pub(crate) async fn attach(layout: &Layout, node: &str, command: &[String]) -> Result<ExitStatus> {
    enter(layout, node, command)?.status().await.map_err(Error::file("start", "nsenter"))
}

fn enter(layout: &Layout, node: &str, command: &[String]) -> Result<Command> {
    let (record, ordinal) = layout.node_by_name(node)?;
    let directory = layout.node(&record.spec.name, &record.spec.name.node(ordinal));
    let process = NodeProcess::of(&directory)
        .ok_or_else(|| Error::Node { node: node.to_owned(), problem: "does not run".into() })?;
    let mut call = Command::new("nsenter");
    call.arg(format!("--target={}", process.pid))
        .args(["--mount", "--net", "--pid", "--uts", "--ipc", "--root", "--wd", "--"])
        .args(command)
        .env("PATH", PATH)
        .env("KUBECONFIG", "/etc/kubernetes/admin.kubeconfig");
    Ok(call)
}
