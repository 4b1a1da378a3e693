//! The testbed as one value: what the binary and the tests call.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use kube::Client;

use crate::control_plane;
use crate::error::{Error, Result};
use crate::exec::{self, Output};
use crate::fault;
use crate::layout::Layout;
use crate::lifecycle::{self, Status};
use crate::model::{ClusterName, ClusterSpec};
use crate::network::Cut;
use crate::node::Verb;
use crate::progress::Progress;

/// The testbed of this machine.
///
/// ```no_run
/// # async fn example() -> liqo_testbed::Result<()> {
/// use liqo_testbed::{ClusterSpec, Testbed};
/// let testbed = Testbed::open()?;
/// testbed.up(&[ClusterSpec::new("rome".parse()?)]).await?;
/// let client = testbed.client(&"rome".parse()?).await?;
/// testbed.exec("rome-control-plane", &["ip", "addr"]).await?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Testbed {
    layout: Layout,
    progress: Progress,
}

impl Testbed {
    /// The testbed that the environment names. Nothing is made yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unusable environment variable.
    pub fn open() -> Result<Self> {
        Ok(Self { layout: Layout::from_environment()?, progress: Progress::new() })
    }

    /// Whether this process may make nodes.
    ///
    /// # Errors
    /// [`Error::Machine`] that names what is missing.
    pub fn privileges() -> Result<()> {
        crate::preflight::privileges()
    }

    /// The directories.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Brings clusters up. Clusters that run as asked for are left alone, so tests share them.
    ///
    /// # Errors
    /// [`Error`]: see the documentation of each variant.
    pub async fn up(&self, specs: &[ClusterSpec]) -> Result<()> {
        lifecycle::up(&self.layout, specs, &self.progress).await
    }

    /// Takes clusters down, or all with no name. Returns the names of those that there were.
    ///
    /// # Errors
    /// [`Error`] of the first thing that could not be removed.
    pub async fn down(&self, names: &[ClusterName]) -> Result<Vec<String>> {
        lifecycle::down(&self.layout, names, &self.progress).await
    }

    /// How all clusters are.
    ///
    /// # Errors
    /// [`Error::File`] when records cannot be read.
    pub async fn status(&self) -> Result<Status> {
        lifecycle::status(&self.layout).await
    }

    /// The administrator's kubeconfig of a cluster.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is no such cluster.
    pub fn kubeconfig(&self, name: &ClusterName) -> Result<PathBuf> {
        self.layout.record(name)?;
        Ok(self.layout.kubeconfig(name))
    }

    /// A client of the cluster's administrator.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is no such cluster.
    pub async fn client(&self, name: &ClusterName) -> Result<Client> {
        control_plane::client(name.as_str(), &self.kubeconfig(name)?).await
    }

    /// The directory with `kubectl`, `helm` and all components, built first when the cache lacks them.
    ///
    /// # Errors
    /// [`Error::Machine`] without Go, [`Error::Command`] when the build fails.
    pub async fn kubernetes(&self) -> Result<PathBuf> {
        crate::kubernetes::binaries(&self.layout, &self.progress).await
    }

    /// Imports an image archive on every node of a cluster.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown cluster or a file that is no image.
    pub async fn load(&self, name: &ClusterName, archive: &Path) -> Result<String> {
        lifecycle::load(&self.layout, name, archive).await
    }

    /// Runs a command in a node.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown node, [`Error::Node`] for one that is off.
    pub async fn exec(&self, node: &str, command: &[&str]) -> Result<Output> {
        exec::run(&self.layout, node, command).await
    }

    /// Runs a command in a node on the caller's terminal.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub async fn attach(&self, node: &str, command: &[String]) -> Result<ExitStatus> {
        exec::attach(&self.layout, node, command).await
    }

    /// The file that a component of a node writes what it prints to.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown node or component.
    pub fn log(&self, node: &str, component: &str) -> Result<PathBuf> {
        let (record, ordinal) = self.layout.node_by_name(node)?;
        let logs = self.layout.node(&record.spec.name, &record.spec.name.node(ordinal)).join("logs");
        let path = logs.join(format!("{component}.log"));
        if path.exists() && !component.contains('/') {
            return Ok(path);
        }
        let known = crate::layout::directory(&logs)?;
        let known: Vec<&str> = known.iter().filter_map(|name| name.strip_suffix(".log")).collect();
        Err(Error::Invalid {
            what: "component",
            value: component.to_owned(),
            problem: format!("has no log on {node}"),
            fix: format!("choose one of {}", known.join(", ")),
        })
    }

    /// Starts, stops, kills, pauses or resumes a component and waits until it took effect.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown node, [`Error::Node`] for an unknown component or one that does not run.
    pub async fn component(&self, node: &str, verb: Verb, component: &str) -> Result<()> {
        fault::component(&self.layout, node, verb, component).await
    }

    /// Takes a node's power away.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown node.
    pub async fn kill_node(&self, node: &str) -> Result<()> {
        fault::kill_node(&self.layout, node, &self.progress).await
    }

    /// Starts a node that is off and waits until it is Ready.
    ///
    /// # Errors
    /// [`Error::Timeout`] when it does not come back.
    pub async fn start_node(&self, node: &str) -> Result<()> {
        fault::start_node(&self.layout, node, &self.progress).await
    }

    /// Cuts the link of a node, of a cluster, or between two clusters.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unknown names.
    pub async fn cut(&self, names: &[String]) -> Result<Cut> {
        let cut = fault::link(&self.layout, names)?;
        fault::change_cuts(&self.layout, &self.progress, |cuts| {
            cuts.insert(cut.clone());
        })
        .await?;
        Ok(cut)
    }

    /// Heals one link, or with no name all.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unknown names or a link that is not cut.
    pub async fn heal(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return fault::change_cuts(&self.layout, &self.progress, std::collections::BTreeSet::clear).await;
        }
        let cut = fault::link(&self.layout, names)?;
        let mut was_cut = false;
        fault::change_cuts(&self.layout, &self.progress, |cuts| was_cut = cuts.remove(&cut)).await?;
        if was_cut {
            return Ok(());
        }
        Err(Error::Invalid {
            what: "link",
            value: names.join(" "),
            problem: "is not cut".into(),
            fix: "`testbed status` lists the links that are".into(),
        })
    }
}
