//! The envelope that every event travels in, and its layout in bytes.
//!
//! ```text
//! crc32 u32 │ schema u16 │ kind u16 │ flags u8 │ seq u64 │ recorded_at i64 │ caused_by u64 │ state u64 │ trace 24? │ payload
//! ```
//!
//! Numbers are big-endian. The checksum covers everything after it. Everything but the payload has fixed places, so
//! that a reader can classify a record whose payload it does not know.

use std::fmt;

use bincode::{Decode, Encode};
use bytes::Bytes;
use serde::Serialize;

use crate::codec::{MAX_PAYLOAD, SCHEMA, decode_payload, encode_payload};
use crate::{DecodeError, EncodeError, Recorded, StateDigest, UnixMillis};

/// Position of an event in the log of one process: from 1, without gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The first event of a log.
    pub const FIRST: Self = Self(1);

    /// The next position.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// Where an event belongs in a distributed trace. Source: W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span that caused the event.
    pub span_id: [u8; 8],
}

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Version of the layout and of the payload.
    pub schema: u16,
    /// Number of the event's kind, [`Event::kind`].
    pub kind: u16,
    /// Position in the log.
    pub seq: Seq,
    /// When it was recorded; never goes back within a log.
    pub recorded_at: UnixMillis,
    /// The event that made this one necessary; nothing for what came from outside.
    pub caused_by: Option<Seq>,
    /// Fingerprint of the state right after this event.
    pub state: StateDigest,
    /// Trace that it belongs to.
    pub trace: Option<TraceContext>,
    /// The event, encoded; of a record that was read, a part of what it was read from.
    pub payload: Bytes,
}

const CHECKSUM_BYTES: usize = 4;
const HEADER_BYTES: usize = CHECKSUM_BYTES + 2 + 2 + 1 + 8 + 8 + 8 + 8;
const TRACE_BYTES: usize = 24;
const FLAG_TRACE: u8 = 1;

impl Envelope {
    /// Seals a recorded event.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when the event is too large or the codec refuses it.
    pub fn seal(
        recorded: &Recorded,
        state: StateDigest,
        trace: Option<TraceContext>,
    ) -> Result<Self, EncodeError> {
        let payload = encode_payload(&recorded.event)?;
        if payload.len() > MAX_PAYLOAD {
            return Err(EncodeError::TooLarge {
                kind: recorded.event.kind(),
                bytes: payload.len(),
                limit: MAX_PAYLOAD,
            });
        }
        Ok(Self {
            schema: SCHEMA,
            kind: recorded.event.kind(),
            seq: recorded.seq,
            recorded_at: recorded.recorded_at,
            caused_by: recorded.caused_by,
            state,
            trace,
            payload: payload.into(),
        })
    }

    /// The event inside.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnknownKind`] for a kind of a newer version, [`DecodeError::Payload`] for bytes that are no event.
    pub fn open(&self) -> Result<Recorded, DecodeError> {
        let event = decode_payload(self.seq, self.kind, &self.payload)?;
        Ok(Recorded { seq: self.seq, recorded_at: self.recorded_at, caused_by: self.caused_by, event })
    }

