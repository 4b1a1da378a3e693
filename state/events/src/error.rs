//! Why bytes could not be written or read.

use thiserror::Error;

/// An event that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The payload is larger than a record may be; the event has to be made smaller where it is made.
    #[error("an event of kind {kind} takes {bytes} bytes, more than the {limit} that a record may have")]
    TooLarge {
        /// Number of the kind.
        kind: u16,
        /// Bytes of the payload.
        bytes: usize,
        /// Bytes that a payload may have.
        limit: usize,
    },
    /// The codec refused a value.
    #[error("an event of kind {kind} cannot be encoded: {reason}")]
    Refused {
        /// Number of the kind.
        kind: u16,
        /// What the codec said.
        reason: String,
    },
}

/// Bytes that are no record of ours, or not any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Fewer bytes than a record has.
    #[error("a record of {bytes} bytes is shorter than a record can be")]
    Truncated {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes are not those that were written.
    #[error(
        "the checksum of a record is {found:08x} and should be {expected:08x}: the bytes changed on the disk"
    )]
    Checksum {
        /// What the record says.
        expected: u32,
        /// What its bytes give.
        found: u32,
    },
    /// A later version of this program wrote it.
    #[error(
        "a record has schema {found}; this version reads up to {supported}: it was written by a newer version"
    )]
    NewerSchema {
        /// Schema of the record.
        found: u16,
        /// Newest schema that this version reads.
        supported: u16,
    },
    /// A version of this program from before the first release wrote it.
    #[error("a record has schema {found}, which was never released; this version reads {supported}")]
    OlderSchema {
        /// Schema of the record.
        found: u16,
        /// Oldest schema that this version reads.
        supported: u16,
    },
    /// A kind of event that this version does not know.
    #[error("record {seq} is of the unknown kind {kind}: it was written by a newer version")]
    UnknownKind {
        /// Sequence number of the record.
        seq: u64,
        /// Number of the kind.
        kind: u16,
    },
    /// The payload does not decode.
    #[error("record {seq} of kind {kind} does not decode: {reason}")]
    Payload {
        /// Sequence number of the record.
        seq: u64,
        /// Number of the kind.
        kind: u16,
        /// What the codec said.
        reason: String,
    },
}

/// Why an exported log cannot be written or read.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Reading or writing failed.
    #[error("the file of exported events cannot be {doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not begin as an export does.
    #[error("this is no file of exported events; make one with `liqoctl debug export FILE`")]
    NotAnExport,
    /// A record claims more bytes than any record has.
    #[error("record {position} of the file claims {bytes} bytes: the file is damaged")]
    Length {
        /// How many records came before.
        position: u64,
        /// The claim.
        bytes: u32,
    },
    /// A record is damaged.
    #[error("record {position} of the file: {source}")]
    Record {
        /// How many records came before.
        position: u64,
        /// What is wrong.
        source: DecodeError,
    },
}
