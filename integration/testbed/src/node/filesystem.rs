//! A node's view of the machine: the machine's programs, everything else its own.
//!
//! The node's root has `/usr` of the machine, read-only; `/etc` with an overlay of its own; its own `/var`, `/opt`, `/run`
//! and `/tmp`; `/dev` of the machine. Paths that Kubernetes tools expect (`/var/lib/kubelet`, `/etc/kubernetes`,
//! `/run/containerd`) are therefore where a real node has them, and a hostPath volume never reaches the machine's files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};

use super::cgroup;
use super::plan::{NodePlan, directory};
use crate::error::{Error, Result};

/// Where components of a node write what they print.
pub(crate) const LOGS: &str = "/var/log/testbed";
/// Where a node has its CNI plugins.
pub(crate) const CNI_PLUGINS: &str = "/opt/cni/bin";
/// Where the load balancer of a control plane finds the network namespace that holds its routes.
pub(crate) const SEGMENT: &str = "/run/testbed/segment";

/// Kernel settings of the whole machine that a kubelet insists on. The node sees them as the kubelet wants them, the
/// machine keeps its own.
const KUBELET_SETTINGS: [(&str, &str); 6] = [
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

/// Settings of the node's own network namespace.
const NETWORK_SETTINGS: [(&str, &str); 5] = [
    ("ipv4/ip_forward", "1"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // Pods of one node that meet through a Service must pass the node's NAT on the way back, too.
    ("bridge/bridge-nf-call-iptables", "1"),
    ("bridge/bridge-nf-call-ip6tables", "1"),
];

/// Moves this process into the node: its cgroup, its host name, its root. The caller is alone in its namespaces.
///
/// # Errors
/// [`Error::File`] that names what could not be made.
pub(crate) fn enter(node: &Path, plan: &NodePlan) -> Result<()> {
    cgroup::join(&plan.name)?;
    rustix::system::sethostname(plan.name.as_bytes()).map_err(|e| failed("set the host name", node, e))?;
    let root = node.join(directory::ROOT);
    populate(&root)?;
    bind(&root, &root)?;
    programs(&root)?;
    configuration(node, &root, plan)?;
    kernel(&root)?;
    own_directories(node, &root, plan)?;
    pivot(&root)?;
    settings()
}

/// Directories that the node has for itself.
fn populate(root: &Path) -> Result<()> {
    let directories = [
        "dev",
        "etc",
        "home",
        "media",
        "mnt",
        "opt/cni/bin",
        "opt/testbed",
        "opt/kubernetes/bin",
        "proc",
        "root",
        "run",
        "srv",
        "sys",
        "tmp",
        "usr",
        "var/lib/containerd",
        "var/lib/kubelet",
        "var/lib/cni",
        "var/log/pods",
        "var/log/containers",
        "var/log/testbed",
        "var/tmp",
        "var/cache",
        ".machine",
    ];
    for directory in directories {
        let path = root.join(directory);
        fs::create_dir_all(&path).map_err(Error::file("make", &path))?;
    }
    // The old names of directories that end with the node's power.
    link("../run", &root.join("var/run"))?;
    link("../run/lock", &root.join("var/lock"))
}

fn link(target: impl AsRef<Path>, path: &Path) -> Result<()> {
    match std::os::unix::fs::symlink(target, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::file("link", path)(error)),
        _ => Ok(()),
    }
}

/// The machine's programs and libraries, read-only.
fn programs(root: &Path) -> Result<()> {
    bind(Path::new("/usr"), &root.join("usr"))?;
    read_only(&root.join("usr"))?;
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let (source, target) = (Path::new("/").join(name), root.join(name));
        let Ok(kind) = fs::symlink_metadata(&source) else { continue };
        if kind.is_symlink() {
            let link = fs::read_link(&source).map_err(Error::file("read", &source))?;
            self::link(link, &target)?;
        } else {
            fs::create_dir_all(&target).map_err(Error::file("make", &target))?;
            bind(&source, &target)?;
            read_only(&target)?;
        }
    }
    Ok(())
}

