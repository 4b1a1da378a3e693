//! Snapshots in the store: pieces, and a seal that is written last.
//!
//! Keys are the number of the snapshot in its generation and that of the piece.

use liqo_events::Seq;
use sled::{Db, Tree};

use super::chunk::FULL;
use crate::{Failure, Snapshot};

/// Number of the seal, after those of the pieces.
const SEAL: u32 = u32::MAX;
const SEAL_BYTES: usize = 8 + 8 + 4 + 4;

/// What is known of a snapshot without reading its pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seal {
    at: Seq,
    bytes: u64,
    checksum: u32,
}

/// All snapshots of a generation. A new one does not remove the old one; rotation does.
#[derive(Debug)]
pub(super) struct Snapshots {
    tree: Tree,
    /// The newest one that is whole, by its number.
    newest: Option<(u64, Seal)>,
    next: u64,
    /// Bytes of the others.
    dead: u64,
}

impl Snapshots {
    /// Opens the tree, and judges the seals that it has. One without a seal was never finished and does not count.
    pub(super) fn open(db: &Db) -> Result<Self, Failure> {
        let mut snapshots = Self { tree: db.open_tree("snapshots")?, newest: None, next: 0, dead: 0 };
        let mut end = key_of(u64::MAX, SEAL);
        while let Some((key, value)) = snapshots.tree.get_lt(end)? {
            let (number, piece) = parse(&key)?;
            snapshots.next = snapshots.next.max(number + 1);
            if piece != SEAL {
                snapshots.dead += bytes_of(FULL) * (u64::from(piece) + 1);
            } else if snapshots.newest.is_none() {
                snapshots.newest = Some((number, unseal(&value)?));
            } else {
                snapshots.dead += unseal(&value)?.bytes;
            }
            end = key_of(number, 0);
        }
        Ok(snapshots)
    }

    /// Position of the newest one.
    pub(super) fn at(&self) -> Option<Seq> {
        self.newest.map(|(_, seal)| seal.at)
    }

    /// Bytes of the newest one.
    pub(super) fn live_bytes(&self) -> u64 {
        self.newest.map_or(0, |(_, seal)| seal.bytes)
    }

    /// Bytes of the others.
    pub(super) fn dead_bytes(&self) -> u64 {
        self.dead
    }

    /// Gives a snapshot to the store; it counts when that is synced.
    pub(super) fn write(&mut self, at: Seq, bytes: &[u8]) -> Result<(), Failure> {
        let number = self.next;
        let pieces = || (0_u32..).zip(bytes.chunks(FULL));
        // Slots, as the store wants them.
        for (piece, _) in pieces() {
            self.tree.insert(key_of(number, piece), sled::IVec::default())?;
        }
        for (piece, value) in pieces() {
            self.tree.insert(key_of(number, piece), value)?;
        }
        let seal = Seal { at, bytes: bytes_of(bytes.len()), checksum: crc32fast::hash(bytes) };
        self.tree.insert(key_of(number, SEAL), seal_bytes(&seal).as_slice())?;
        self.dead += self.live_bytes();
        self.newest = Some((number, seal));
        self.next += 1;
        Ok(())
    }

    /// The newest one.
    pub(super) fn read(&self) -> Result<Option<Snapshot>, Failure> {
        let Some((number, seal)) = self.newest else { return Ok(None) };
        let mut bytes = Vec::new();
        for piece in 0..seal.bytes.div_ceil(bytes_of(FULL)) {
            let lost = || Failure::damaged(seal.at, format!("piece {piece} of the snapshot is gone"));
            let key = key_of(number, u32::try_from(piece).map_err(|_| lost())?);
            bytes.extend_from_slice(&self.tree.get(key)?.ok_or_else(lost)?);
        }
        if bytes_of(bytes.len()) != seal.bytes || crc32fast::hash(&bytes) != seal.checksum {
            return Err(Failure::damaged(seal.at, "the snapshot has another length or checksum"));
        }
        Snapshot::from_bytes(seal.at, bytes.into()).map(Some)
    }
}

fn bytes_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn key_of(number: u64, piece: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..].copy_from_slice(&piece.to_be_bytes());
    key
}

