//! A network namespace that lives as long as a value.

use std::fs::File;
use std::io::{self, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Why this process cannot make namespaces, if it cannot.
pub fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces need root".to_owned());
    }
    if !std::path::Path::new("/dev/net/tun").exists() {
        return Some("/dev/net/tun is missing".to_owned());
    }
    Namespace::new().err().map(|error| format!("a network namespace cannot be made: {error}"))
}

/// A network namespace with its loopback up. A process holds it that ends when this process does.
#[derive(Debug)]
pub struct Namespace {
    holder: Child,
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// When this process may not, or a program is missing.
    pub fn new() -> io::Result<Self> {
        // `cat` ends when its input does, which is when this process has ended or lets go.
        let script = "ip link set lo up && echo ready && exec cat";
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut ready = [0; 6];
        let output = holder.stdout.as_mut().map(|output| io::Read::read_exact(output, &mut ready));
        match output {
            Some(Ok(())) => Ok(Self { holder }),
            Some(Err(error)) => Err(error),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    /// The process that holds it.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// A program in it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid())).arg(program);
        command
    }

    /// Runs lines of a shell script in it, which must succeed. Returns what it wrote.
    ///
    /// # Errors
    ///
    /// When a line fails: what it said.
    pub fn run(&self, script: &str) -> io::Result<String> {
        let mut child = self
            .command("sh")
            .arg("-eu")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(script.as_bytes())?;
        }
        let Output { status, stdout, stderr } = child.wait_with_output()?;
        let (said, complaint) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        if status.success() {
            return Ok(said.into_owned());
        }
        Err(io::Error::other(format!("{script}: {complaint}{said}")))
    }

    /// Runs code in it, on a thread of its own. Sockets that it makes stay in the namespace.
    ///
    /// # Errors
    ///
    /// What the code says, and when the namespace cannot be entered.
    pub fn enter<T: Send + 'static>(
        &self,
        code: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let namespace = File::open(format!("/proc/{}/ns/net", self.pid()))?;
        let thread = thread::spawn(move || {
            move_into_link_name_space(
                std::os::fd::AsFd::as_fd(&namespace),
                Some(LinkNameSpaceType::Network),
            )?;
            code()
        });
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the code in the namespace panicked")))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It ends by itself with its input; what is left to do is to take note of that.
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
