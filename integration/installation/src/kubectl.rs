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
        let words = ["apply", "--server-side", "-f", "-"];
        let mut command = self.command(&words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let given = || -> std::io::Result<Output> {
            let mut child = command.spawn()?;
            // It may refuse before it has read everything, and then says why.
            let _ = child.stdin.take().map(|mut input| input.write_all(manifest.as_bytes()));
            child.wait_with_output()
        };
        let output = { given }().map_err(|source| self.not_run(source))?;
        succeeded(output, &words)
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