/// `/etc`: the machine's beneath, the node's own files above.
fn configuration(node: &Path, root: &Path, plan: &NodePlan) -> Result<()> {
    let (upper, work) = (node.join("etc/upper"), node.join("etc/work"));
    for path in [&upper, &work] {
        fs::create_dir_all(path).map_err(Error::file("make", path))?;
    }
    let etc = root.join("etc");
    let options = format!("lowerdir=/etc,upperdir={},workdir={}", upper.display(), work.display());
    mount_at("overlay", &etc, "overlay", &options)?;
    let hosts: String = plan.hosts.iter().map(|(address, name)| format!("{address} {name}\n")).collect();
    let files = [
        ("hostname", format!("{}\n", plan.name)),
        ("hosts", format!("127.0.0.1 localhost\n{hosts}")),
        ("resolv.conf", format!("nameserver {}\n", plan.name_server)),
        ("machine-id", machine_id(&plan.name)),
    ];
    for (name, text) in files {
        let path = etc.join(name);
        // The machine's file may be a link to a place that the node does not have.
        let _ = fs::remove_file(&path);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    let kubernetes = etc.join("kubernetes");
    fs::create_dir_all(&kubernetes).map_err(Error::file("make", &kubernetes))?;
    bind(&node.join(directory::CONFIG), &kubernetes)
}

/// Different on each node and the same after its restart, as the kubelet reports it.
fn machine_id(name: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(name);
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}\n")
}

/// `/proc`, `/sys` and `/dev`.
fn kernel(root: &Path) -> Result<()> {
    mount_at("proc", &root.join("proc"), "proc", "")?;
    mount_at("sysfs", &root.join("sys"), "sysfs", "")?;
    // The new sysfs shows the node's network devices; the machine's cgroups are mounted into it.
    bind_recursive(Path::new("/sys/fs/cgroup"), &root.join("sys/fs/cgroup"))?;
    bind_recursive(Path::new("/dev"), &root.join("dev"))?;
    mount_at("tmpfs", &root.join("run"), "tmpfs", "mode=755")?;
    mount_at("tmpfs", &root.join("tmp"), "tmpfs", "mode=1777")
}

fn own_directories(node: &Path, root: &Path, plan: &NodePlan) -> Result<()> {
    bind(&node.join(directory::LOGS), &root.join(LOGS.trim_start_matches('/')))?;
    let binaries = root.join("opt/kubernetes/bin");
    bind(&plan.binaries, &binaries)?;
    read_only(&binaries)?;
    let plugins = root.join(CNI_PLUGINS.trim_start_matches('/'));
    bind(&plan.plugins, &plugins)?;
    read_only(&plugins)?;
    let program = fs::read_link("/proc/self/exe").map_err(Error::file("find", "/proc/self/exe"))?;
    let target = root.join("opt/testbed/testbed");
    fs::write(&target, "").map_err(Error::file("make", &target))?;
    bind(&program, &target)?;
    if let Some(segment) = &plan.segment {
        let target = root.join(SEGMENT.trim_start_matches('/'));
        crate::layout::write_file(&target, "")?;
        bind(segment, &target)?;
    }
    Ok(())
}

/// Makes `root` the root of this mount namespace and lets go of the machine's.
fn pivot(root: &Path) -> Result<()> {
    let old = root.join(".machine");
    rustix::process::pivot_root(root, &old).map_err(|e| failed("enter", root, e))?;
    std::env::set_current_dir("/").map_err(Error::file("enter", "/"))?;
    unmount("/.machine", UnmountFlags::DETACH).map_err(|e| failed("let go of", Path::new("/.machine"), e))?;
    // Mounts that the kubelet makes must show in the containers that share them.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)
        .map_err(|e| failed("share", Path::new("/"), e))
}

fn settings() -> Result<()> {
    for (name, value) in NETWORK_SETTINGS {
        let path = Path::new("/proc/sys/net").join(name);
        fs::write(&path, value).map_err(Error::file("set", &path))?;
    }
    for (name, value) in KUBELET_SETTINGS {
        let (path, own) = (Path::new("/proc/sys").join(name), Path::new("/run/testbed/sysctl").join(name));
        if path.exists() {
            crate::layout::write_file(&own, format!("{value}\n"))?;
            bind(&own, &path)?;
        }
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, error: rustix::io::Errno) -> Error {
    Error::File { action, path: PathBuf::from(path), source: error.into() }
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    mount_bind(source, target).map_err(|e| failed("bind a directory to", target, e))
}

fn bind_recursive(source: &Path, target: &Path) -> Result<()> {
    mount_bind_recursive(source, target).map_err(|e| failed("bind a directory to", target, e))
}

fn read_only(target: &Path) -> Result<()> {
    mount_remount(target, MountFlags::BIND | MountFlags::RDONLY, "").map_err(|e| failed("protect", target, e))
}

fn mount_at(source: &str, target: &Path, kind: &str, options: &str) -> Result<()> {
    let options =
        std::ffi::CString::new(options).map_err(|_| failed("mount", target, rustix::io::Errno::INVAL))?;
    mount(source, target, kind, MountFlags::empty(), Some(options.as_c_str()))
        .map_err(|e| failed("mount a file system on", target, e))
}
