//! Events that follow each other, packed into one value of the store.
//!
//! ```text
//! crc32 u32 │ layout u8 │ events u32 │ first u64 │ last u64 │ newest i64 │ before u64 │ (length u32 │ record)…
//! ```
//!
//! A key for each event costs the store three times the work of a key for thirty. `first` to `last` is what the chunk
//! *covers*: chunks cover everything without a gap, even where retention left few events. So a chunk that got lost
//! shows, and so does an event within one, by count and checksum.

use bytes::Bytes;
use liqo_events::{Envelope, Seq, UnixMillis};

use crate::Failure;
use crate::snapshot::{LENGTH_BYTES, decoding, record, write_record};

/// Bytes at which a chunk is full. One event above it makes a chunk of its own; with its record's header it stays
/// below 32 KiB, and the page of the store that has the most of them below what the store would move to a file of its
/// own (see [`super::store`]).
pub(super) const FULL: usize = 31 * 1024;

const LAYOUT: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
const HEADER_BYTES: usize = CHECKSUM_BYTES + 1 + 4 + 8 + 8 + 8 + 8;

/// What a chunk says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Events in it.
    pub(super) events: u32,
    /// The first position that it covers.
    pub(super) first: Seq,
    /// The last position that it covers, which is that of its last event.
    pub(super) last: Seq,
    /// When its last event was recorded.
    pub(super) newest: UnixMillis,
    /// Bytes of all chunks before it in its generation.
    pub(super) before: u64,
}

impl Header {
    /// Whether retention took events out of what it covers.
    pub(super) fn is_sparse(&self) -> bool {
        u64::from(self.events) != self.last.0.wrapping_sub(self.first.0).wrapping_add(1)
    }

    /// Reads the header of a chunk whose checksum and layout are right; `at` names it in errors.
    pub(super) fn read(at: Seq, bytes: &[u8]) -> Result<Self, Failure> {
        let short = || Failure::damaged(at, "a chunk of events is cut off");
        let (checksum, rest) = bytes.split_first_chunk::<CHECKSUM_BYTES>().ok_or_else(short)?;
        if crc32fast::hash(rest) != u32::from_be_bytes(*checksum) {
            return Err(Failure::damaged(at, "a chunk of events has a wrong checksum"));
        }
        let (layout, rest) = rest.split_first().ok_or_else(short)?;
        if *layout > LAYOUT {
            return Err(Failure::NewerVersion(format!("its chunks have layout {layout}")));
        }
        fields(rest).ok_or_else(short)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[0; CHECKSUM_BYTES]);
        bytes.push(LAYOUT);
        bytes.extend_from_slice(&self.events.to_be_bytes());
        bytes.extend_from_slice(&self.first.0.to_be_bytes());
        bytes.extend_from_slice(&self.last.0.to_be_bytes());
        bytes.extend_from_slice(&self.newest.0.to_be_bytes());
        bytes.extend_from_slice(&self.before.to_be_bytes());
    }
}

fn fields(rest: &[u8]) -> Option<Header> {
    let (events, rest) = rest.split_first_chunk()?;
    let (first, rest) = rest.split_first_chunk()?;
    let (last, rest) = rest.split_first_chunk()?;
    let (newest, rest) = rest.split_first_chunk()?;
    let (before, _) = rest.split_first_chunk()?;
    Some(Header {
        events: u32::from_be_bytes(*events),
        first: Seq(u64::from_be_bytes(*first)),
        last: Seq(u64::from_be_bytes(*last)),
        newest: UnixMillis(i64::from_be_bytes(*newest)),
        before: u64::from_be_bytes(*before),
    })
}

/// The events of a chunk whose header was read.
pub(super) fn events(header: &Header, bytes: &[u8]) -> Result<Vec<Envelope>, Failure> {
    // One copy for all: their payloads are parts of it.
    let mut rest = Bytes::copy_from_slice(bytes.get(HEADER_BYTES..).unwrap_or_default());
    let mut read = Vec::new();
    let mut expected = header.first;
    while !rest.is_empty() {
        let record =
            record(&mut rest).ok_or_else(|| Failure::damaged(expected, "an event of a chunk is cut off"))?;
        let envelope = Envelope::from_shared(&record).map_err(|reason| decoding(expected, &reason))?;
        if envelope.seq < expected || envelope.seq > header.last {
            return Err(Failure::damaged(expected, "an event of a chunk is out of order"));
        }
        expected = envelope.seq.next();
        read.push(envelope);
    }
    if read.len() != usize::try_from(header.events).unwrap_or(usize::MAX) || expected != header.last.next() {
        return Err(Failure::damaged(header.first, "a chunk has another number of events"));
    }
    Ok(read)
}

/// A chunk to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) header: Header,
    pub(super) bytes: Vec<u8>,
}

