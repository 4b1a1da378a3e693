//! Processes of this program that do one thing.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const ROLE: &str = "LIQO_LOG_ROLE";
const VOLUME: &str = "LIQO_LOG_VOLUME";
const SEED: &str = "LIQO_LOG_SEED";
/// Before each line that a child says, among those of the test's harness.
const MARK: &str = "says ";
/// The name of the test below.
const ENTRY: &str = "children::a_child_does_what_its_role_is";

/// Says a line to the parent.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{MARK}{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// A running child.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The command that runs a child.
pub(crate) fn command(role: &str, volume: &Path, seed: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([ENTRY, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(VOLUME, volume).env(SEED, seed.to_string());
    // What the store says when it panics is no news.
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

impl Running {
    /// Starts a child.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that it says; nothing when it ended.
    pub(crate) fn hear(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            // The harness may have begun a line of its own.
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.to_owned());
            }
        }
    }

    /// Kills it, and gives back what it had said until then.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.hear()).collect()
    }
}

/// Runs a child to its end, and gives back what it said. Panics when it takes too long or ends otherwise than well.
pub(crate) fn run(command: Command, deadline: Duration) -> Vec<String> {
    let mut running = Running::start(command);
    let id = running.child.id();
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let said: Vec<String> = std::iter::from_fn(|| running.hear()).collect();
        let _ = done.send((said, running.child.wait().unwrap()));
    });
    let (said, status) = wait.recv_timeout(deadline).unwrap_or_else(|_| panic!("child {id} hangs"));
    assert!(status.success(), "the child ended with {status} and said {said:?}");
    said
}

/// No test of its own: what the children run. Without a role it is not a child.
#[test]
fn a_child_does_what_its_role_is() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    let volume = std::env::var_os(VOLUME).unwrap();
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    match role.to_str().unwrap() {
        "append" => super::kill::append_until_killed(volume.as_ref(), seed),
        "judge" => super::damage::judge(volume.as_ref()),
        "fill" => super::full::fill(volume.as_ref()),
        "freeze" => super::full::freeze(volume.as_ref()),
        other => panic!("no child has the role {other}"),
    }
}
