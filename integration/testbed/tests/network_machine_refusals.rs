//! A machine that lacks something, or where somebody else holds it: one line that names it, and nothing is changed.
//!
//! Each case runs in namespaces of its own, so the machine's own network and mounts are never touched.

#![allow(clippy::unwrap_used, reason = "test code")]

mod fixture;

use std::process::Command;

use fixture::{TESTBED, testbed};

/// Runs a script in new network and mount namespaces; `$TESTBED` is the binary. Returns the line that it refuses with.
fn refused(script: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-euc", &format!("mount -t tmpfs tmpfs /run; {script}")])
        .env("TESTBED", TESTBED)
        .env_remove("LIQO_TESTBED_NETWORK")
        .env("LIQO_TESTBED_ROOT", directory.path().join("state"))
        .env("SCRATCH", directory.path())
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{script}: {line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{script}: {line}");
    assert!(!directory.path().join("state/clusters").exists(), "{script} made a cluster");
    line
}

#[test]
fn network_missing_and_taken_things_are_named() {
    if testbed("network_missing_and_taken_things_are_named").is_none() {
        return;
    }
    for (script, named, fix) in [
        // A PATH with everything but one program.
        (
            "mkdir $SCRATCH/bin; for p in /usr/sbin/* /usr/bin/*; do ln -sf $p $SCRATCH/bin/; done; rm $SCRATCH/bin/nft; PATH=$SCRATCH/bin $TESTBED up rome",
            "the program nft",
            "apt-get install nftables",
        ),
        ("setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin $TESTBED up rome", "CAP_SYS_ADMIN", "root"),
        ("chmod 755 $SCRATCH; setpriv --reuid=65534 --clear-groups $TESTBED up rome", "root", "sudo"),
        (
            "mkdir $SCRATCH/full; mount -t tmpfs -o size=8m tmpfs $SCRATCH/full; LIQO_TESTBED_ROOT=$SCRATCH/full/state $TESTBED up rome",
            "8 MiB free",
            "LIQO_TESTBED_ROOT",
        ),
        (
            "ip link add testbed0 type bridge; $TESTBED up rome",
            "testbed0 belongs to somebody else",
            "ip link del",
        ),
        (
            "ip link add lan type bridge; ip addr add 172.30.77.1/24 dev lan; $TESTBED up rome",
            "lan leads to 172.30.77.",
            "LIQO_TESTBED_NETWORK",
        ),
        (
            "R=$SCRATCH/root; mkdir $R; mount -t tmpfs tmpfs $R; ln -s usr/bin usr/sbin usr/lib usr/lib64 $R/; \
             for d in dev etc opt proc run sys usr var; do mkdir $R/$d; mount --rbind /$d $R/$d; done; \
             cp $TESTBED $R/testbed; chroot $R /testbed up rome",
            "chroot",
            "outside",
        ),
        (
            "mount -t tmpfs tmpfs /usr/lib/cni; mkdir -p /opt; mount -t tmpfs tmpfs /opt; $TESTBED up rome",
            "CNI plugins",
            "containernetworking-plugins",
        ),
    ] {
        let line = refused(script);
        assert!(line.contains(named) && line.contains(fix), "{script}: {line}");
    }
}

#[test]
fn network_down_keeps_what_is_not_the_testbeds() {
    if testbed("network_down_keeps_what_is_not_the_testbeds").is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /sys/fs/cgroup; mkdir -p $LIQO_TESTBED_ROOT; echo kept > $LIQO_TESTBED_ROOT/own; \
                  mkdir -p $LIQO_TESTBED_ROOT/clusters/rome; echo broken > $LIQO_TESTBED_ROOT/clusters/rome/cluster.json; \
                  $TESTBED down; cat $LIQO_TESTBED_ROOT/own; ls $LIQO_TESTBED_ROOT";
    let output = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-euc", script])
        .env("TESTBED", TESTBED)
        .env("LIQO_TESTBED_ROOT", directory.path().join("mine"))
        .output()
        .unwrap();
    assert_eq!(fixture::succeeded(output, script), "kept\nown\n");
}

#[test]
fn network_another_testbed_on_the_machine_is_named() {
    if testbed("network_another_testbed_on_the_machine_is_named").is_none() {
        return;
    }
    let line = refused("mkdir /run/liqo-testbed; echo /elsewhere > /run/liqo-testbed/owner; $TESTBED down");
    assert!(line.contains("/elsewhere"), "{line}");
    let line =
        refused("mkdir /run/liqo-testbed; echo /elsewhere > /run/liqo-testbed/owner; $TESTBED up rome");
    assert!(
        line.contains("/elsewhere") && line.contains("LIQO_TESTBED_ROOT=/elsewhere testbed down"),
        "{line}"
    );
}
