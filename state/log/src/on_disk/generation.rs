//! One generation: the store in its directory, and how far it got.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use liqo_events::{Envelope, Seq};
use sled::Db;

use super::chunk::{self, Header, Packed};
use super::head::{Head, Mark};
use super::shed::Shed;
use super::snapshots::Snapshots;
use super::store::{self, Slots};
use super::volume::sync_directory;
use crate::{Failure, Snapshot};

/// Events and snapshots in one store.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) chunks: Slots,
    pub(super) snapshots: Snapshots,
    pub(super) head: Head,
    /// The position of the next event.
    pub(super) next: Seq,
    /// Where the next chunk begins to cover; nothing without chunks.
    pub(super) covered_to: Option<Seq>,
    /// The first event; nothing without events.
    pub(super) oldest: Option<Seq>,
    /// Bytes of all chunks.
    pub(super) bytes: u64,
    db: Db,
    /// The store's file, to sync it.
    file: File,
    /// Where the last reading ended: the next position, and the chunk that has it. Replay reads on from there.
    read_to: Option<(Seq, u64)>,
    shed: Shed,
}

impl Generation {
    /// Opens the store in a directory, without judging what is in it. The mark says how far it got.
    pub(super) fn open(path: &Path, number: u64, cache_bytes: u64) -> Result<(Self, Option<Mark>), Failure> {
        let db = store::open(path, cache_bytes)?;
        let (head, mark) = Head::open(path)?;
        let generation = Self {
            number,
            path: path.to_owned(),
            chunks: Slots::open(&db, "events")?,
            snapshots: Snapshots::open(&db)?,
            head,
            next: Seq::FIRST,
            covered_to: None,
            oldest: None,
            bytes: 0,
            file: OpenOptions::new().write(true).open(path.join("db"))?,
            db,
            read_to: None,
            shed: Shed::new(),
        };
        Ok((generation, mark))
    }

    /// Makes an empty one whose first event is `next`.
    pub(super) fn create(path: &Path, number: u64, cache_bytes: u64, next: Seq) -> Result<Self, Failure> {
        let (mut generation, _) = Self::open(path, number, cache_bytes)?;
        generation.next = next;
        Ok(generation)
    }

    /// Position of the newest snapshot; 0 without one.
    pub(super) fn snapshot_at(&self) -> Seq {
        self.snapshots.at().unwrap_or_default()
    }

    /// Gives chunks that follow to the store.
    pub(super) fn push(&mut self, packed: Packed) -> Result<(), Failure> {
        self.oldest = self.oldest.or(Some(packed.header.first));
        self.covered_to = Some(packed.header.last.next());
        self.next = packed.header.last.next();
        let bytes = packed.bytes.len();
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        self.chunks.push(packed.bytes)?;
        self.shed.hold(&self.db, bytes)
    }

    /// Gives a snapshot to the store.
    pub(super) fn push_snapshot(&mut self, at: Seq, bytes: &[u8]) -> Result<(), Failure> {
        self.next = self.next.max(at.next());
        self.snapshots.write(at, bytes)?;
        self.shed.over(&self.db, u64::try_from(bytes.len()).unwrap_or(u64::MAX))
    }

    /// Makes the store let go of what a start has read.
    pub(super) fn let_go(&mut self) -> Result<(), Failure> {
        self.shed.over(&self.db, self.snapshots.live_bytes())
    }

    /// Makes what was given durable, and marks how far it got. Microseconds that syncing took.
    pub(super) fn sync(&mut self) -> Result<u64, Failure> {
        let micros = store::sync(&self.db, &self.file)?;
        self.head.write(Mark { last: Seq(self.next.0.saturating_sub(1)), snapshot: self.snapshot_at() })?;
        Ok(micros)
    }

    /// Makes everything durable, names of files and the mark included.
    pub(super) fn sync_all(&mut self) -> Result<u64, Failure> {
        let micros = self.sync()?;
        self.head.sync()?;
        File::open(self.path.join("conf"))?.sync_all()?;
        sync_directory(&self.path)?;
        Ok(micros)
    }

    /// A chunk's events, when many are read.
    pub(super) fn chunk_of_many(&mut self, index: u64) -> Result<(Header, Vec<Envelope>), Failure> {
        let (header, bytes) = self.chunk(index)?;
        self.shed.hold(&self.db, bytes.len())?;
        Ok((header, chunk::events(&header, &bytes)?))
    }

    /// Header and bytes of a chunk.
    pub(super) fn chunk(&self, index: u64) -> Result<(Header, sled::IVec), Failure> {
        let lost = || Failure::damaged(self.next, format!("chunk {index} of the events is gone"));
        let bytes = self.chunks.get(index)?.ok_or_else(lost)?;
        Ok((Header::read(self.next, &bytes)?, bytes))
    }

    /// The header of the first chunk from `index` on that is not damaged, and which one that is.
    pub(super) fn header_from(&self, index: u64, end: u64) -> Result<Option<(u64, Header)>, Failure> {
        for index in index..end {
            match self.chunk(index) {
                Ok((header, _)) => return Ok(Some((index, header))),
                Err(Failure::Damaged { .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    /// The first chunk from `low` on for which `reached` holds, or how many there are. It has to hold for all after it. A
    /// damaged one counts as the one after it: history is judged only when it is read.
    pub(super) fn search(&self, low: u64, reached: impl Fn(&Header) -> bool) -> Result<u64, Failure> {
        let (mut low, mut high) = (low, self.chunks.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.header_from(middle, high)? {
                Some((index, header)) if !reached(&header) => low = index + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Up to `limit` events from `from` on.
    pub(super) fn read(&mut self, from: Seq, limit: usize) -> Result<Vec<Envelope>, Failure> {
        let known = self.read_to.filter(|(next, _)| *next == from).map(|(_, index)| index);
        let mut index = match known {
            Some(index) => index,
            None => self.search(0, |header| header.last >= from)?,
        };
        let mut read = Vec::new();
        let mut before: Option<Header> = None;
        while read.len() < limit && index < self.chunks.len() {
            let (header, events) = self.chunk_of_many(index)?;
            if before.is_some_and(|before| before.last.next() != header.first) {
                return Err(Failure::damaged(header.first, "the chunk before it is another"));
            }
            let wanted = events.into_iter().filter(|envelope| envelope.seq >= from);
            read.extend(wanted.take(limit - read.len()));
            let exhausted = read.last().is_none_or(|last| last.seq == header.last);
            self.read_to =
                read.last().map(|last| (last.seq.next(), if exhausted { index + 1 } else { index }));
            before = Some(header);
            index += 1;
        }
        if read.len() < limit {
            self.let_go()?;
        }
        Ok(read)
    }

    /// The newest snapshot.
    pub(super) fn snapshot(&mut self) -> Result<Option<Snapshot>, Failure> {
        let snapshot = self.snapshots.read()?;
        self.let_go()?;
        Ok(snapshot)
    }

    /// Bytes of the store's files.
    pub(super) fn disk_bytes(&self) -> Result<u64, Failure> {
        Ok(self.db.size_on_disk()?)
    }
}
