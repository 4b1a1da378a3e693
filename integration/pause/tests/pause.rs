//! Runs the pause process: it reaps children from before and after its start, and ends with code 0 when told to.
#![allow(clippy::unwrap_used, reason = "a failed step of a test may panic, in its own functions too")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

const PAUSE: &str = env!("CARGO_BIN_EXE_liqo-pause");
const PATIENCE: Duration = Duration::from_secs(10);

/// The kernel tells nobody but the parent that a process is reaped, so /proc is looked at again and again.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::yield_now();
    }
}

fn is_gone(pid: &str) -> bool {
    !Path::new("/proc").join(pid).exists()
}

fn handles_signals(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
    let caught = u64::from_str_radix(caught, 16).unwrap_or(0);
    [Signal::TERM, Signal::INT, Signal::CHILD].iter().all(|signal| caught & 1 << (signal.as_raw() - 1) != 0)
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

fn end(mut pause: Child, with: Signal) -> ExitStatus {
    let pid = pause.id();
    eventually("handlers are installed", || handles_signals(pid));
    signal(pid, with);
    pause.wait().unwrap()
}

#[test]
fn it_ends_with_code_0_at_sigterm_and_sigint() {
    for with in [Signal::TERM, Signal::INT] {
        let pause = Command::new(PAUSE).spawn().unwrap();
        assert_eq!(end(pause, with).code(), Some(0), "{with:?}");
    }
}

/// A shell that becomes the pause process hands its children on to it: one that has ended already, one that ends when
/// its input does.
#[test]
fn it_reaps_children_from_before_and_after_its_start() {
    let script = r#"true & echo $!; exec 3<&0; cat <&3 >/dev/null & echo $!; exec "$0""#;
    let mut pause = Command::new("sh")
        .args(["-c", script, PAUSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(pause.stdout.take().unwrap()).lines();
    let early = lines.next().unwrap().unwrap();
    let late = lines.next().unwrap().unwrap();
    eventually("the early child is reaped", || is_gone(&early));
    assert!(!is_gone(&late));
    drop(pause.stdin.take());
    eventually("the late child is reaped", || is_gone(&late));
    assert_eq!(end(pause, Signal::TERM).code(), Some(0));
}

/// Process 1 is treated differently by the kernel: signals without a handler never reach it.
#[test]
fn it_ends_at_sigterm_as_process_1() {
    if !geteuid().is_root() {
        eprintln!("skipped: a process namespace needs root");
        return;
    }
    let mut unshare =
        Command::new("unshare").args(["--pid", "--fork", "--kill-child", PAUSE]).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", unshare.id());
    let inner = || fs::read_to_string(&children).ok()?.trim().parse::<u32>().ok();
    eventually("the pause process runs", || inner().is_some_and(handles_signals));
    signal(inner().unwrap(), Signal::TERM);
    assert_eq!(unshare.wait().unwrap().code(), Some(0));
}
