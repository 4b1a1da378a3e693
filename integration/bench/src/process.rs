//! What a process uses. Source: proc(5).

use std::fs;

use crate::Result;

/// Of what `/proc` counts processor time in; the kernel shows every architecture the same.
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory of a process in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident.
    pub(crate) resident: f64,
    /// Of that, not from files: heap and stacks.
    pub(crate) anonymous: f64,
    /// The most that was ever resident.
    pub(crate) peak: f64,
}

/// The memory of a process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    };
    Ok(Memory { resident: field("VmRSS:"), anonymous: field("RssAnon:"), peak: field("VmHWM:") })
}

/// Seconds of processor time that a process has used, in user and kernel mode, with threads that have ended.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in parentheses, may hold anything. User and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    Ok((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
}

/// Runs something and tells the seconds that passed and that this process computed meanwhile.
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Cost)> {
    let own = std::process::id();
    let (began, cpu) = (std::time::Instant::now(), cpu_seconds(own)?);
    let result = work()?;
    let cost = Cost { wall: began.elapsed().as_secs_f64(), cpu: cpu_seconds(own)? - cpu };
    Ok((result, cost))
}

/// Seconds that something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}
