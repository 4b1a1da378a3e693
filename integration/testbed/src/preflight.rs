//! Everything that can be known to be wrong before anything is made.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use ipnet::Ipv4Net;
use serde_json::Value;

use crate::command::Call;
use crate::component::plugin_directory;
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::model::ClusterSpec;
use crate::network::{MACHINE_LINK, machine_link_taken};
use crate::node::cgroup;

/// Programs a testbed calls, with the Debian package of each.
const PROGRAMS: [(&str, &str); 16] = [
    ("containerd", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setsid", "util-linux"),
    ("mount", "mount"),
    ("busybox", "busybox-static"),
    ("curl", "curl"),
    ("iperf3", "iperf3"),
    ("restic", "restic"),
    ("cp", "coreutils"),
];
/// Capabilities without which no node can be made, by their number in `linux/capability.h`.
const CAPABILITIES: [(u32, &str); 6] = [
    (1, "CAP_DAC_OVERRIDE"),
    (8, "CAP_SETPCAP"),
    (12, "CAP_NET_ADMIN"),
    (19, "CAP_SYS_PTRACE"),
    (21, "CAP_SYS_ADMIN"),
    (27, "CAP_MKNOD"),
];
/// For a component to print its help.
const HELP: Duration = Duration::from_secs(20);
/// Disk that a node fills in its first hour, in MiB.
const SPACE_PER_NODE: u64 = 512;

/// Checks the machine for these clusters.
///
/// # Errors
/// [`Error::Machine`] with the first thing that is missing and how to get it.
pub(crate) async fn check(layout: &Layout, specs: &[ClusterSpec]) -> Result<()> {
    privileges()?;
    for (program, package) in PROGRAMS {
        needs_program(program, package)?;
    }
    if plugin_directory().is_none() {
        return Err(machine(
            "the CNI plugins are missing".into(),
            "install them with `apt-get install containernetworking-plugins`",
        ));
    }
    kernel()?;
    own_root().await?;
    let nodes: usize = specs.iter().map(|spec| spec.nodes.max(1)).sum();
    needs_space(layout.state(), SPACE_PER_NODE * nodes as u64)?;
    network(layout).await
}

/// Checks that this process may make nodes at all.
///
/// # Errors
/// [`Error::Machine`].
pub(crate) fn privileges() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(machine(
            "namespaces, mounts and links need root".into(),
            "run it as root, such as with sudo",
        ));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        .unwrap_or(0);
    match CAPABILITIES.iter().find(|(bit, _)| effective & (1 << bit) == 0) {
        Some((_, name)) => Err(machine(
            format!("the privilege {name} is missing"),
            "run it as root outside of an unprivileged container",
        )),
        None => Ok(()),
    }
}

/// Who enters a mount namespace arrives at its root. In a chroot that is not this process's root, so that what
/// `kubectl exec` starts in a container would see the machine's files.
async fn own_root() -> Result<()> {
    let root = Path::new("/");
    let here = std::fs::metadata(root).map_err(Error::file("look at", root))?;
    let call = Call::new("nsenter", ["--mount=/proc/self/ns/mnt", "stat", "--format=%d %i", "/"]);
    let there = call.run().await.unwrap_or_default();
    if there.trim() == format!("{} {}", here.dev(), here.ino()) {
        return Ok(());
    }
    Err(machine(
        "this is a chroot, from which containers cannot be kept apart".into(),
        "run it outside of it, or in a container, whose root is the root of its mount namespace",
    ))
}

fn kernel() -> Result<()> {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.lines().any(|line| line.split_whitespace().last() == Some("overlay")) {
        return Err(machine(
            "the kernel has no overlay file system".into(),
            "load it with `modprobe overlay`",
        ));
    }
    if !Path::new("/proc/sys/net/bridge/bridge-nf-call-iptables").exists() {
        return Err(machine(
            "the kernel does not filter bridges".into(),
            "load it with `modprobe br_netfilter`",
        ));
    }
    match cgroup::missing().as_deref() {
        None => Ok(()),
        Some([]) => Err(machine("no control groups are mounted".into(), "mount them on /sys/fs/cgroup")),
        Some(missing) => Err(machine(
            format!("the control groups lack {}", missing.join(", ")),
            "enable them on the kernel's command line (cgroup_enable=memory), or start the container with --cgroupns=host",
        )),
    }
}

/// Checks that a program is there.
///
/// # Errors
/// [`Error::Machine`] that names the program and its package.
pub(crate) fn needs_program(program: &str, package: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|directory| directory.join(program).is_file()) {
        return Ok(());
    }
    Err(machine(
        format!("the program {program} is missing"),
        &format!("install it with `apt-get install {package}`"),
    ))
}

