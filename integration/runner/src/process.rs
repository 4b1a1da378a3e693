//! Runs one command, showing its output as it comes and keeping it for the tally.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How often the end of the command, and Ctrl-C, are looked for while it prints nothing.
const POLL: Duration = Duration::from_millis(100);
/// How long output is awaited after the command's end: a process that outlives it may hold its output open for ever.
const DRAIN: Duration = Duration::from_secs(2);

/// Ctrl-C and SIGTERM, which end the command in hand instead of this program, so that the table is still shown.
#[derive(Debug)]
pub(crate) struct Interrupts {
    signals: Signals,
    count: usize,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// All lines of both streams, in the order they came.
    pub(crate) lines: Vec<String>,
}

/// A line of output and where it belongs.
enum Line {
    Out(String),
    Err(String),
}

impl Interrupts {
    /// Starts to listen.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { signals: Signals::new([SIGINT, SIGTERM])?, count: 0 })
    }

    /// Whether one has come.
    pub(crate) fn came(&mut self) -> bool {
        self.count += self.signals.pending().count();
        self.count > 0
    }

    /// The signal to send on for those that came since the last call: the second press is meant seriously.
    fn forward(&mut self) -> Option<Signal> {
        let before = self.count;
        self.came();
        (self.count > before).then_some(if before == 0 { Signal::INT } else { Signal::KILL })
    }
}

/// Runs `command` to its end, or to its end by an interrupt, and shows each line when it comes.
///
/// The command gets a process group of its own, so that an interrupt reaches it through `interrupts` alone.
pub(crate) fn follow(command: &mut Command, interrupts: &mut Interrupts) -> io::Result<Ended> {
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = output_of(&mut child);
    let mut lines = Vec::new();
    loop {
        match output.recv_timeout(POLL) {
            Ok(line) => show(line, &mut lines)?,
            Err(RecvTimeoutError::Timeout) => {}
            // The command closed its output and has yet to end.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
        }
        if let Some(signal) = interrupts.forward() {
            // It fails only when the group has just ended.
            let _ = kill_process_group(Pid::from_child(&child), signal);
        }
        if let Some(status) = child.try_wait()? {
            drain(&output, &mut lines)?;
            return Ok(Ended { status, lines });
        }
    }
}

fn drain(output: &Receiver<Line>, lines: &mut Vec<String>) -> io::Result<()> {
    let deadline = Instant::now() + DRAIN;
    while let Ok(line) = output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        show(line, lines)?;
    }
    Ok(())
}

fn show(line: Line, lines: &mut Vec<String>) -> io::Result<()> {
    let text = match line {
        Line::Out(text) => writeln!(io::stdout(), "{text}").map(|()| text),
        Line::Err(text) => writeln!(io::stderr(), "{text}").map(|()| text),
    };
    lines.push(text?);
    Ok(())
}

fn output_of(child: &mut Child) -> Receiver<Line> {
    let (sender, receiver) = channel();
    if let Some(stdout) = child.stdout.take() {
        read_lines(stdout, sender.clone(), Line::Out);
    }
    if let Some(stderr) = child.stderr.take() {
        read_lines(stderr, sender, Line::Err);
    }
    receiver
}

fn read_lines(stream: impl Read + Send + 'static, sender: Sender<Line>, wrap: fn(String) -> Line) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while stream.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(wrap(text)).is_err() {
                return;
            }
            bytes.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, interrupts: &mut Interrupts) -> Ended {
        follow(Command::new("sh").args(["-c", script]), interrupts).unwrap()
    }

    #[test]
    fn both_streams_and_the_status_are_kept() {
        let mut interrupts = Interrupts::listen().unwrap();
        let ended = shell("echo out; echo err >&2; printf 'no newline'; exit 3", &mut interrupts);
        let mut lines = ended.lines;
        lines.sort();
        assert_eq!(lines, ["err", "no newline", "out"]);
        assert_eq!(ended.status.code(), Some(3));
        assert!(!interrupts.came());
    }

    #[test]
    fn a_process_left_behind_does_not_hold_up_the_end() {
        let mut interrupts = Interrupts::listen().unwrap();
        let began = Instant::now();
        let ended = shell("sleep 20 & echo $!", &mut interrupts);
        assert!(began.elapsed() < Duration::from_secs(10));
        let left: i32 = ended.lines[0].parse().unwrap();
        rustix::process::kill_process(Pid::from_raw(left).unwrap(), Signal::KILL).unwrap();
    }
}
