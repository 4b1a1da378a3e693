//! Where things are on the machine.
//!
//! | directory | holds | lifetime |
//! |---|---|---|
//! | state | one directory a cluster: record, certificates, node directories | until `down` |
//! | run | network namespaces, control sockets, the lock, faults | until `down` |
//! | cache | Kubernetes binaries, images | until the user removes it |

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::{ClusterName, ClusterRecord, Network, NodeName};

/// The directories of the testbed.
#[derive(Clone, Debug)]
pub struct Layout {
    state: PathBuf,
    run: PathBuf,
    cache: PathBuf,
    network: Network,
}

impl Layout {
    /// The layout that the environment names: `LIQO_TESTBED_ROOT`, `LIQO_TESTBED_CACHE`, `LIQO_TESTBED_NETWORK`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a network that is no /16.
    pub fn from_environment() -> Result<Self> {
        let path = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let cache = path("LIQO_TESTBED_CACHE").unwrap_or_else(|| {
            path("XDG_CACHE_HOME")
                .or_else(|| path("HOME").map(|home| home.join(".cache")))
                .unwrap_or_else(|| "/var/cache".into())
                .join("liqo-testbed")
        });
        let network = match std::env::var("LIQO_TESTBED_NETWORK") {
            Ok(text) if !text.is_empty() => text.parse()?,
            _ => Network::default(),
        };
        Ok(Self {
            state: absolute(path("LIQO_TESTBED_ROOT").unwrap_or_else(|| "/var/lib/liqo-testbed".into()))?,
            run: "/run/liqo-testbed".into(),
            cache: absolute(cache)?,
            network,
        })
    }

    /// The network of the nodes.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The root of what `down` removes.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Sockets, namespaces and faults.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// What survives `down`.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The file that one command at a time locks. It is outside of `run`, which `down` removes.
    pub fn lock(&self) -> PathBuf {
        PathBuf::from("/run/lock/liqo-testbed")
    }

    /// The directory of all clusters.
    pub fn clusters(&self) -> PathBuf {
        self.state.join("clusters")
    }

    /// The directory of one cluster.
    pub fn cluster(&self, name: &ClusterName) -> PathBuf {
        self.clusters().join(name.as_str())
    }

    /// The kubeconfig of the cluster's administrator.
    pub fn kubeconfig(&self, name: &ClusterName) -> PathBuf {
        self.cluster(name).join("admin.kubeconfig")
    }

    /// The directory of one node.
    pub fn node(&self, cluster: &ClusterName, node: &NodeName) -> PathBuf {
        self.cluster(cluster).join("nodes").join(node.as_str())
    }

    /// The file that keeps a network namespace. Not under `/run/netns`: `ip netns` would turn that directory into a
    /// mount that stays behind.
    pub fn netns(&self, name: &str) -> PathBuf {
        self.run.join("netns").join(name)
    }

    /// The control socket of a node. In `run` because the path of a socket is limited to 107 bytes.
    pub fn socket(&self, node: &NodeName) -> PathBuf {
        self.run.join("control").join(node.as_str())
    }

    /// The links that are cut.
    pub fn cuts(&self) -> PathBuf {
        self.run.join("cuts.json")
    }

    /// The records that can be read, for those who clean up: what another version or a full disk wrote must not keep
    /// clusters from being taken down.
    ///
    /// # Errors
    /// [`Error::File`] when the directory cannot be listed.
    pub fn readable_records(&self) -> Result<Vec<ClusterRecord>> {
        let read = |name: String| {
            let text = std::fs::read(self.clusters().join(name).join("cluster.json")).ok()?;
            serde_json::from_slice(&text).ok()
        };
        Ok(directory(&self.clusters())?.into_iter().filter_map(read).collect())
    }

    /// The records of all clusters, by name. A directory without a readable record (its `up` was killed before it
    /// wrote one) counts as no cluster here; `down` removes it all the same.
    ///
    /// # Errors
    /// [`Error::File`] when a record exists that cannot be read.
    pub fn records(&self) -> Result<Vec<ClusterRecord>> {
        let mut records = Vec::new();
        for name in directory(&self.clusters())? {
            let path = self.clusters().join(name).join("cluster.json");
            match std::fs::read(&path) {
                Ok(bytes) => records.push(
                    serde_json::from_slice(&bytes)
                        .map_err(|e| Error::file("understand", &path)(std::io::Error::other(e)))?,
                ),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::file("read", &path)(error)),
            }
        }
        Ok(records)
    }

    /// The record of one cluster.
    ///
    /// # Errors
    /// [`Error::Invalid`] when no such cluster exists.
    pub fn record(&self, name: &ClusterName) -> Result<ClusterRecord> {
        let records = self.records()?;
        let known: Vec<String> = records.iter().map(|r| r.spec.name.to_string()).collect();
        records.into_iter().find(|r| r.spec.name == *name).ok_or_else(|| Error::Invalid {
            what: "cluster",
            value: name.to_string(),
            problem: "does not exist".into(),
            fix: if known.is_empty() {
                format!("start it with `testbed up {name}`")
            } else {
                format!("choose one of {}, or start it with `testbed up {name}`", known.join(", "))
            },
        })
    }

    /// The cluster and the ordinal of a node.
    ///
    /// # Errors
    /// [`Error::Invalid`] when no cluster has such a node.
    pub fn node_by_name(&self, name: &str) -> Result<(ClusterRecord, usize)> {
        let records = self.records()?;
        let mut known = Vec::new();
        for record in &records {
            for (ordinal, node) in record.spec.node_names().iter().enumerate() {
                if node.as_str() == name {
                    return Ok((record.clone(), ordinal));
                }
                known.push(node.to_string());
            }
        }
        Err(Error::Invalid {
            what: "node",
            value: name.to_owned(),
            problem: "does not exist".into(),
            fix: if known.is_empty() {
                "start a cluster with `testbed up NAME`".into()
            } else {
                format!("choose one of {}", known.join(", "))
            },
        })
    }
}

/// Processes of the testbed work in other directories than its caller.
fn absolute(path: PathBuf) -> Result<PathBuf> {
    std::path::absolute(&path).map_err(Error::file("find", path))
}

/// The names in a directory, sorted; none when it does not exist.
pub(crate) fn directory(path: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file("list", path)(error)),
    };
    let mut names: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| !n.starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

/// A place in the cache for something that is being made. What makers that were killed left there is removed.
pub(crate) fn temporary(cache: &Path, name: &str) -> Result<PathBuf> {
    let prefix = format!(".{name}.");
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let maker = file.to_str().and_then(|file| file.strip_prefix(&prefix));
        if maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove_tree(&entry.path())?;
        }
    }
    Ok(cache.join(format!("{prefix}{}", std::process::id())))
}

/// Writes a file whole or not at all, and makes its directory.
pub(crate) fn write_file(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
    }
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, contents).map_err(Error::file("write", path))?;
    std::fs::rename(&temporary, path).map_err(Error::file("write", path))
}

/// Writes a file that nobody else may read, not even while it is written.
pub(crate) fn write_secret(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
    }
    let temporary = path.with_extension("new");
    remove_file(&temporary)?;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(contents.as_ref()))
        .map_err(Error::file("write", path))?;
    std::fs::rename(&temporary, path).map_err(Error::file("write", path))
}

/// Removes a directory with all that is in it; none there is fine.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes a file; none there is fine.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}
