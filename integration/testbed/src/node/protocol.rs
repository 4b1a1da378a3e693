//! Requests to the supervisor of a node: one line of JSON each way over a socket of the machine.

use serde::{Deserialize, Serialize};

/// What to do with a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Run it, and run it again whenever it ends.
    Start,
    /// SIGTERM, SIGKILL after a while, and keep it down.
    Stop,
    /// SIGKILL. It runs again at once, as systemd or the kubelet would see to.
    Kill,
    /// SIGSTOP: the process is there, its connections are open, nothing answers.
    Pause,
    /// SIGCONT.
    Resume,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// How are the components?
    Status,
    /// Do this with these components.
    Do(Verb, Vec<String>),
}

/// The state of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentState {
    /// Not started, or stopped on request.
    Stopped,
    /// The process runs.
    Running,
    /// The process is stopped by SIGSTOP.
    Paused,
    /// It ended by itself and starts again after a pause.
    Restarting,
}

/// One component in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// The component's name.
    pub name: String,
    /// What it is doing.
    pub state: ComponentState,
    /// How often it was started again since the node came up.
    pub restarts: u32,
    /// Its process in the node's own numbering.
    pub pid: Option<i32>,
}

/// An answer: always the state of all components after the request, or why it was refused.
pub(crate) type Answer = Result<Vec<ComponentStatus>, String>;
