//! The administrator of one cluster, who has `kubectl` and `liqoctl`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use liqo_testbed::{ClusterName, Testbed};

use crate::error::{Error, Result};

/// Who may do everything in a cluster of the testbed, by its commands.
#[derive(Clone, Debug)]
pub struct Administrator {
    kubectl: PathBuf,
    liqoctl: PathBuf,
    kubeconfig: PathBuf,
}

impl Administrator {
    /// That of a cluster, with the `liqoctl` in a directory of programs.
    ///
    /// # Errors
    ///
    /// [`Error::Testbed`] when there is no such cluster.
    pub async fn of(testbed: &Testbed, cluster: &ClusterName, programs: &Path) -> Result<Self> {
        let kubeconfig = testbed.kubeconfig(cluster)?;
        let kubectl = testbed.kubernetes().await?.join("kubectl");
        Ok(Self { kubectl, liqoctl: programs.join("liqoctl"), kubeconfig })
    }

    /// Somebody else with the same programs: whoever is in this kubeconfig.
    #[must_use]
    pub fn with_kubeconfig(&self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), ..self.clone() }
    }

    /// What `kubectl` prints with these arguments.
    ///
    /// # Errors
    ///
    /// [`Error::Run`], and [`Error::Command`] when it fails.
    pub fn kubectl<S: AsRef<str>>(&self, words: &[S]) -> Result<String> {
        self.run(&self.kubectl, words, "")
    }

    /// What `liqoctl` prints with these arguments.
    ///
    /// # Errors
    ///
    /// As [`Self::kubectl`].
    pub fn liqoctl<S: AsRef<str>>(&self, words: &[S]) -> Result<String> {
        self.run(&self.liqoctl, words, "")
    }

    /// Applies objects from text.
    ///
    /// # Errors
    ///
    /// As [`Self::kubectl`].
    pub fn apply(&self, manifest: &str) -> Result<String> {
        self.run(&self.kubectl, &["apply", "--server-side", "-f", "-"], manifest)
    }

    /// Creates objects from text, and gives what the API server made of them: one JSON document each.
    ///
    /// # Errors
    ///
    /// As [`Self::kubectl`].
    pub fn create(&self, manifest: &str) -> Result<String> {
        self.run(&self.kubectl, &["create", "-f", "-", "-o", "json"], manifest)
    }

    fn run<S: AsRef<str>>(&self, program: &Path, words: &[S], input: &str) -> Result<String> {
        let not_run = |source| Error::Run { program: program.to_owned(), source };
        let mut command = Command::new(program);
        command.args(words.iter().map(AsRef::as_ref)).env("KUBECONFIG", &self.kubeconfig);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(not_run)?;
        // It may refuse before it has read everything, and then says why.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().map_err(not_run)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failure(program, words, &output))
    }
}

fn failure<S: AsRef<str>>(program: &Path, words: &[S], output: &Output) -> Error {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let words = words.iter().map(AsRef::as_ref);
    // The one says what is wrong on its standard error, the other as 0.8.3 does on its standard output.
    let said =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
    Error::Command {
        command: std::iter::once(name.as_ref()).chain(words).collect::<Vec<_>>().join(" "),
        said: said.trim().to_owned(),
    }
}
