//! The payload's encoding: bincode by position, with the kind's number outside of it.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};

use crate::event::payloads;
use crate::{DecodeError, EncodeError, Event, Seq};

/// Version of the record's layout and of the payloads that this program writes. Those before 3 were never released,
/// and nothing reads them.
pub const SCHEMA: u16 = 3;

/// Largest payload in bytes. The store keeps values above 32 KiB outside of its segments, where they are never
/// collected, so a record stays below that together with its header.
pub const MAX_PAYLOAD: usize = 31 * 1024;

/// No decoder may allocate more than a record can hold, several times over for strings and maps.
const DECODE_LIMIT: usize = 8 * MAX_PAYLOAD;

pub(crate) const CONFIGURATION: Configuration<LittleEndian, Varint, Limit<DECODE_LIMIT>> =
    bincode::config::standard().with_limit::<DECODE_LIMIT>();

pub(crate) fn encode_payload(event: &Event) -> Result<Vec<u8>, EncodeError> {
    payloads::encode(event).map_err(|reason| match reason {
        bincode::error::EncodeError::UnexpectedEnd => {
            EncodeError::TooLarge { kind: event.kind(), bytes: DECODE_LIMIT, limit: MAX_PAYLOAD }
        }
        other => EncodeError::Refused { kind: event.kind(), reason: other.to_string() },
    })
}

pub(crate) fn decode_payload(seq: Seq, kind: u16, payload: &[u8]) -> Result<Event, DecodeError> {
    match payloads::decode(kind, payload) {
        None => Err(DecodeError::UnknownKind { seq: seq.0, kind }),
        Some(Err(reason)) => Err(DecodeError::Payload { seq: seq.0, kind, reason: reason.to_string() }),
        Some(Ok((_, read))) if read != payload.len() => Err(DecodeError::Payload {
            seq: seq.0,
            kind,
            reason: format!("{} bytes are left over", payload.len() - read),
        }),
        Some(Ok((event, _))) => Ok(event),
    }
}
