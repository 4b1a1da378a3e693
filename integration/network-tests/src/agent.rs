//! An agent of the data path as a process of its own, which takes orders from a pipe and reports to another.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use liqo_datapath::Position;
use serde::{Deserialize, Serialize};

/// Longest wait for a report; a handshake that is lost is tried again after five seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A line for an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The position of the view.
    pub at: Option<Position>,
    /// Entries by key.
    pub view: BTreeMap<String, serde_json::Value>,
}

/// A line of an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    /// The last view that was carried out.
    pub applied: Option<Position>,
    /// Whether it was confirmed.
    pub current: bool,
    /// What could not be carried out.
    pub problems: Vec<String>,
    /// Peers by ID.
    pub peers: BTreeMap<String, ReportedPeer>,
    /// Steps that were carried out because something else was wanted.
    pub changes: u64,
    /// Steps that were carried out because somebody had changed something.
    pub repairs: u64,
}

/// A peer in a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportedPeer {
    /// Connecting, Connected or Error.
    pub status: String,
    /// Microseconds.
    pub latency_micros: Option<u64>,
    /// Bytes of messages.
    pub received_bytes: u64,
    /// Bytes of messages.
    pub sent_bytes: u64,
    /// Where it is.
    pub endpoint: Option<String>,
    /// Whether a handshake succeeded.
    pub has_handshake: bool,
}

/// The process.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    reports: Receiver<AgentReport>,
    last: AgentReport,
}

impl Agent {
    /// Starts it; `command` is the program with its arguments, in its namespace.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, reports) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let report = serde_json::from_str(&line);
                if report.is_ok_and(|report| sender.send(report).is_err()) {
                    return;
                }
            }
        });
        Ok(Self { child, reports, last: AgentReport::default() })
    }

    /// Gives an order.
    ///
    /// # Errors
    ///
    /// When it ended.
    pub fn order(&mut self, order: &Order) -> io::Result<()> {
        let input = self.child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        serde_json::to_writer(&mut *input, order)?;
        input.write_all(b"\n")?;
        input.flush()
    }

    /// Waits for a report that fits. The last one counts too.
    ///
    /// # Errors
    ///
    /// When none came within twenty seconds: what the last one was.
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&AgentReport) -> bool) -> io::Result<AgentReport> {
        let deadline = Instant::now() + PATIENCE;
        self.last_report();
        while !fits(&self.last) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.reports.recv_timeout(left) {
                Ok(report) => self.last = report,
                Err(_) => {
                    return Err(io::Error::other(format!(
                        "no report of {what}; the last was {:?}",
                        self.last
                    )));
                }
            }
        }
        Ok(self.last.clone())
    }

    /// The last report so far.
    pub fn last_report(&mut self) -> AgentReport {
        while let Ok(report) = self.reports.try_recv() {
            self.last = report;
        }
        self.last.clone()
    }

    /// Microseconds of processor time that it took so far, of all its threads.
    ///
    /// # Errors
    ///
    /// When it ended.
    pub fn processor_micros(&self) -> io::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold spaces: the 12th and 13th field are ticks in the program and in the kernel.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        Ok((ticks(11) + ticks(12)) * 10_000)
    }

    /// Ends it as a power failure would.
    ///
    /// # Errors
    ///
    /// When it ended before.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // One that ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