/// Packs events into chunks.
#[derive(Debug)]
pub(super) struct Packer {
    /// The first position that the chunk after this one covers; nothing when it begins with its first event.
    first: Option<Seq>,
    before: u64,
    open: Option<Packed>,
    /// Bytes to allocate for a chunk.
    room: usize,
}

impl Packer {
    /// Continues after what covers everything before `first`, and has `before` bytes.
    pub(super) fn new(first: Option<Seq>, before: u64) -> Self {
        Self { first, before, open: None, room: FULL }
    }

    /// Adds an event; positions that were left out count as covered. Gives a chunk back when that became full.
    pub(super) fn push(&mut self, envelope: &Envelope) -> Option<Packed> {
        let bytes = LENGTH_BYTES + envelope.bytes();
        let full = self.open.as_ref().is_some_and(|open| open.bytes.len() + bytes > FULL);
        let finished = if full { self.finish() } else { None };
        let (first, before, room) = (self.first.unwrap_or(envelope.seq), self.before, self.room);
        let open = self.open.get_or_insert_with(|| {
            let mut bytes = Vec::with_capacity(room);
            bytes.resize(HEADER_BYTES, 0);
            Packed {
                header: Header { events: 0, first, last: first, newest: envelope.recorded_at, before },
                bytes,
            }
        });
        open.header.events += 1;
        open.header.last = envelope.seq;
        open.header.newest = envelope.recorded_at;
        write_record(envelope, &mut open.bytes);
        finished
    }

    /// Ends the chunk that is open, if there is one.
    pub(super) fn finish(&mut self) -> Option<Packed> {
        let mut packed = self.open.take()?;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        packed.header.write(&mut header);
        packed.bytes[..HEADER_BYTES].copy_from_slice(&header);
        let checksum = crc32fast::hash(&packed.bytes[CHECKSUM_BYTES..]);
        packed.bytes[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_be_bytes());
        self.first = Some(packed.header.last.next());
        self.before += u64::try_from(packed.bytes.len()).unwrap_or(u64::MAX);
        Some(packed)
    }
}

/// Packs a batch that follows what covers everything before `first`.
pub(super) fn pack(batch: &[Envelope], first: Option<Seq>, before: u64) -> Vec<Packed> {
    let mut packer = Packer::new(first, before);
    // Most batches are a few small events.
    packer.room =
        batch.iter().map(|envelope| envelope.payload.len() + 2 * HEADER_BYTES).sum::<usize>().min(FULL);
    let mut chunks: Vec<Packed> = batch.iter().filter_map(|envelope| packer.push(envelope)).collect();
    chunks.extend(packer.finish());
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tests::events as some_events;

    fn unpacked(chunks: &[Packed]) -> Vec<Envelope> {
        let all = chunks.iter().flat_map(|chunk| {
            let header = Header::read(Seq(1), &chunk.bytes).unwrap();
            assert_eq!(header, chunk.header);
            events(&header, &chunk.bytes).unwrap()
        });
        all.collect()
    }

    #[test]
    fn a_batch_comes_back_from_its_chunks() {
        let batch = some_events(5..=204, 1000);
        let chunks = pack(&batch, None, 77);
        assert_eq!(unpacked(&chunks), batch);
        assert!(chunks.len() > 5 && chunks.iter().all(|chunk| chunk.bytes.len() <= FULL));
        let mut before = 77;
        let mut first = Seq(5);
        for chunk in &chunks {
            assert_eq!((chunk.header.before, chunk.header.first), (before, first));
            before += chunk.bytes.len() as u64;
            first = chunk.header.last.next();
        }
    }

    #[test]
    fn what_was_left_out_is_covered() {
        let kept: Vec<Envelope> =
            some_events(1..=30, 10).into_iter().filter(|event| event.seq.0 % 7 == 0).collect();
        let mut packer = Packer::new(None, 0);
        assert!(kept.iter().all(|event| packer.push(event).is_none()));
        let chunk = packer.finish().unwrap();
        assert_eq!(
            (chunk.header.first, chunk.header.last, chunk.header.is_sparse()),
            (Seq(7), Seq(28), true)
        );
        assert_eq!(unpacked(&[chunk]), kept);
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let chunk = pack(&some_events(1..=2, 20), None, 0).remove(0);
        for position in 0..chunk.bytes.len() * 8 {
            let mut damaged = chunk.bytes.clone();
            damaged[position / 8] ^= 1 << (position % 8);
            assert!(Header::read(Seq(1), &damaged).is_err(), "bit {position}");
        }
        for length in 0..chunk.bytes.len() {
            assert!(Header::read(Seq(1), &chunk.bytes[..length]).is_err(), "length {length}");
        }
    }
}
