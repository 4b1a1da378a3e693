//! A log on a volume, used by processes that are killed and on files that are damaged.
//!
//! Children are this program again, told by an environment variable what to do. `LIQO_SOAK=1` takes many more rounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod children;
mod damage;
mod full;
mod kill;

use std::collections::BTreeMap;

use liqo_events::{CommandId, CommandSuperseded, Envelope, Recorded, Seq, StateDigest, UnixMillis};
use liqo_log::Snapshot;

/// The event of a position: the same in every process.
fn event(seq: u64) -> Envelope {
    event_of(seq, seq % 7 * 40 + if seq.is_multiple_of(997) { 20_000 } else { 20 })
}

/// An event of about so many bytes.
fn event_of(seq: u64, bytes: u64) -> Envelope {
    let bytes = usize::try_from(bytes).unwrap();
    let reason = char::from(b'a' + u8::try_from(seq % 26).unwrap()).to_string().repeat(bytes);
    let recorded_at = UnixMillis(i64::try_from(seq).unwrap() * 1000);
    let event = CommandSuperseded { id: CommandId::default(), reason }.into();
    let recorded = Recorded { seq: Seq(seq), recorded_at, caused_by: None, event };
    Envelope::seal(&recorded, StateDigest(seq), None).unwrap()
}

/// The snapshot of a position, of some two hundred kilobytes.
fn snapshot(at: u64) -> Snapshot {
    let events = (at.saturating_sub(1000)..at).map(|seq| event(seq + 1)).collect();
    Snapshot::new(Seq(at), UnixMillis(i64::try_from(at).unwrap() * 1000), StateDigest(at), events)
}

/// Chance that can be had again: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// As many rounds as are asked for.
fn rounds(normally: u64, soak: u64) -> u64 {
    if std::env::var_os("LIQO_SOAK").is_some_and(|value| value == "1") { soak } else { normally }
}

/// Counts, as a table of one line each.
fn table(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(what, count)| format!("{count:6} {what}\n")).collect()
}
