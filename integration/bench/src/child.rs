//! Runs this program once more, as a process to be measured.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;

use crate::Result;
use crate::journal;
use crate::process::{Memory, memory};
use crate::serve::{Hello, Relisted};

/// A process that serves; killed when it is dropped.
pub(crate) struct Child {
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it said when it could decide.
    pub(crate) hello: Hello,
}

impl Child {
    /// Starts an engine on a log, and waits until it can decide.
    pub(crate) fn serve(log: &Path, kubeconfig: Option<&Path>) -> Result<Self> {
        let mut command = again("serve")?;
        command.arg("--log").arg(log).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(kubeconfig) = kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        let mut process = command.spawn()?;
        let pipes = (process.stdin.take(), process.stdout.take());
        let (Some(input), Some(output)) = pipes else { return Err("a child has no pipes".into()) };
        let mut output = BufReader::new(output);
        let hello = match read(&mut output) {
            Ok(hello) => hello,
            Err(error) => {
                // It has said why, and may be gone already.
                let _ = process.kill();
                process.wait()?;
                return Err(error);
            }
        };
        Ok(Self { process, input, output, hello })
    }

    /// Lets it list everything anew.
    pub(crate) fn relist(&mut self) -> Result<Relisted> {
        writeln!(self.input, "relist")?;
        self.input.flush()?;
        read(&mut self.output)
    }

    /// Its memory, when nothing has happened for a while.
    pub(crate) fn settled_memory(&self) -> Result<Memory> {
        // Batches, a snapshot and what the allocator gives back are done within this, and nothing says when.
        std::thread::sleep(std::time::Duration::from_secs(3));
        memory(self.process.id())
    }
}

impl Drop for Child {
    /// As a crash: no word, no lease given back.
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes a log.
pub(crate) fn journal(arguments: &journal::Arguments) -> Result<()> {
    let mut command = again("journal")?;
    command.arg("--log").arg(&arguments.log).arg("--objects").arg(arguments.objects.to_string());
    command.arg("--uid").arg(&arguments.uid);
    if let Some(version) = arguments.version {
        command.arg("--version").arg(version.to_string());
    }
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("writing a log ended with {status}").into()) }
}

/// Measures one number of peers; gives its line.
pub(crate) fn peers(count: u32) -> Result<String> {
    let output = again("of-peers")?.arg(count.to_string()).stderr(Stdio::inherit()).output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("measuring {count} peers ended with {}", output.status).into())
    }
}

fn again(word: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(word);
    Ok(command)
}

fn read<T: DeserializeOwned>(output: &mut BufReader<ChildStdout>) -> Result<T> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    if line.is_empty() {
        return Err("a child ended without a word".into());
    }
    Ok(serde_json::from_str(&line)?)
}
