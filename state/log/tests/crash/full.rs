//! A volume that is full: the log says so, and a new generation can be begun when there is space. And one that became
//! read-only: the log says so, and is as it was when it can be written to again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use liqo_events::{Envelope, Seq, UnixMillis};
use liqo_log::{EventLog, LogError, Opening, Options, SledLog};

use crate::children::{command, run, say};
use crate::{event, snapshot};

const DEADLINE: Duration = Duration::from_secs(60);
const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

/// Appends until the volume, a file system of 12 MiB, is full, and begins a new generation in it.
pub(crate) fn fill(volume: &Path) {
    let mut log = SledLog::open(volume, Options::VIRTUAL_KUBELET, NOW).unwrap().log;
    let refused = loop {
        let next = log.next().0;
        let batch: Vec<Envelope> = (next..next + 200).map(event).collect();
        if let Err(refused) = log.append(&batch) {
            break refused;
        }
    };
    assert!(matches!(refused, LogError::Append { .. }) && refused.is_full(), "{refused:?}");
    let last = log.last().unwrap().0;
    assert!(matches!(log.append(&[event(last + 1)]), Err(LogError::Append { .. })), "it writes no more");
    drop(log);
    // A full volume is no reason to put its log aside.
    match SledLog::open(volume, Options::VIRTUAL_KUBELET, NOW) {
        Ok(opened) => assert_eq!((opened.how, opened.log.last()), (Opening::Whole, Some(Seq(last)))),
        Err(refused) => assert!(refused.is_full(), "{refused:?}"),
    }
    let mut log = SledLog::begin_generation(volume, Options::VIRTUAL_KUBELET, &snapshot(last), NOW).unwrap();
    assert_eq!((log.first(), log.last()), (Seq(last + 1), None));
    log.append(&[event(last + 1)]).unwrap();
    drop(log);
    let opened = SledLog::open(volume, Options::VIRTUAL_KUBELET, NOW).unwrap();
    assert_eq!((opened.how, opened.log.last()), (Opening::Whole, Some(Seq(last + 1))));
    assert_eq!(opened.log.snapshot().unwrap(), Some(snapshot(last)));
    say(&format!("full after {last} events, and on again"));
}

/// Writes a log, and looks at it while its volume is read-only and after that.
pub(crate) fn freeze(volume: &Path) {
    let mut log = SledLog::open(volume, Options::VIRTUAL_KUBELET, NOW).unwrap().log;
    let events: Vec<Envelope> = (1..=10).map(event).collect();
    log.append(&events).unwrap();
    drop(log);
    remount(volume, "ro");
    let refused = SledLog::open(volume, Options::VIRTUAL_KUBELET, NOW).unwrap_err();
    assert!(matches!(&refused, LogError::Volume { path, .. } if path == volume), "{refused:?}");
    let begun = SledLog::begin_generation(volume, Options::VIRTUAL_KUBELET, &snapshot(10), NOW);
    assert!(matches!(begun, Err(LogError::Volume { .. })), "{begun:?}");
    remount(volume, "rw");
    let opened = SledLog::open(volume, Options::VIRTUAL_KUBELET, NOW).unwrap();
    assert_eq!((opened.how, opened.log.read(Seq::FIRST, 99).unwrap()), (Opening::Whole, events));
    say("refused, and whole again");
}

fn remount(volume: &Path, how: &str) {
    let status = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(volume).status().unwrap();
    assert!(status.success(), "the volume cannot be mounted {how}");
}

/// A shell in namespaces of its own, where a file system can be mounted without being root.
fn in_namespace(script: &str) -> Command {
    let mut shell = Command::new("unshare");
    shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    shell
}

/// What a child says on a file system of its own. Nothing where there can be none.
fn on_a_file_system(role: &str) -> Option<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=12m liqo {}", dir.path().display());
    let may = in_namespace(&mount).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        println!("skipped: no user namespaces here, so no file system of its own");
        return None;
    }
    let child = command(role, dir.path(), 0);
    let mut shell = in_namespace(&format!("{mount} && exec \"$@\""));
    shell.arg(child.get_program()).args(child.get_args());
    shell.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdout(Stdio::piped()).stderr(Stdio::null());
    Some(run(shell, DEADLINE))
}

#[test]
fn a_full_disk_ends_a_generation_and_not_the_log() {
    let Some(said) = on_a_file_system("fill") else { return };
    assert!(said.len() == 1 && said[0].starts_with("full after "), "{said:?}");
}

#[test]
fn a_read_only_volume_is_refused_and_stays_as_it_was() {
    let Some(said) = on_a_file_system("freeze") else { return };
    assert_eq!(said, ["refused, and whole again"]);
}
