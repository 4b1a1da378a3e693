//! One node comes up, or loses its power.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::template;
use crate::command::Call;
use crate::component::{Components, components, files, plugin_directory, secrets};
use crate::control_plane::{kubeconfig, pki};
use crate::error::{Error, Result};
use crate::layout::{Layout, write_file, write_secret};
use crate::model::ClusterRecord;
use crate::network::{plug, segment_of};
use crate::node::plan::{MARK, directory};
use crate::node::{NodeClient, NodePlan};
use crate::programs::Programs;

/// From the start of the supervisor to its first answer.
const SUPERVISOR_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// What is needed to start nodes.
#[derive(Debug)]
pub(crate) struct Starter {
    pub layout: Layout,
    pub programs: Programs,
    pub binaries: PathBuf,
    pub template: PathBuf,
}

impl Starter {
    /// Prepares everything that nodes share: binaries and images.
    ///
    /// # Errors
    /// Whatever building them gives.
    pub(crate) async fn prepare(layout: &Layout, progress: &crate::Progress) -> Result<Self> {
        let programs = Programs::locate()?;
        let binaries = crate::kubernetes::binaries(layout, progress).await?;
        let template = template::template(layout, &programs, progress).await?;
        Ok(Self { layout: layout.clone(), programs, binaries, template })
    }

    /// Starts a node's supervisor with no component running yet. What the node kept (etcd, images, volumes) stays; its
    /// network namespace is new, as after a reboot.
    ///
    /// # Errors
    /// [`Error::Node`] with the supervisor's last words when it does not come up.
    pub(crate) async fn boot(&self, record: &ClusterRecord, ordinal: usize) -> Result<()> {
        let name = record.spec.name.node(ordinal);
        let node = self.layout.node(&record.spec.name, &name);
        self.write(record, ordinal, &node)?;
        if !record.spec.control_plane_only() {
            let containerd = node.join(directory::ROOT).join("var/lib/containerd");
            template::clone(&self.template, &containerd).await?;
        }
        plug(&self.layout, record, ordinal).await?;
        let namespace = self.layout.netns(name.as_str());
        let rules = node.join(directory::CONFIG).join("nodes.nft");
        if rules.exists() {
            Call::new("nft", ["-f", &rules.display().to_string()]).in_network(&namespace).run().await?;
        }
        let mut supervisor = self.supervise(&node, &namespace)?;
        let socket = self.layout.socket(&name);
        let client = NodeClient::new(name.as_str(), &socket);
        let deadline = Instant::now() + SUPERVISOR_LIMIT;
        while client.status().await.is_err() {
            if Instant::now() > deadline || matches!(supervisor.try_wait(), Ok(Some(_))) {
                let log = std::fs::read_to_string(node.join(directory::LOGS).join("supervisor.log"));
                let log = log.unwrap_or_default();
                let said = log.trim().lines().last().unwrap_or("nothing");
                return Err(Error::Node {
                    node: name.to_string(),
                    problem: format!("does not start: {said}"),
                });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    fn write(&self, record: &ClusterRecord, ordinal: usize, node: &Path) -> Result<()> {
        let name = record.spec.name.node(ordinal);
        let config = node.join(directory::CONFIG);
        for made in [node.join(directory::ROOT), node.join(directory::LOGS), config.clone()] {
            std::fs::create_dir_all(&made).map_err(Error::file("make", &made))?;
        }
        for (file, text) in files(record, ordinal) {
            write_file(&config.join(file), text)?;
        }
        self.write_secrets(record, ordinal, &config)?;
        let Components { first, then } = components(record, ordinal);
        let addresses = record.addresses();
        let plan = NodePlan {
            name: name.to_string(),
            hosts: (0..record.spec.node_names().len())
                .map(|n| (addresses.node(n).address, record.spec.name.node(n).to_string()))
                .collect(),
            name_server: addresses.node(0).address,
            binaries: self.binaries.clone(),
            plugins: plugin_directory().unwrap_or_default().into(),
            segment: (ordinal == 0 && record.spec.load_balancer).then(|| segment_of(&self.layout, record)),
            socket: self.layout.socket(&name),
            components: first.into_iter().chain(then).collect(),
        };
        let text = serde_json::to_vec_pretty(&plan)
            .map_err(|e| Error::file("write", node)(std::io::Error::other(e)))?;
        write_file(&node.join(directory::PLAN), text)
    }

    fn write_secrets(&self, record: &ClusterRecord, ordinal: usize, config: &Path) -> Result<()> {
        let source = self.layout.cluster(&record.spec.name).join("pki");
        let target = config.join("pki");
        let copy = |file: String| {
            let path = source.join(&file);
            let bytes = std::fs::read(&path).map_err(Error::file("read", &path))?;
            write_secret(&target.join(&file), bytes)
        };
        let (certificates, kubeconfigs) = secrets(record, ordinal);
        copy("ca.crt".into())?;
        for certificate in certificates {
            let other = if certificate == "sa" { "pub" } else { "crt" };
            for extension in [other, "key"] {
                copy(format!("{certificate}.{extension}"))?;
            }
        }
        let server = format!("https://{}:6443", record.addresses().node(0).address);
        for identity in kubeconfigs {
            let text = kubeconfig::embedded(&source, record.spec.name.as_str(), &server, &identity)?;
            let path = config.join(format!("{identity}.kubeconfig"));
            write_secret(&path, text)?;
        }
        Ok(())
    }

    /// The child is tokio's, which reaps it when it ends, also long after this value is dropped.
    ///
    /// The supervisor is a session leader of its own, so neither the end of this command nor a closed terminal ends it.
    fn supervise(&self, node: &Path, namespace: &Path) -> Result<Child> {
        let path = node.join(directory::LOGS).join("supervisor.log");
        let log = || {
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(Error::file("open", &path))
        };
        Command::new("setsid")
            .arg("nsenter")
            .arg(format!("--net={}", namespace.display()))
            .args(["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--"])
            .arg(&self.programs.testbed)
            .arg("supervise")
            .arg(node)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env(MARK, node)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?)
            .spawn()
            .map_err(Error::file("start", "setsid"))
    }
}

/// The administrator's kubeconfig for the machine and the certificates, for the whole cluster.
pub(super) fn write_credentials(layout: &Layout, record: &ClusterRecord) -> Result<()> {
    let pki = layout.cluster(&record.spec.name).join("pki");
    pki::create(record, &pki)?;
    let server = format!("https://{}:6443", record.addresses().api_server());
    let text = kubeconfig::embedded(&pki, record.spec.name.as_str(), &server, "admin")?;
    let path = layout.kubeconfig(&record.spec.name);
    write_secret(&path, text)
}
