//! What a change of the status of one peer costs, and what a peer takes, in clusters with few peers and with many.

use std::io::Write as _;

use serde::{Deserialize, Serialize};

use crate::child;
use crate::process::{cpu_seconds, memory};
use crate::row::emit;
use crate::world::Peers;
use crate::{Result, say};

/// Numbers of peers that are compared.
const COUNTS: [u32; 4] = [1, 10, 50, 200];
/// Processor time is counted in hundredths of a second, so a measurement takes many of them.
const SECONDS: f64 = 1.0;
/// Changes between two looks at the time.
const AT_ONCE: u32 = 100;

/// What one process measured.
#[derive(Serialize, Deserialize)]
struct Measured {
    /// Seconds of processor time for one change.
    change: f64,
    /// Events that come of one change.
    events: f64,
    /// Memory of the whole process in KiB.
    memory: f64,
}

/// Measures each number of peers in a process of its own: what one has freed would be taken for nothing by the next.
pub(crate) fn run() -> Result<()> {
    let mut measured = Vec::new();
    for count in COUNTS {
        say(&format!("changing the status of one of {count}"));
        measured.push(child::peers(count)?);
    }
    let measured: Vec<Measured> =
        measured.iter().map(|line| Ok(serde_json::from_str(line)?)).collect::<Result<_>>()?;
    for (count, of) in COUNTS.iter().zip(&measured) {
        let name = format!("change of one peer of {count}: processor time");
        emit(name, of.change * 1e6, "µs", None);
    }
    let [one, _, fifty, many] = measured.as_slice() else { return Err("a measurement is missing".into()) };
    emit("change of one peer of 50 ÷ of 1: processor time", fifty.change / one.change, "", None);
    emit("change of one peer: events", many.events, "events", None);
    let [first, .., last] = COUNTS;
    emit("memory of a peer", (many.memory - one.memory) / f64::from(last - first), "KiB", None);
    Ok(())
}

/// Measures one number of peers, and prints that for [`run`].
pub(crate) fn measure(count: u32) -> Result<()> {
    let mut peers = Peers::new(count)?;
    let own = std::process::id();
    let memory = memory(own)?.anonymous;
    let (began, mut changes, mut events) = (cpu_seconds(own)?, 0_u32, 0_u64);
    let seconds = loop {
        for at in changes..changes + AT_ONCE {
            events += peers.change(at % count, (at / count) % 2 == 1)?;
        }
        changes += AT_ONCE;
        let seconds = cpu_seconds(own)? - began;
        if seconds >= SECONDS {
            break seconds;
        }
    };
    let (change, events) = (seconds / f64::from(changes), events as f64 / f64::from(changes));
    serde_json::to_writer(std::io::stdout(), &Measured { change, events, memory })?;
    writeln!(std::io::stdout())?;
    Ok(())
}
