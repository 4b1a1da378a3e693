//! The first process of a node: makes the node's view of the machine, then keeps its components running.
//!
//! It runs in namespaces of its own (network, mount, process, host name, IPC), so the end of this one process is the end
//! of everything in the node. All state is in [`Supervision`]; this file only moves events in and signals out.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions, kill_process, wait};
use signal_hook::consts::SIGCHLD;

use super::filesystem;
use super::plan::{NodePlan, directory};
use super::process::NodeProcess;
use super::protocol::{Answer, Request};
use super::supervision::{Action, Signal, Supervision};
use crate::error::{Error, Result};

/// How long a client may take to send its line. It is one `write` of ours, so this only bounds a broken client.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Without a deadline the loop still looks around this often.
const IDLE: Duration = Duration::from_secs(60);
/// Where programs of a node are found: its own first.
const PATH: &str =
    "/opt/kubernetes/bin:/opt/testbed:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

enum Event {
    ChildEnded,
    Request(Request, UnixStream),
}

/// Runs the node whose directory is `node`. Returns only with an error.
///
/// # Errors
/// [`Error::File`] when the node's view cannot be made.
pub fn supervise(node: &Path) -> Result<()> {
    let path = node.join(directory::PLAN);
    let text = std::fs::read(&path).map_err(Error::file("read", &path))?;
    let plan: NodePlan = serde_json::from_slice(&text)
        .map_err(|e| Error::file("understand", &path)(std::io::Error::other(e)))?;
    // Bound before the node's view is made: afterwards the machine's directories are out of sight.
    let listener = listen(&plan.socket)?;
    NodeProcess::current()?.write(node)?;
    filesystem::enter(node, &plan)?;
    let (sender, receiver) = channel();
    watch_children(sender.clone())?;
    std::thread::spawn(move || accept(&listener, &sender));
    Shell { supervision: Supervision::new(&plan.components), plan, started: Instant::now() }.run(&receiver);
    Ok(())
}

fn listen(socket: &Path) -> Result<UnixListener> {
    if let Some(parent) = socket.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
    }
    if socket.exists() {
        std::fs::remove_file(socket).map_err(Error::file("remove", socket))?;
    }
    UnixListener::bind(socket).map_err(Error::file("listen on", socket))
}

fn watch_children(sender: Sender<Event>) -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGCHLD])
        .map_err(Error::file("watch the children of", "/proc/self"))?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(Event::ChildEnded).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn accept(listener: &UnixListener, sender: &Sender<Event>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Out of file descriptors, most likely: without a pause this would take a whole processor.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let _ = stream.set_read_timeout(Some(REQUEST_TIMEOUT));
        let mut line = String::new();
        if BufReader::new(&stream).read_line(&mut line).is_err() {
            continue;
        }
        let sent = match serde_json::from_str(&line) {
            Ok(request) => sender.send(Event::Request(request, stream)).is_ok(),
            Err(error) => {
                reply(stream, &Err(format!("does not understand the request ({error})")));
                true
            }
        };
        if !sent {
            return;
        }
    }
}

fn reply(mut stream: UnixStream, answer: &Answer) {
    if let Ok(mut line) = serde_json::to_vec(answer) {
        line.push(b'\n');
        // A client that went away needs no answer.
        let _ = stream.write_all(&line);
    }
}

struct Shell {
    supervision: Supervision,
    plan: NodePlan,
    started: Instant,
}

impl Shell {
    fn run(&mut self, events: &Receiver<Event>) {
        loop {
            let now = self.started.elapsed();
            let wait = self.supervision.deadline().map_or(IDLE, |deadline| deadline.saturating_sub(now));
            match events.recv_timeout(wait) {
                Ok(Event::ChildEnded) => self.reap(),
                Ok(Event::Request(request, stream)) => {
                    let answer = self.request(&request);
                    reply(stream, &answer);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let due = self.supervision.due(self.started.elapsed());
            self.act(due);
        }
    }

    fn request(&mut self, request: &Request) -> Answer {
        let actions = self.supervision.request(request, self.started.elapsed())?;
        self.act(actions);
        Ok(self.supervision.status())
    }

    /// Takes the ends of all children, those that pods left to the node's first process included.
    fn reap(&mut self) {
        while let Ok(Some((pid, _))) = wait(WaitOptions::NOHANG) {
            if let Some(index) = self.supervision.index_of(pid.as_raw_nonzero().get()) {
                self.supervision.ended(index, self.started.elapsed());
            }
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Spawn(index) => match self.spawn(index) {
                    Ok(pid) => self.supervision.started(index, pid, self.started.elapsed()),
                    Err(error) => {
                        eprintln!("{}", error.line());
                        self.supervision.ended(index, self.started.elapsed());
                    }
                },
                Action::Signal(pid, signal) => {
                    if let Some(pid) = Pid::from_raw(pid) {
                        // The process may have ended just now, which its SIGCHLD tells.
                        let _ = kill_process(pid, native(signal));
                    }
                }
            }
        }
    }

    fn spawn(&self, index: usize) -> Result<i32> {
        let component = &self.plan.components[index];
        let (log, log_too) = log(&component.name)?;
        let child = Command::new(&component.command[0])
            .args(&component.command[1..])
            .env("PATH", PATH)
            .env("HOME", "/root")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .process_group(0)
            .spawn()
            .map_err(Error::file("start", &component.command[0]))?;
        Ok(child.id() as i32)
    }
}

fn log(component: &str) -> Result<(File, File)> {
    let path = Path::new(filesystem::LOGS).join(format!("{component}.log"));
    let open =
        || OpenOptions::new().create(true).append(true).open(&path).map_err(Error::file("open", &path));
    Ok((open()?, open()?))
}

fn native(signal: Signal) -> rustix::process::Signal {
    match signal {
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Pause => rustix::process::Signal::STOP,
        Signal::Resume => rustix::process::Signal::CONT,
    }
}
