//! The root file system of an image as one plain tar.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::entry::{Entry, Kind, Source};
use crate::error::{Error, Failure};

/// Writes the planned entries in their order.
pub(crate) fn write<W: Write>(out: W, entries: &BTreeMap<PathBuf, &Entry>) -> Result<(), Failure> {
    let mut tar = Builder::new(out);
    for (path, entry) in entries {
        // Names in a layer are relative to its root.
        let name = path.strip_prefix("/").unwrap_or(path);
        let mut header = header(entry);
        match &entry.kind {
            Kind::Directory => tar.append_data(&mut header, name.join(""), io::empty())?,
            Kind::Symlink(target) => tar.append_link(&mut header, name, target)?,
            Kind::File(source) => append_file(&mut tar, &mut header, name, source)?,
        }
    }
    Ok(tar.finish()?)
}

fn header(entry: &Entry) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(match entry.kind {
        Kind::Directory => EntryType::Directory,
        Kind::Symlink(_) => EntryType::Symlink,
        Kind::File(_) => EntryType::Regular,
    });
    header.set_mode(entry.mode);
    header.set_uid(entry.owner.uid.into());
    header.set_gid(entry.owner.gid.into());
    header.set_mtime(0);
    header.set_size(0);
    header
}

fn append_file<W: Write>(
    tar: &mut Builder<W>,
    header: &mut Header,
    name: &Path,
    source: &Source,
) -> Result<(), Failure> {
    let opened = source.open()?;
    header.set_size(opened.size);
    let mut exact = Exact { reader: opened.reader, left: opened.size, failure: None };
    let written = tar.append_data(header, name, &mut exact);
    if let Source::Path(path) = source {
        if let Some(source) = exact.failure {
            return Err(Error::Read { path: path.clone(), source }.into());
        }
        if written.is_ok() && !exact.at_end() {
            return Err(Error::Changed { path: path.clone() }.into());
        }
    }
    Ok(written?)
}

/// Reads no more than the size that the header promises and remembers why it failed, so that a reader's error is
/// not taken for one of the archive.
struct Exact<'a> {
    reader: Box<dyn Read + 'a>,
    left: u64,
    failure: Option<io::Error>,
}

impl Exact<'_> {
    fn at_end(&mut self) -> bool {
        self.left == 0 && matches!(self.reader.read(&mut [0]), Ok(0))
    }
}

impl Read for Exact<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        match self.reader.read(&mut buffer[..most]) {
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                Err(kind.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(entries: &[(&str, Entry)]) -> Vec<(String, Header)> {
        let entries = entries.iter().map(|(path, entry)| (PathBuf::from(path), entry)).collect();
        let mut bytes = Vec::new();
        write(&mut bytes, &entries).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.path().unwrap().display().to_string(), entry.header().clone()))
            .collect()
    }

    #[test]
    fn names_are_relative_and_times_the_epoch() {
        let long = format!("/{}/{}", "d".repeat(120), "f".repeat(120));
        let found = listed(&[
            ("/a", Entry { mode: 0o1777, ..Entry::PARENT }),
            ("/a/f", Entry::file(Source::Bytes(b"abc".to_vec()), 0o640)),
            ("/a/l", Entry::symlink("../f".into())),
            (&long, Entry::file(Source::Bytes(Vec::new()), 0o644)),
        ]);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a/", "a/f", "a/l", &long[1..]]);
        assert!(found.iter().all(|(_, header)| header.mtime().unwrap() == 0));
        assert_eq!(found[0].1.mode().unwrap(), 0o1777);
        assert_eq!((found[1].1.size().unwrap(), found[1].1.mode().unwrap()), (3, 0o640));
        assert_eq!(found[2].1.link_name().unwrap().unwrap(), Path::new("../f"));
    }

    #[test]
    fn a_file_that_grows_or_shrinks_is_noticed() {
        let exact = |left| Exact { reader: Box::new(b"abc".as_slice()), left, failure: None };
        for (left, whole) in [(3, true), (2, false), (4, false)] {
            let mut reader = exact(left);
            io::copy(&mut reader, &mut io::sink()).unwrap();
            assert_eq!(reader.at_end(), whole, "{left}");
        }
    }
}
