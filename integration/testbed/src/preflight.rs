//! Everything that can be known to be wrong before anything is made.

use std::collections::BTreeSet;
use std::path::Path;

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
    let nodes: usize = specs.iter().map(|spec| spec.nodes.max(1)).sum();
    needs_space(layout.state(), SPACE_PER_NODE * nodes as u64)?;
    ours(layout)?;
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
    if !cgroup::available() {
        return Err(machine("no control groups are mounted".into(), "mount them on /sys/fs/cgroup"));
    }
    Ok(())
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
fn ours(layout: &Layout) -> Result<()> {
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
    if let Some(taken) = machine_link_taken().await {
        return Err(taken);
    }
    let text = Call::new("ip", ["-json", "-4", "addr"]).run().await?;
    match overlapping(&text, layout.network().cidr()) {
        Some((link, range)) => Err(machine(
            format!("the nodes' network {} is in use by others: {link} has {range}", layout.network().cidr()),
            "name another /16 with LIQO_TESTBED_NETWORK",
        )),
        None => Ok(()),
    }
}

/// The first link, other than the testbed's, whose range overlaps the network.
fn overlapping(addresses: &str, network: Ipv4Net) -> Option<(String, Ipv4Net)> {
    let links: Vec<Value> = serde_json::from_str(addresses).ok()?;
    let ranges = links.iter().filter(|link| link["ifname"] != MACHINE_LINK).flat_map(|link| {
        let name = link["ifname"].as_str().unwrap_or_default().to_owned();
        let all = link["addr_info"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter_map(move |address| {
            let prefix = u8::try_from(address["prefixlen"].as_u64()?).ok()?;
            let range = Ipv4Net::new(address["local"].as_str()?.parse().ok()?, prefix).ok()?;
            Some((name.clone(), range))
        })
    });
    let overlaps = |range: &Ipv4Net| {
        let range = range.trunc();
        range.contains(&network) || network.contains(&range)
    };
    ranges.into_iter().find(|(_, range)| overlaps(range))
}

/// Checks that each cluster is named once, and no flag is one that its component does not know.
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
        if let Err(Error::Command { output, .. }) = Call::new(&program, [flag, "--help"]).run().await {
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

    const ADDRESSES: &str = r#"[
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
        {"ifname": "testbed0", "addr_info": [{"local": "172.30.0.1", "prefixlen": 16}]},
        {"ifname": "eth7", "addr_info": [{"local": "172.29.255.9", "prefixlen": 14}]}
    ]"#;

    #[test]
    fn a_link_of_others_in_the_same_range_is_named() {
        let network = "172.30.0.0/16".parse().unwrap();
        let (link, range) = overlapping(ADDRESSES, network).unwrap();
        assert_eq!((link.as_str(), range.to_string().as_str()), ("eth7", "172.29.255.9/14"));
        assert_eq!(overlapping(ADDRESSES, "10.1.0.0/16".parse().unwrap()), None);
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
