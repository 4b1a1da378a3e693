//! The encoding of a pod's projection.
//!
//! The last field that it was first kept with is optional, and its mark says since then also whether requests for resources
//! beside CPU and memory come before it. Pods without any, which are nearly all, have the bytes that they always had.

use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{AllowedEnumVariants, DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};

use super::PodFacts;

/// The mark that the copy's part comes last.
const REFLECTION: u8 = 1;
/// The mark that requests come before it.
const REQUESTS: u8 = 2;

impl Encode for PodFacts {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.node.encode(encoder)?;
        self.phase.encode(encoder)?;
        self.reason.encode(encoder)?;
        self.containers.encode(encoder)?;
        self.pod_ips.encode(encoder)?;
        self.host_ip.encode(encoder)?;
        self.cpu_millis.encode(encoder)?;
        self.memory_bytes.encode(encoder)?;
        self.owner.encode(encoder)?;
        self.labels.encode(encoder)?;
        self.ready.encode(encoder)?;
        self.content.encode(encoder)?;
        self.status.encode(encoder)?;
        let reflection = if self.reflection.is_some() { REFLECTION } else { 0 };
        let requests = if self.requests.is_empty() { 0 } else { REQUESTS };
        (reflection | requests).encode(encoder)?;
        if requests != 0 {
            self.requests.encode(encoder)?;
        }
        self.reflection.as_ref().map_or(Ok(()), |reflection| reflection.encode(encoder))
    }
}

impl<C> Decode<C> for PodFacts {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let mut pod = Self {
            node: Decode::decode(decoder)?,
            phase: Decode::decode(decoder)?,
            reason: Decode::decode(decoder)?,
            containers: Decode::decode(decoder)?,
            pod_ips: Decode::decode(decoder)?,
            host_ip: Decode::decode(decoder)?,
            cpu_millis: Decode::decode(decoder)?,
            memory_bytes: Decode::decode(decoder)?,
            owner: Decode::decode(decoder)?,
            labels: Decode::decode(decoder)?,
            ready: Decode::decode(decoder)?,
            content: Decode::decode(decoder)?,
            status: Decode::decode(decoder)?,
            ..Self::default()
        };
        let mark = u8::decode(decoder)?;
        if mark & !(REFLECTION | REQUESTS) != 0 {
            let allowed = &AllowedEnumVariants::Range { min: 0, max: (REFLECTION | REQUESTS) as u32 };
            return Err(DecodeError::UnexpectedVariant {
                type_name: "PodFacts",
                allowed,
                found: mark.into(),
            });
        }
        if mark & REQUESTS != 0 {
            pod.requests = Decode::decode(decoder)?;
        }
        if mark & REFLECTION != 0 {
            pod.reflection = Some(Decode::decode(decoder)?);
        }
        Ok(pod)
    }
}

impl<'de, C> BorrowDecode<'de, C> for PodFacts {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Reflection;
    use crate::codec::CONFIGURATION;

    fn gpus(count: u64) -> BTreeMap<String, u64> {
        [("nvidia.com/gpu".to_owned(), count)].into()
    }

    #[test]
    fn each_mark_comes_back() {
        for requests in [BTreeMap::new(), gpus(2_000)] {
            for reflection in [None, Some(Box::default())] {
                let pod = PodFacts { requests: requests.clone(), reflection, ..PodFacts::default() };
                let bytes = bincode::encode_to_vec(&pod, CONFIGURATION).unwrap();
                assert_eq!(bincode::decode_from_slice(&bytes, CONFIGURATION).unwrap(), (pod, bytes.len()));
            }
        }
    }

    #[test]
    fn a_pod_without_other_requests_has_the_bytes_that_it_always_had() {
        let pod = PodFacts { cpu_millis: 5, ..PodFacts::default() };
        let bytes = bincode::encode_to_vec(&pod, CONFIGURATION).unwrap();
        assert_eq!(bytes.last(), Some(&0));
        let copied = PodFacts { reflection: Some(Box::new(Reflection::default())), ..pod };
        let longer = bincode::encode_to_vec(&copied, CONFIGURATION).unwrap();
        let tail = bincode::encode_to_vec(Some(Reflection::default()), CONFIGURATION).unwrap();
        assert_eq!(longer, [&bytes[..bytes.len() - 1], &tail].concat());
    }

    #[test]
    fn a_mark_that_nobody_knows_is_refused() {
        let mut bytes = bincode::encode_to_vec(PodFacts::default(), CONFIGURATION).unwrap();
        *bytes.last_mut().unwrap() = 4;
        let read: Result<(PodFacts, usize), _> = bincode::decode_from_slice(&bytes, CONFIGURATION);
        assert!(matches!(read, Err(DecodeError::UnexpectedVariant { found: 4, .. })), "{read:?}");
    }
}
