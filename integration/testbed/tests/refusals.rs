//! Bad input gets one clear line that names the thing and the fix, exit code 1, and changes nothing.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::process::Command;

/// Runs the testbed with a state directory that does not exist, and returns the one line it refuses with.
fn refused(words: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let output = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(words.split(' '))
        .env_remove("LIQO_TESTBED_NETWORK")
        .env("LIQO_TESTBED_ROOT", &state)
        .env("LIQO_TESTBED_CACHE", directory.path().join("cache"))
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}: {line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{words}: {line}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{words} made something");
    assert!(output.stdout.is_empty(), "{words}");
    line
}

#[test]
fn mistakes_on_the_command_line() {
    for (words, named, fix) in [
        ("up rome --no-such-flag", "--no-such-flag", "--help"),
        ("up rome --pod-cird 10.0.0.0/16", "--pod-cird", "--pod-cidr"),
        ("up Rome", "\"Rome\"", "lower-case"),
        ("up rome_1", "\"rome_1\"", "lower-case"),
        ("up rome-worker", "\"rome-worker\"", "choose a name"),
        ("up rome rome", "\"rome\"", "once"),
        ("up rome --nodes 0", "--nodes", "1 node or more"),
        ("up rome --nodes 1000", "--nodes", "1 to 60"),
        ("up rome --pod-cidr 10.0.0.0/99", "--pod-cidr \"10.0.0.0/99\"", "10.200.0.0/16"),
        ("up rome --pod-cidr 10.1.2.3/16", "--pod-cidr \"10.1.2.3/16\"", "10.1.0.0/16"),
        ("up rome --pod-cidr 10.80.0.0/16", "--service-cidr 10.80.0.0/16", "another range"),
        ("up rome --service-cidr 172.30.0.0/20", "--service-cidr \"172.30.0.0/20\"", "another range"),
        ("up rome --service-cidr 10.0.0.0/30", "--service-cidr \"10.0.0.0/30\"", "/27"),
        ("up rome --pod-cidr 10.9.0.0/28 --nodes 4", "too small for 4 nodes", "/26"),
        ("up rome --behind-nat milan", "\"milan\"", "as a cluster"),
        ("up rome --kubernetes-flags dockerd=--debug", "dockerd=--debug", "kube-proxy=--proxy-mode=iptables"),
        ("kubeconfig rome", "\"rome\"", "testbed up rome"),
        ("load rome image.tar", "\"rome\"", "testbed up rome"),
        ("logs rome-worker kubelet", "\"rome-worker\"", "testbed up"),
        ("exec rome-worker -- true", "\"rome-worker\"", "testbed up"),
        ("fault cut rome milan", "\"rome\"", "name a node"),
        ("fault kill rome-worker", "\"rome-worker\"", "testbed up"),
    ] {
        let line = refused(words);
        assert!(line.contains(named) && line.contains(fix), "{words}: {line}");
    }
}

#[test]
fn a_network_that_is_no_slash_sixteen() {
    let output = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["up", "rome"])
        .env("LIQO_TESTBED_NETWORK", "172.30.0.0/24")
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(line.contains("LIQO_TESTBED_NETWORK \"172.30.0.0/24\""), "{line}");
}

#[test]
fn help_is_no_error() {
    for words in [vec!["--help"], vec!["up", "--help"], vec!["fault", "--help"], vec!["--version"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_testbed")).args(&words).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{words:?}");
    }
}
