//! Requests to the supervisor of a node from outside.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::protocol::{Answer, ComponentState, ComponentStatus, Request, Verb};
use crate::error::{Error, Result};

/// The supervisor answers from memory, so this is long even on a machine that is busy starting clusters.
const ANSWER: Duration = Duration::from_secs(10);
/// How often a state that is waited for is asked.
const POLL: Duration = Duration::from_millis(25);

/// A line to one supervisor.
#[derive(Clone, Debug)]
pub(crate) struct NodeClient<'a> {
    node: &'a str,
    socket: &'a Path,
}

impl<'a> NodeClient<'a> {
    /// The client of the node with this name and socket.
    pub(crate) fn new(node: &'a str, socket: &'a Path) -> Self {
        Self { node, socket }
    }

    /// The state of all components.
    ///
    /// # Errors
    /// [`Error::Node`] when the supervisor does not answer.
    pub(crate) async fn status(&self) -> Result<Vec<ComponentStatus>> {
        self.ask(&Request::Status).await
    }

    /// Does something with components.
    ///
    /// # Errors
    /// [`Error::Node`] when the supervisor refuses or does not answer.
    pub(crate) async fn apply(&self, verb: Verb, components: &[&str]) -> Result<Vec<ComponentStatus>> {
        self.ask(&Request::Do(verb, components.iter().map(|c| (*c).to_owned()).collect())).await
    }

    /// Waits until a component is in a state.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `limit`, [`Error::Node`] when the supervisor does not answer.
    pub(crate) async fn wait(&self, component: &str, state: ComponentState, limit: Duration) -> Result<()> {
        let wait = async {
            while !self.status().await?.iter().any(|c| c.name == component && c.state == state) {
                tokio::time::sleep(POLL).await;
            }
            Ok(())
        };
        tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| {
            Err(Error::Timeout {
                what: format!("{component} on {} being {state:?}", self.node).to_lowercase(),
                limit,
                hint: format!("see `testbed logs {} {component}`", self.node),
            })
        })
    }

    async fn ask(&self, request: &Request) -> Result<Vec<ComponentStatus>> {
        let silent = |error: std::io::Error| Error::Node {
            node: self.node.to_owned(),
            problem: match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => "does not run".into(),
                _ => format!("does not answer ({error})"),
            },
        };
        let exchange = async {
            let mut stream = UnixStream::connect(self.socket).await?;
            let mut line = serde_json::to_vec(request)?;
            line.push(b'\n');
            stream.write_all(&line).await?;
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer).await?;
            Ok::<Answer, std::io::Error>(serde_json::from_str(&answer)?)
        };
        let answer = tokio::time::timeout(ANSWER, exchange)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(silent)?;
        answer.map_err(|problem| Error::Node { node: self.node.to_owned(), problem })
    }
}
