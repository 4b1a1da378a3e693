//! One entry of an image's root file system.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// The permission bits that a mode may have: read, write, execute, set-id and sticky.
pub(crate) const MODE_BITS: u32 = 0o7777;

/// Who owns an entry, by number: an image has no users but those of its own `/etc/passwd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Owner {
    /// The owner of everything that does not ask for another.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file of this machine, read while the image is written.
    Path(PathBuf),
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Directory,
    File(Source),
    Symlink(PathBuf),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) owner: Owner,
}

impl Entry {
    /// What a directory is that is only there because something lies below it.
    pub(crate) const PARENT: Self = Self { kind: Kind::Directory, mode: 0o755, owner: Owner::ROOT };

    pub(crate) fn file(source: Source, mode: u32) -> Self {
        Self { kind: Kind::File(source), mode, owner: Owner::ROOT }
    }

    pub(crate) fn symlink(target: PathBuf) -> Self {
        Self { kind: Kind::Symlink(target), mode: 0o777, owner: Owner::ROOT }
    }

    /// Whether both entries look the same to a process in the image; reads files where their sources differ.
    pub(crate) fn same(&self, other: &Self) -> Result<bool> {
        if self.mode != other.mode || self.owner != other.owner {
            return Ok(false);
        }
        match (&self.kind, &other.kind) {
            (Kind::Directory, Kind::Directory) => Ok(true),
            (Kind::Symlink(left), Kind::Symlink(right)) => Ok(left == right),
            (Kind::File(left), Kind::File(right)) => left.same(right),
            _ => Ok(false),
        }
    }
}

impl Source {
    fn same(&self, other: &Self) -> Result<bool> {
        match (self, other) {
            (Self::Path(left), Self::Path(right)) if left == right => Ok(true),
            (Self::Bytes(left), Self::Bytes(right)) => Ok(left == right),
            _ => {
                let (mut left, mut right) = (self.open()?, other.open()?);
                if left.size != right.size {
                    return Ok(false);
                }
                same_bytes(&mut left.reader, &mut right.reader).map_err(|source| Error::Read {
                    path: self.path().or(other.path()).unwrap_or_default(),
                    source,
                })
            }
        }
    }

    fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Path(path) => Some(path.clone()),
            Self::Bytes(_) => None,
        }
    }

    /// Opens the source and gives its present size in bytes.
    pub(crate) fn open(&self) -> Result<Opened<'_>> {
        match self {
            Self::Bytes(bytes) => Ok(Opened { size: bytes.len() as u64, reader: Box::new(bytes.as_slice()) }),
            Self::Path(path) => {
                let read = |source| Error::Read { path: path.clone(), source };
                let file = File::open(path).map_err(read)?;
                let metadata = file.metadata().map_err(read)?;
                if !metadata.is_file() {
                    return Err(Error::SpecialFile { path: path.clone() });
                }
                Ok(Opened { size: metadata.len(), reader: Box::new(file) })
            }
        }
    }
}

/// A source that is being read.
pub(crate) struct Opened<'a> {
    pub(crate) size: u64,
    pub(crate) reader: Box<dyn Read + 'a>,
}

fn same_bytes(left: &mut dyn Read, right: &mut dyn Read) -> io::Result<bool> {
    let (mut left, mut right) = (BufReader::new(left).bytes(), BufReader::new(right).bytes());
    loop {
        match (left.next().transpose()?, right.next().transpose()?) {
            (None, None) => return Ok(true),
            (a, b) if a == b => {}
            _ => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sameness_looks_at_content_not_at_origin() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, b"content").unwrap();
        let from_path = Entry::file(Source::Path(path), 0o644);
        let file = |bytes: &[u8], mode| Entry::file(Source::Bytes(bytes.to_vec()), mode);
        assert!(from_path.same(&file(b"content", 0o644)).unwrap());
        assert!(!from_path.same(&file(b"contenT", 0o644)).unwrap());
        assert!(!from_path.same(&file(b"conten", 0o644)).unwrap());
        assert!(!from_path.same(&file(b"content", 0o755)).unwrap());
        assert!(!from_path.same(&Entry::PARENT).unwrap());
        assert!(!Entry::symlink("a".into()).same(&Entry::symlink("b".into())).unwrap());
    }
}