fn parse(key: &[u8]) -> Result<(u64, u32), Failure> {
    let parts = key.split_first_chunk().and_then(|(number, rest)| Some((number, rest.try_into().ok()?)));
    let (number, piece) =
        parts.ok_or_else(|| Failure::damaged(Seq::default(), "a snapshot's key is no number"))?;
    Ok((u64::from_be_bytes(*number), u32::from_be_bytes(piece)))
}

fn seal_bytes(seal: &Seal) -> [u8; SEAL_BYTES] {
    let mut bytes = [0; SEAL_BYTES];
    bytes[..8].copy_from_slice(&seal.at.0.to_be_bytes());
    bytes[8..16].copy_from_slice(&seal.bytes.to_be_bytes());
    bytes[16..20].copy_from_slice(&seal.checksum.to_be_bytes());
    let own = crc32fast::hash(&bytes[..20]);
    bytes[20..].copy_from_slice(&own.to_be_bytes());
    bytes
}

fn unseal(bytes: &[u8]) -> Result<Seal, Failure> {
    let seal = bytes.split_first_chunk().and_then(|(at, rest)| {
        let (length, rest) = rest.split_first_chunk()?;
        let (checksum, own) = rest.split_first_chunk()?;
        let whole = u32::from_be_bytes(own.try_into().ok()?) == crc32fast::hash(&bytes[..20]);
        whole.then(|| Seal {
            at: Seq(u64::from_be_bytes(*at)),
            bytes: u64::from_be_bytes(*length),
            checksum: u32::from_be_bytes(*checksum),
        })
    });
    seal.ok_or_else(|| Failure::damaged(Seq::default(), "a snapshot's seal is damaged"))
}

#[cfg(test)]
mod tests {
    use liqo_events::{StateDigest, UnixMillis};

    use super::*;
    use crate::contract_tests::events;
    use crate::on_disk::store;

    fn snapshot(at: u64, count: u64) -> Snapshot {
        Snapshot::new(Seq(at), UnixMillis(1), StateDigest(at), events(1..=count, 700))
    }

    fn write(snapshots: &mut Snapshots, snapshot: &Snapshot) {
        snapshots.write(snapshot.at, &snapshot.to_bytes()).unwrap();
    }

    #[test]
    fn the_newest_is_read_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        {
            let db = store::open(dir.path(), 1 << 20).unwrap();
            let mut snapshots = Snapshots::open(&db).unwrap();
            assert_eq!(snapshots.read().unwrap(), None);
            write(&mut snapshots, &snapshot(5, 300));
            write(&mut snapshots, &snapshot(9, 500));
            db.flush().unwrap();
        }
        let snapshots = Snapshots::open(&store::open(dir.path(), 1 << 20).unwrap()).unwrap();
        assert_eq!(snapshots.read().unwrap(), Some(snapshot(9, 500)));
        assert_eq!(snapshots.dead_bytes(), snapshot(5, 300).to_bytes().len() as u64);
    }

    #[test]
    fn one_without_a_seal_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let db = store::open(dir.path(), 1 << 20).unwrap();
        let mut snapshots = Snapshots::open(&db).unwrap();
        write(&mut snapshots, &snapshot(5, 300));
        write(&mut snapshots, &snapshot(9, 500));
        snapshots.tree.remove(key_of(1, SEAL)).unwrap();
        let mut again = Snapshots::open(&db).unwrap();
        assert_eq!(again.read().unwrap(), Some(snapshot(5, 300)));
        write(&mut again, &snapshot(9, 20));
        assert_eq!(again.read().unwrap(), Some(snapshot(9, 20)));
    }

    #[test]
    fn one_with_a_lost_or_changed_piece_is_damaged() {
        for change in [None, Some(vec![7_u8; FULL])] {
            let dir = tempfile::tempdir().unwrap();
            let db = store::open(dir.path(), 1 << 20).unwrap();
            let mut snapshots = Snapshots::open(&db).unwrap();
            write(&mut snapshots, &snapshot(9, 500));
            match change {
                None => drop(snapshots.tree.remove(key_of(0, 3)).unwrap()),
                Some(piece) => drop(snapshots.tree.insert(key_of(0, 3), piece).unwrap()),
            }
            assert!(matches!(snapshots.read(), Err(Failure::Damaged { at: Seq(9), .. })));
        }
    }
}
