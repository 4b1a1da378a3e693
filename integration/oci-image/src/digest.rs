//! SHA-256 digests as OCI writes them, and a writer that takes one on the way.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// The SHA-256 digest of a blob, displayed as `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The 64 hexadecimal digits without the name of the algorithm.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The digest of a file's content.
    ///
    /// # Errors
    ///
    /// [`Error::Read`].
    pub fn of_file(path: &Path) -> Result<Self> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let mut writer = HashingWriter::new(io::sink());
        io::copy(&mut File::open(path).map_err(read)?, &mut writer).map_err(read)?;
        Ok(writer.finish().0)
    }

    /// The digest of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Passes bytes on and takes their digest and number.
pub(crate) struct HashingWriter<W> {
    inner: W,
    hasher: Sha256,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), size: 0 }
    }

    /// The digest of what was written, and its size in bytes.
    pub(crate) fn finish(self) -> (Digest, u64) {
        (Digest(self.hasher.finalize().into()), self.size)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn known_vector() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
    }

    #[test]
    fn a_file_has_the_digest_of_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(Digest::of_file(&path).unwrap().to_string(), ABC);
        let missing = Digest::of_file(directory.path());
        assert!(matches!(missing, Err(Error::Read { .. })), "{missing:?}");
    }

    #[test]
    fn a_hashing_writer_agrees_with_one_shot_hashing() {
        let mut copy = Vec::new();
        let mut writer = HashingWriter::new(&mut copy);
        writer.write_all(b"a").unwrap();
        writer.write_all(b"bc").unwrap();
        let (digest, size) = writer.finish();
        assert_eq!((digest.to_string().as_str(), size, copy.as_slice()), (ABC, 3, b"abc".as_slice()));
    }
}