/// Checks that the file system of `path`, or of its first ancestor that exists, has this many MiB free.
///
/// # Errors
/// [`Error::Machine`] with both figures.
pub(crate) fn needs_space(path: &Path, needed: u64) -> Result<()> {
    let Some(existing) = path.ancestors().find(|p| p.exists()) else { return Ok(()) };
    let free = rustix::fs::statvfs(existing)
        .map(|s| s.f_bavail * s.f_frsize / (1024 * 1024))
        .map_err(|e| Error::file("look at the space of", existing)(e.into()))?;
    if free >= needed {
        return Ok(());
    }
    Err(machine(
        format!("{} has {free} MiB free, {needed} MiB are needed", existing.display()),
        "free some, or name another directory with LIQO_TESTBED_ROOT (clusters) or LIQO_TESTBED_CACHE (builds, images)",
    ))
}

/// One machine has one testbed: two state directories would fight for the same links and addresses.
pub(crate) fn ours(layout: &Layout) -> Result<()> {
    let owner = std::fs::read_to_string(layout.run().join("owner")).unwrap_or_default();
    if owner.is_empty() || Path::new(owner.trim()) == layout.state() {
        return Ok(());
    }
    Err(machine(
        format!("the testbed of {} is up on this machine", owner.trim()),
        &format!("take it down with `LIQO_TESTBED_ROOT={} testbed down`", owner.trim()),
    ))
}

async fn network(layout: &Layout) -> Result<()> {
    if let Some(taken) = machine_link_taken(layout).await {
        return Err(taken);
    }
    let routes = Call::new("ip", ["-json", "-4", "route", "show", "table", "all"]).run().await?;
    match overlapping(&routes, layout.network().cidr()) {
        Some((link, range)) => Err(machine(
            format!(
                "the nodes' network {} is in use by others: {link} leads to {range}",
                layout.network().cidr()
            ),
            "name another /16 with LIQO_TESTBED_NETWORK",
        )),
        None => Ok(()),
    }
}

/// The first route over a link, other than the testbed's, whose range overlaps the network. Addresses of the machine are
/// routes, too.
fn overlapping(routes: &str, network: Ipv4Net) -> Option<(String, Ipv4Net)> {
    let routes: Vec<Value> = serde_json::from_str(routes).ok()?;
    let foreign = routes.iter().filter(|route| route["dev"] != MACHINE_LINK).filter_map(|route| {
        let text = route["dst"].as_str()?;
        let range: Ipv4Net = text.parse().or_else(|_| format!("{text}/32").parse()).ok()?;
        Some((route["dev"].as_str()?.to_owned(), range))
    });
    let overlaps =
        |range: &Ipv4Net| range.prefix_len() > 0 && (range.contains(&network) || network.contains(range));
    foreign.into_iter().find(|(_, range)| overlaps(range))
}

/// Checks that no flag is one that its component does not know, or gives a value that it cannot read.
///
/// # Errors
/// [`Error::Invalid`].
pub(crate) async fn flags(binaries: &Path, specs: &[ClusterSpec]) -> Result<()> {
    let all: BTreeSet<(&str, &str)> = specs
        .iter()
        .flat_map(|spec| spec.flags.iter().map(|flag| (flag.component.as_str(), flag.flag.as_str())))
        .collect();
    for (component, flag) in all {
        let program = binaries.join(component).display().to_string();
        // A component reads its flags in order and prints its help only when it knows those before.
        // One that is too slow to say has refused nothing yet; the wait for the cluster then tells.
        let help = tokio::time::timeout(HELP, Call::new(&program, [flag, "--help"]).run());
        if let Ok(Err(Error::Command { output, .. })) = help.await {
            let said = output.lines().find(|line| line.contains("flag") || line.contains("argument"));
            return Err(Error::Invalid {
                what: "--kubernetes-flags",
                value: format!("{component}={flag}"),
                problem: format!("is refused by {component} ({})", said.unwrap_or("no reason given").trim()),
                fix: format!("`{component} --help` lists its flags"),
            });
        }
    }
    Ok(())
}

fn machine(problem: String, fix: &str) -> Error {
    Error::Machine { problem, fix: fix.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = r#"[
        {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"},
        {"dst": "172.30.0.0/16", "dev": "testbed0"},
        {"type": "local", "dst": "172.30.0.1", "dev": "testbed0"},
        {"dst": "172.16.0.0/12", "dev": "vpn7"},
        {"type": "local", "dst": "10.9.0.1", "dev": "lan"}
    ]"#;

    #[test]
    fn a_link_of_others_that_leads_to_the_range_is_named() {
        let found = |network: &str| {
            overlapping(ROUTES, network.parse().unwrap()).map(|(link, range)| format!("{link} {range}"))
        };
        assert_eq!(found("172.30.0.0/16").as_deref(), Some("vpn7 172.16.0.0/12"));
        assert_eq!(found("10.9.0.0/16").as_deref(), Some("lan 10.9.0.1/32"));
        assert_eq!(found("10.1.0.0/16"), None);
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let error = needs_program("no-such-program", "some-package").unwrap_err().line();
        assert!(
            error.contains("no-such-program") && error.contains("apt-get install some-package"),
            "{error}"
        );
    }

    #[test]
    fn a_full_disk_is_told_with_both_figures() {
        let error = needs_space(Path::new("/"), u64::MAX / 2).unwrap_err().line();
        assert!(error.contains("MiB free") && error.contains("LIQO_TESTBED_ROOT"), "{error}");
    }
}
