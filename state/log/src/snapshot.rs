//! A state in as few events as make it, and its bytes.
//!
//! ```text
//! at u64 │ recorded_at i64 │ digest u64 │ schema u16 │ events u32 │ (length u32 │ record)…
//! ```
//!
//! Length and checksum of all of it are kept apart, in the seal that a store writes after everything else.

use bytes::{Buf as _, Bytes};
use liqo_events::{Envelope, Seq, StateDigest, UnixMillis};

use crate::Failure;

/// The newest layout of a snapshot that this version reads.
const SCHEMA: u16 = 1;
const HEADER_BYTES: usize = 8 + 8 + 8 + 2 + 4;
/// Before each record.
pub(crate) const LENGTH_BYTES: usize = 4;

/// The shortest list of events that rebuilds a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event that is part of the state.
    pub at: Seq,
    /// When that event was recorded.
    pub recorded_at: UnixMillis,
    /// Fingerprint of the state.
    pub digest: StateDigest,
    /// Version of the snapshot's layout.
    pub schema: u16,
    /// The events, in the order in which they make the state. Their positions mean nothing.
    pub events: Vec<Envelope>,
}

impl Snapshot {
    /// A snapshot in the layout that this version writes.
    pub fn new(at: Seq, recorded_at: UnixMillis, digest: StateDigest, events: Vec<Envelope>) -> Self {
        Self { at, recorded_at, digest, schema: SCHEMA, events }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let events: usize = self.events.iter().map(|event| LENGTH_BYTES + event.bytes()).sum();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + events);
        bytes.extend_from_slice(&self.at.0.to_be_bytes());
        bytes.extend_from_slice(&self.recorded_at.0.to_be_bytes());
        bytes.extend_from_slice(&self.digest.0.to_be_bytes());
        bytes.extend_from_slice(&self.schema.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(self.events.len()).unwrap_or(u32::MAX).to_be_bytes());
        for event in &self.events {
            write_record(event, &mut bytes);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `at` names it in errors.
    pub(crate) fn from_bytes(at: Seq, mut bytes: Bytes) -> Result<Self, Failure> {
        let (snapshot, expected) =
            header(&bytes).ok_or_else(|| Failure::damaged(at, "the snapshot is cut off"))?;
        if snapshot.schema > SCHEMA {
            return Err(Failure::NewerVersion(format!("its snapshot has schema {}", snapshot.schema)));
        }
        bytes.advance(HEADER_BYTES);
        // A count is no reason to allocate: only what is there is.
        let mut read = Vec::new();
        while !bytes.is_empty() {
            let record = record(&mut bytes)
                .ok_or_else(|| Failure::damaged(at, "an event of the snapshot is cut off"))?;
            read.push(Envelope::from_shared(&record).map_err(|reason| decoding(at, &reason))?);
        }
        if read.len() != expected || snapshot.at != at {
            return Err(Failure::damaged(
                at,
                "the snapshot has another number of events, or another position",
            ));
        }
        Ok(Self { events: read, ..snapshot })
    }
}

/// The snapshot without its events, and how many there are.
fn header(bytes: &[u8]) -> Option<(Snapshot, usize)> {
    let (at, bytes) = bytes.split_first_chunk()?;
    let (recorded_at, bytes) = bytes.split_first_chunk()?;
    let (digest, bytes) = bytes.split_first_chunk()?;
    let (schema, bytes) = bytes.split_first_chunk()?;
    let (events, _) = bytes.split_first_chunk()?;
    let snapshot = Snapshot {
        at: Seq(u64::from_be_bytes(*at)),
        recorded_at: UnixMillis(i64::from_be_bytes(*recorded_at)),
        digest: StateDigest(u64::from_be_bytes(*digest)),
        schema: u16::from_be_bytes(*schema),
        events: Vec::new(),
    };
    Some((snapshot, usize::try_from(u32::from_be_bytes(*events)).ok()?))
}

/// Puts a record with its length behind others.
pub(crate) fn write_record(event: &Envelope, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&u32::try_from(event.bytes()).unwrap_or(u32::MAX).to_be_bytes());
    event.write_to(bytes);
}

/// The next record with its length before it.
pub(crate) fn record(rest: &mut Bytes) -> Option<Bytes> {
    let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if after.len() < length {
        return None;
    }
    rest.advance(LENGTH_BYTES);
    Some(rest.split_to(length))
}

/// What a record that cannot be read means for the log.
pub(crate) fn decoding(at: Seq, reason: &liqo_events::DecodeError) -> Failure {
    match reason {
        liqo_events::DecodeError::NewerSchema { .. } => Failure::NewerVersion(reason.to_string()),
        other => Failure::damaged(at, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tests::events;

    fn snapshot() -> Snapshot {
        Snapshot::new(Seq(7), UnixMillis(70), StateDigest(9), events(3..=5, 40))
    }

    #[test]
    fn a_snapshot_comes_back_whole() {
        assert_eq!(Snapshot::from_bytes(Seq(7), snapshot().to_bytes().into()).unwrap(), snapshot());
    }

    #[test]
    fn a_cut_snapshot_is_noticed_wherever_it_is_cut() {
        let bytes = Bytes::from(snapshot().to_bytes());
        for length in 0..bytes.len() {
            assert!(Snapshot::from_bytes(Seq(7), bytes.slice(..length)).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_newer_snapshot_is_named_so() {
        let newer = Snapshot { schema: SCHEMA + 1, ..snapshot() };
        assert!(matches!(
            Snapshot::from_bytes(Seq(7), newer.to_bytes().into()),
            Err(Failure::NewerVersion(_))
        ));
    }
}
