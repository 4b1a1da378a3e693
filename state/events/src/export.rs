//! Exported events: a file that another machine can read.
//!
//! A line of text, so that `file` and a reader see what it is, then records, each with its length before it. Records are
//! those of the log, checksum included.

use std::io::{self, Read, Write};

use crate::codec::MAX_PAYLOAD;
use crate::{Envelope, ExportError};

const MAGIC: &[u8] = b"liqo events 1\n";
/// Header and trace take less than this.
const MAX_RECORD: usize = MAX_PAYLOAD + 1024;

/// Writes an export.
#[derive(Debug)]
pub struct ExportWriter<W> {
    out: W,
}

impl<W: Write> ExportWriter<W> {
    /// Begins an export.
    ///
    /// # Errors
    ///
    /// [`ExportError::Io`].
    pub fn new(mut out: W) -> Result<Self, ExportError> {
        out.write_all(MAGIC).map_err(writing)?;
        Ok(Self { out })
    }

    /// Adds an event.
    ///
    /// # Errors
    ///
    /// [`ExportError::Io`].
    pub fn write(&mut self, envelope: &Envelope) -> Result<(), ExportError> {
        let bytes = envelope.to_bytes();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.out.write_all(&length.to_be_bytes()).map_err(writing)?;
        self.out.write_all(&bytes).map_err(writing)
    }

    /// Ends the export and gives the writer back, flushed.
    ///
    /// # Errors
    ///
    /// [`ExportError::Io`].
    pub fn finish(mut self) -> Result<W, ExportError> {
        self.out.flush().map_err(writing)?;
        Ok(self.out)
    }
}

/// Reads an export, one event at a time.
#[derive(Debug)]
pub struct ExportReader<R> {
    input: R,
    position: u64,
}

impl<R: Read> ExportReader<R> {
    /// Begins to read.
    ///
    /// # Errors
    ///
    /// [`ExportError::NotAnExport`] when the file begins otherwise, [`ExportError::Io`].
    pub fn new(mut input: R) -> Result<Self, ExportError> {
        let mut magic = [0; MAGIC.len()];
        match input.read_exact(&mut magic) {
            Ok(()) if magic == MAGIC => Ok(Self { input, position: 0 }),
            Ok(()) => Err(ExportError::NotAnExport),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ExportError::NotAnExport),
            Err(source) => Err(ExportError::Io { doing: "read", source }),
        }
    }

    fn record(&mut self) -> Result<Option<Envelope>, ExportError> {
        let mut length = [0; 4];
        match self.input.read(&mut length[..1]) {
            Ok(0) => return Ok(None),
            Ok(_) => self.input.read_exact(&mut length[1..]).map_err(reading)?,
            Err(source) => return Err(reading(source)),
        }
        let bytes = u32::from_be_bytes(length);
        let size = usize::try_from(bytes).unwrap_or(usize::MAX);
        if size > MAX_RECORD {
            return Err(ExportError::Length { position: self.position, bytes });
        }
        let mut record = vec![0; size];
        self.input.read_exact(&mut record).map_err(reading)?;
        let envelope = Envelope::from_bytes(&record)
            .map_err(|source| ExportError::Record { position: self.position, source })?;
        self.position += 1;
        Ok(Some(envelope))
    }
}

impl<R: Read> Iterator for ExportReader<R> {
    type Item = Result<Envelope, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose()
    }
}

fn writing(source: io::Error) -> ExportError {
    ExportError::Io { doing: "written", source }
}

fn reading(source: io::Error) -> ExportError {
    ExportError::Io { doing: "read", source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, LeaseLost, Recorded, Seq, StateDigest, UnixMillis};

    fn envelopes() -> Vec<Envelope> {
        (1..=3)
            .map(|seq| {
                let event = Event::LeaseLost(LeaseLost { epoch: seq });
                let recorded = Recorded { seq: Seq(seq), recorded_at: UnixMillis(9), caused_by: None, event };
                Envelope::seal(&recorded, StateDigest(seq), None).unwrap()
            })
            .collect()
    }

    fn exported() -> Vec<u8> {
        let mut writer = ExportWriter::new(Vec::new()).unwrap();
        envelopes().iter().for_each(|envelope| writer.write(envelope).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn an_export_is_read_as_it_was_written() {
        let read: Result<Vec<_>, _> = ExportReader::new(exported().as_slice()).unwrap().collect();
        assert_eq!(read.unwrap(), envelopes());
    }

    #[test]
    fn another_file_is_refused() {
        assert!(matches!(ExportReader::new(&b"PK\x03\x04 something"[..]), Err(ExportError::NotAnExport)));
        assert!(matches!(ExportReader::new(&b""[..]), Err(ExportError::NotAnExport)));
    }

    #[test]
    fn a_cut_or_changed_file_is_noticed() {
        let whole = exported();
        let mut cut = ExportReader::new(&whole[..whole.len() - 1]).unwrap();
        assert!(cut.any(|record| record.is_err()));
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(ExportReader::new(changed.as_slice()).unwrap().any(|record| record.is_err()));
    }
}
