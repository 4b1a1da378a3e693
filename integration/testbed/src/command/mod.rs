//! Calls of other programs: their output is kept for the error that a failure becomes.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::node::NodeProcess;

/// How many characters of a failed program's output an error carries: its last words tell the cause.
const OUTPUT_KEPT: usize = 600;

/// The environment variable that tells who called a program, for as long as the program runs.
pub(crate) const CALLER: &str = "LIQO_TESTBED_CALLER";

/// This process in a form that [`crate::node::process::orphans`] reads.
fn caller() -> String {
    NodeProcess::current().and_then(NodeProcess::to_mark).unwrap_or_default()
}

/// A program to run to its end.
#[derive(Debug)]
pub(crate) struct Call {
    words: Vec<String>,
    input: Option<String>,
    environment: Vec<(String, String)>,
}

impl Call {
    /// A call of `program` with `arguments`.
    pub(crate) fn new<S: Into<String>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Self {
        let mut words = vec![program.to_owned()];
        words.extend(arguments.into_iter().map(Into::into));
        Self { words, input: None, environment: Vec::new() }
    }

    /// More arguments.
    pub(crate) fn arguments<S: Into<String>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        self.words.extend(more.into_iter().map(Into::into));
        self
    }

    /// The same call inside a network namespace. The mounts stay, unlike with `ip netns exec`, which hides cgroups.
    pub(crate) fn in_network(mut self, namespace: &Path) -> Self {
        self.words
            .splice(0..0, ["nsenter".to_owned(), format!("--net={}", namespace.display()), "--".to_owned()]);
        self
    }

    /// What the program reads from its standard input.
    pub(crate) fn input(mut self, text: impl Into<String>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// An additional environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs the program and returns what it printed.
    ///
    /// # Errors
    /// [`Error::Command`] when it cannot be started or does not exit with 0.
    pub(crate) async fn run(self) -> Result<String> {
        let output = self.output().await?;
        if !output.status.success() {
            return Err(self.failure(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn output(&self) -> Result<Output> {
        let cannot = |source| Error::File { action: "start", path: self.words[0].clone().into(), source };
        let mut child = Command::new(&self.words[0])
            .args(&self.words[1..])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(CALLER, caller())
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot)?;
        if let (Some(text), Some(mut pipe)) = (&self.input, child.stdin.take()) {
            // A program that fails early closes its input; its own message is the better error.
            let _ = pipe.write_all(text.as_bytes()).await;
        }
        child.wait_with_output().await.map_err(cannot)
    }

    fn failure(&self, output: &Output) -> Error {
        let mut text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if text.is_empty() {
            text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        }
        let cut = text.len().saturating_sub(OUTPUT_KEPT);
        let start = (cut..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        Error::Command {
            command: self.words.join(" "),
            status: output.status.to_string(),
            output: text[start..].to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_and_input_are_passed() {
        let text = Call::new("cat", ["-"]).input("salve").run().await.unwrap();
        assert_eq!(text, "salve");
    }

    #[tokio::test]
    async fn a_failure_carries_the_last_words() {
        let error = Call::new("sh", ["-c", "echo wrong >&2; exit 3"]).run().await.unwrap_err().line();
        assert!(error.contains("wrong") && error.contains('3'), "{error}");
    }
}