    /// The bytes that a log keeps, checksum first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes());
        self.write_to(&mut bytes);
        bytes
    }

    /// How many bytes a log keeps.
    pub fn bytes(&self) -> usize {
        let trace = if self.trace.is_some() { TRACE_BYTES } else { 0 };
        HEADER_BYTES + trace + self.payload.len()
    }

    /// Puts the bytes that a log keeps behind others.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        let begin = bytes.len();
        bytes.extend_from_slice(&[0; CHECKSUM_BYTES]);
        bytes.extend_from_slice(&self.schema.to_be_bytes());
        bytes.extend_from_slice(&self.kind.to_be_bytes());
        bytes.push(if self.trace.is_some() { FLAG_TRACE } else { 0 });
        bytes.extend_from_slice(&self.seq.0.to_be_bytes());
        bytes.extend_from_slice(&self.recorded_at.0.to_be_bytes());
        bytes.extend_from_slice(&self.caused_by.map_or(0, |seq| seq.0).to_be_bytes());
        bytes.extend_from_slice(&self.state.0.to_be_bytes());
        if let Some(trace) = self.trace {
            bytes.extend_from_slice(&trace.trace_id);
            bytes.extend_from_slice(&trace.span_id);
        }
        bytes.extend_from_slice(&self.payload);
        let (place, rest) = bytes[begin..].split_at_mut(CHECKSUM_BYTES);
        place.copy_from_slice(&crc32fast::hash(rest).to_be_bytes());
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Any [`DecodeError`] but those of the payload, which [`Self::open`] reads.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(bytes, Bytes::copy_from_slice)
    }

    /// Like [`Self::from_bytes`] without a copy: what the bytes are a part of stays in memory as long as the envelope does.
    ///
    /// # Errors
    ///
    /// As [`Self::from_bytes`].
    pub fn from_shared(bytes: &Bytes) -> Result<Self, DecodeError> {
        Self::read(bytes, |payload| bytes.slice(bytes.len() - payload.len()..))
    }

    fn read(bytes: &[u8], payload: impl FnOnce(&[u8]) -> Bytes) -> Result<Self, DecodeError> {
        let truncated = DecodeError::Truncated { bytes: bytes.len() };
        let (checksum, rest) =
            bytes.split_first_chunk::<CHECKSUM_BYTES>().ok_or_else(|| truncated.clone())?;
        let expected = u32::from_be_bytes(*checksum);
        let found = crc32fast::hash(rest);
        if expected != found {
            return Err(DecodeError::Checksum { expected, found });
        }
        Fields(rest).envelope(payload).ok_or(truncated)?.check_schema()
    }

    fn check_schema(self) -> Result<Self, DecodeError> {
        if self.schema > SCHEMA {
            return Err(DecodeError::NewerSchema { found: self.schema, supported: SCHEMA });
        }
        if self.schema < SCHEMA {
            return Err(DecodeError::OlderSchema { found: self.schema, supported: SCHEMA });
        }
        Ok(self)
    }
}

/// The bytes of a record that are still to be read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn envelope(mut self, payload: impl FnOnce(&[u8]) -> Bytes) -> Option<Envelope> {
        let schema = u16::from_be_bytes(self.take()?);
        let kind = u16::from_be_bytes(self.take()?);
        let [flags] = self.take()?;
        let seq = Seq(u64::from_be_bytes(self.take()?));
        let recorded_at = UnixMillis(i64::from_be_bytes(self.take()?));
        let caused_by = Some(u64::from_be_bytes(self.take()?)).filter(|seq| *seq != 0).map(Seq);
        let state = StateDigest(u64::from_be_bytes(self.take()?));
        let trace = if flags & FLAG_TRACE == 0 {
            None
        } else {
            Some(TraceContext { trace_id: self.take()?, span_id: self.take()? })
        };
        let payload = payload(self.0);
        Some(Envelope { schema, kind, seq, recorded_at, caused_by, state, trace, payload })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Event, LeaseGained};

    fn sample(trace: Option<TraceContext>) -> Envelope {
        let recorded = Recorded {
            seq: Seq(7),
            recorded_at: UnixMillis(1_700_000_000_000),
            caused_by: Some(Seq(6)),
            event: Event::LeaseGained(LeaseGained { epoch: 3, continued: false }),
        };
        Envelope::seal(&recorded, StateDigest(42), trace).unwrap()
    }

    #[test]
    fn an_envelope_comes_back_whole() {
        let traced = Some(TraceContext { trace_id: [1; 16], span_id: [2; 8] });
        for envelope in [sample(None), sample(traced)] {
            assert_eq!(Envelope::from_bytes(&envelope.to_bytes()), Ok(envelope));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let bytes = sample(None).to_bytes();
        for position in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[position / 8] ^= 1 << (position % 8);
            assert!(Envelope::from_bytes(&damaged).is_err(), "bit {position}");
        }
        for length in 0..bytes.len() {
            assert!(Envelope::from_bytes(&bytes[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_record_of_a_newer_version_is_named_so() {
        let mut envelope = sample(None);
        envelope.schema = SCHEMA + 1;
        assert_eq!(
            Envelope::from_bytes(&envelope.to_bytes()),
            Err(DecodeError::NewerSchema { found: SCHEMA + 1, supported: SCHEMA })
        );
        let mut envelope = sample(None);
        envelope.kind = 65_000;
        assert_eq!(envelope.open(), Err(DecodeError::UnknownKind { seq: Seq(7).0, kind: 65_000 }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in any::<u16>()) {
            let _ = Envelope::from_bytes(&bytes);
            let mut envelope = sample(None);
            envelope.kind = kind;
            envelope.payload = bytes.into();
            let _ = envelope.open();
        }
    }
}
