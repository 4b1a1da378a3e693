//! The outer tar of an image archive: small files, and blobs whose name is their digest.

use std::io::{self, Seek, SeekFrom, Write};

use tar::{EntryType, Header};

use crate::digest::{Digest, HashingWriter};
use crate::error::Failure;

const BLOCK: u64 = 512;

/// A blob that was written.
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    /// In bytes.
    pub(crate) size: u64,
}

/// Writes the outer tar from its first byte to its last.
pub(crate) struct Archive<W> {
    out: W,
}

impl<W: Write + Seek> Archive<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let size = bytes.len() as u64;
        self.out.write_all(header(name, size)?.as_bytes())?;
        self.out.write_all(bytes)?;
        self.pad(size)
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) -> io::Result<Blob> {
        let digest = Digest::of(bytes);
        self.file(&blob_name(&digest), bytes)?;
        Ok(Blob { digest, size: bytes.len() as u64 })
    }

    /// Writes a blob of unknown digest and size in one pass: the header, which holds both, is filled in afterwards.
    pub(crate) fn stream_blob(
        &mut self,
        fill: impl FnOnce(&mut HashingWriter<&mut W>) -> Result<(), Failure>,
    ) -> Result<Blob, Failure> {
        let start = self.out.stream_position()?;
        self.out.write_all(&[0; BLOCK as usize])?;
        let mut writer = HashingWriter::new(&mut self.out);
        fill(&mut writer)?;
        let (digest, size) = writer.finish();
        self.fill_in_header(start, &digest, size)?;
        Ok(Blob { digest, size })
    }

    fn fill_in_header(&mut self, start: u64, digest: &Digest, size: u64) -> io::Result<()> {
        self.pad(size)?;
        self.out.seek(SeekFrom::Start(start))?;
        self.out.write_all(header(&blob_name(digest), size)?.as_bytes())?;
        self.out.seek(SeekFrom::End(0)).map(drop)
    }

    /// Ends the tar with its two empty blocks and gives the writer back, flushed.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK as usize])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let missing = size.next_multiple_of(BLOCK) - size;
        self.out.write_all(&[0; BLOCK as usize][..missing as usize])
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(name)?;
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    #[test]
    fn a_streamed_blob_is_written_as_one_that_is_known() {
        for length in [0, 1, 511, 512, 513] {
            let bytes = vec![b'x'; length];
            let mut known = Archive::new(Cursor::new(Vec::new()));
            known.blob(&bytes).unwrap();
            known.file("after", b"y").unwrap();
            let mut streamed = Archive::new(Cursor::new(Vec::new()));
            let blob = streamed.stream_blob(|out| Ok(out.write_all(&bytes)?)).unwrap();
            streamed.file("after", b"y").unwrap();
            assert_eq!(blob.size, length as u64);
            assert_eq!(streamed.finish().unwrap(), known.finish().unwrap());
        }
    }

    #[test]
    fn a_tar_reader_reads_it_back() {
        let mut archive = Archive::new(Cursor::new(Vec::new()));
        let blob = archive.blob(b"abc").unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        let mut reader = tar::Archive::new(bytes.as_slice());
        let mut entry = reader.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str().unwrap(), blob_name(&blob.digest));
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    }
}
