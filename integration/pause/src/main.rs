//! The first process of a pod: holds the pod's namespaces open, reaps orphans, and ends when it is told to.
//!
//! The containers of a pod come and go while this process stays. In a shared process namespace it is process 1, so
//! every orphan becomes its child and would stay a zombie if nobody waited for it.

use std::io;
use std::process::ExitCode;

use rustix::process::{WaitOptions, wait};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pause: cannot handle signals: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends at the first signal that asks for it. Process 1 has no default actions: without handlers it would ignore both.
fn run() -> io::Result<()> {
    let mut signals = Signals::new([SIGCHLD, SIGINT, SIGTERM])?;
    // Children that ended before the handlers were there sent a signal that nobody saw.
    reap();
    for signal in signals.forever() {
        match signal {
            SIGCHLD => reap(),
            _ => break,
        }
    }
    Ok(())
}

/// Waits for every child that has ended: one signal may stand for many of them.
fn reap() {
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}
