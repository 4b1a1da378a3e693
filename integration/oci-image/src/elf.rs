//! What an ELF file asks of the dynamic linker.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::elf::{
    DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, DynamicTag, FileHeader32, FileHeader64,
    PT_LOAD,
};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadCache, ReadRef};
use object::{Endianness, FileKind};

use crate::error::{Error, Fault, Result};

/// The kind of machine that a file is for. A library of another kind is passed over, as the dynamic linker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) wide: bool,
    pub(crate) code: u16,
}

/// The part of an ELF file that says what else it needs.
#[derive(Debug)]
pub(crate) struct Needs {
    pub(crate) machine: Machine,
    /// The dynamic linker; none in libraries and static programs.
    pub(crate) interpreter: Option<PathBuf>,
    pub(crate) libraries: Vec<String>,
    /// Directories for the libraries of this file and of those that it loads; void where there is a `runpath`.
    pub(crate) rpath: Vec<String>,
    /// Directories for the libraries of this file alone.
    pub(crate) runpath: Vec<String>,
}

/// Reads the headers of a file, and no more of it than they need.
pub(crate) fn read(path: &Path) -> Result<Needs> {
    let file = File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let cache = ReadCache::new(file);
    parse(&cache).map_err(|source| Error::NotElf { path: path.to_owned(), source })
}

fn parse<'data, R: ReadRef<'data>>(data: R) -> Result<Needs, Fault> {
    match FileKind::parse(data)? {
        FileKind::Elf64 => parse_class::<FileHeader64<Endianness>, R>(data),
        _ => parse_class::<FileHeader32<Endianness>, R>(data),
    }
}

fn parse_class<'data, H: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(
    data: R,
) -> Result<Needs, Fault> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?;
    let machine = Machine { wide: header.is_type_64(), code: header.e_machine(endian).0 };
    let mut needs =
        Needs { machine, interpreter: None, libraries: Vec::new(), rpath: Vec::new(), runpath: Vec::new() };
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, data)? {
            needs.interpreter = Some(PathBuf::from(text(path)));
        }
        if let Some(dynamic) = segment.dynamic(endian, data)? {
            let entries: Vec<_> = dynamic
                .iter()
                .map(|entry| (entry.tag(endian), entry.val(endian)))
                .take_while(|(tag, _)| *tag != DT_NULL)
                .collect();
            let strings = strings::<H, R>(&entries, segments, endian, data)?;
            needs.read_dynamic(&entries, strings);
        }
    }
    Ok(needs)
}

/// Finds the string table as the dynamic linker does, by its address: section headers may be stripped.
fn strings<'data, H: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(
    entries: &[(DynamicTag, u64)],
    segments: &[H::ProgramHeader],
    endian: Endianness,
    data: R,
) -> Result<&'data [u8], Fault> {
    let value = |wanted| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else { return Ok(&[]) };
    let offset = segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD).find_map(|segment| {
        let (offset, length) = segment.file_range(endian);
        let inside = address.checked_sub(segment.p_vaddr(endian).into())?;
        if inside < length { offset.checked_add(inside) } else { None }
    });
    let table = offset.and_then(|offset| data.read_bytes_at(offset, size).ok());
    table.ok_or_else(|| "the table of its library names lies outside the file".into())
}

impl Needs {
    fn read_dynamic(&mut self, entries: &[(DynamicTag, u64)], strings: &[u8]) {
        for &(tag, value) in entries {
            let string = || usize::try_from(value).ok().and_then(|start| strings.get(start..)).map(text);
            match tag {
                DT_NEEDED => self.libraries.extend(string()),
                DT_RPATH => self.rpath.extend(string().iter().flat_map(|list| directories(list))),
                DT_RUNPATH => self.runpath.extend(string().iter().flat_map(|list| directories(list))),
                _ => {}
            }
        }
    }
}

/// The text up to the first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn directories(list: &str) -> impl Iterator<Item = String> {
    list.split(':').filter(|directory| !directory.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_names_its_interpreter_and_libraries() {
        let needs = read(Path::new("/bin/ls")).unwrap();
        assert!(needs.interpreter.unwrap().is_absolute());
        assert!(
            needs.libraries.iter().any(|library| library.starts_with("libc.so.")),
            "{:?}",
            needs.libraries
        );
    }

    #[test]
    fn what_is_no_elf_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script");
        for content in [b"".as_slice(), b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"]
        {
            std::fs::write(&path, content).unwrap();
            assert!(matches!(read(&path).unwrap_err(), Error::NotElf { .. }), "{content:?}");
        }
    }
}
