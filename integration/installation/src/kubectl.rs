//! `kubectl` as the administrator of one cluster.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use liqo_testbed::{ClusterName, Testbed};

use crate::error::{Error, Result};

/// `kubectl`, and the cluster that it talks to.
#[derive(Clone, Debug)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// That of a cluster of the testbed.
    ///
    /// # Errors
    ///
    /// [`Error::Testbed`] when there is no such cluster.
    pub async fn of(testbed: &Testbed, cluster: &ClusterName) -> Result<Self> {
        let kubeconfig = testbed.kubeconfig(cluster)?;
        Ok(Self { program: testbed.kubernetes().await?.join("kubectl"), kubeconfig })
    }

    /// The command with these arguments, to be changed and run.
    pub fn command<S: AsRef<str>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words.iter().map(AsRef::as_ref)).env("KUBECONFIG", &self.kubeconfig);
        command.stdin(Stdio::null());
        command
    }

    /// What it prints with these arguments.
    ///
    /// # Errors
    ///
    /// [`Error::Run`], and [`Error::Kubectl`] when it fails.
    pub fn run<S: AsRef<str>>(&self, words: &[S]) -> Result<String> {
        let output = self.command(words).output().map_err(|source| self.not_run(source))?;
        succeeded(output, words)
    }

    /// Applies objects from text.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn apply(&self, manifest: &str) -> Result<String> {
        self.given(&["apply", "--server-side", "-f", "-"], manifest)
    }

    /// Creates objects from text, and gives what the API server made of them: one JSON document each.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn create(&self, manifest: &str) -> Result<String> {
        self.given(&["create", "-f", "-", "-o", "json"], manifest)
    }

    fn given(&self, words: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| self.not_run(source))?;
        // It may refuse before it has read everything, and then says why.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        succeeded(child.wait_with_output().map_err(|source| self.not_run(source))?, words)
    }

    fn not_run(&self, source: std::io::Error) -> Error {
        Error::Run { program: self.program.clone(), source }
    }
}

fn succeeded<S: AsRef<str>>(output: Output, words: &[S]) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
    Err(Error::Kubectl { words, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}
