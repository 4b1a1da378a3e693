//! A small file beside the store that says how far it got.
//!
//! The store loses a damaged tail in silence: it opens as if the last events had never been. So the position of the last
//! durable event is written here after each append, in place and without waiting for the disk, which costs
//! microseconds. It can only be older than the truth, never newer. What that promises:
//!
//! - after the process was killed it is exact: **every** acknowledged event that is missing shows;
//! - after a crash of the machine it is as old as the last write-back: it is made durable with each snapshot, each
//!   rotation and each close, and at most [`SYNC_EVERY`] appends later; Linux writes it back after half a minute on its own.
//!   Losing acknowledged events needs a disk that lies as well, because they were synced themselves.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use liqo_events::Seq;

const MAGIC: &[u8; 4] = b"LQHD";
const NAME: &str = "HEAD";
const BYTES: usize = 4 + 8 + 8 + 4;

/// Appends after which the file is made durable with the events. Each time costs a second write-back; one in so many is
/// lost in the noise.
const SYNC_EVERY: u32 = 1024;

/// How far a generation got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last position that is covered: that of the last event, or of the snapshot that the generation began with.
    pub(super) last: Seq,
    /// Position of the newest snapshot; 0 without one.
    pub(super) snapshot: Seq,
}

/// The open file.
#[derive(Debug)]
pub(super) struct Head {
    file: File,
    since_sync: u32,
}

impl Head {
    /// Opens or makes the file in a generation's directory. The mark is missing when there was none that is whole.
    pub(super) fn open(generation: &Path) -> io::Result<(Self, Option<Mark>)> {
        let path = generation.join(NAME);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = [0; BYTES];
        let mark = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        Ok((Self { file, since_sync: 0 }, mark))
    }

    /// Writes a mark, without waiting for the disk but now and then.
    pub(super) fn write(&mut self, mark: Mark) -> io::Result<()> {
        self.file.write_all_at(&encode(mark), 0)?;
        self.since_sync += 1;
        if self.since_sync >= SYNC_EVERY { self.sync() } else { Ok(()) }
    }

    /// Waits until the last mark is durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.since_sync = 0;
        self.file.sync_data()
    }
}

fn encode(mark: Mark) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..4].copy_from_slice(MAGIC);
    bytes[4..12].copy_from_slice(&mark.last.0.to_be_bytes());
    bytes[12..20].copy_from_slice(&mark.snapshot.0.to_be_bytes());
    let checksum = crc32fast::hash(&bytes[..20]);
    bytes[20..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8; BYTES]) -> Option<Mark> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (last, rest) = rest.split_first_chunk()?;
    let (snapshot, rest) = rest.split_first_chunk()?;
    let checksum = u32::from_be_bytes(rest.try_into().ok()?);
    let whole = checksum == crc32fast::hash(&bytes[..BYTES - 4]);
    whole.then(|| Mark { last: Seq(u64::from_be_bytes(*last)), snapshot: Seq(u64::from_be_bytes(*snapshot)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_last() {
        let dir = tempfile::tempdir().unwrap();
        let (mut head, none) = Head::open(dir.path()).unwrap();
        assert_eq!(none, None);
        for last in [5, 6] {
            head.write(Mark { last: Seq(last), snapshot: Seq(2) }).unwrap();
        }
        let (_, mark) = Head::open(dir.path()).unwrap();
        assert_eq!(mark, Some(Mark { last: Seq(6), snapshot: Seq(2) }));
    }

    #[test]
    fn a_damaged_mark_is_none() {
        let whole = encode(Mark { last: Seq(300), snapshot: Seq(0) });
        for position in 0..BYTES * 8 {
            let mut damaged = whole;
            damaged[position / 8] ^= 1 << (position % 8);
            assert_eq!(decode(&damaged), None, "bit {position}");
        }
    }
}
