//! Labels in one piece of memory. A process knows those of every pod, which hardly anybody asks for: a map of texts would
//! be half of what a pod takes, and most of the time that reading it from the log takes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use bincode::de::read::Reader as _;
use bincode::de::{BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of an entry, mostly.
const ENTRY_BYTES: usize = 48;

/// Texts by texts, in the order of their keys. Its encoding is that of a map.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels {
    /// Of each entry key and value, each with its length before it as [`put_length`] writes it. Keys grow.
    packed: Box<[u8]>,
}

impl Labels {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.packed }
    }

    /// Sets a value.
    pub fn insert(&mut self, key: &str, value: &str) {
        *self = self.iter().chain([(key, value)]).collect();
    }

    /// Takes a value out; whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        let known = self.contains_key(key);
        if known {
            *self = self.iter().filter(|(other, _)| *other != key).collect();
        }
        known
    }
}

/// The entries of [`Labels`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        Some((take(&mut self.rest)?, take(&mut self.rest)?))
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Of entries with one key the last one stays.
impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries: Vec<(K, V)> = entries.into_iter().collect();
        let map: BTreeMap<&str, &str> =
            entries.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
        let bytes = |text: &str| text.len() + length_bytes(text.len());
        let bytes = map.iter().map(|(key, value)| bytes(key) + bytes(value)).sum();
        let mut packed = Vec::with_capacity(bytes);
        for text in map.into_iter().flat_map(|(key, value)| [key, value]) {
            put_length(&mut packed, text.len());
            packed.extend_from_slice(text.as_bytes());
        }
        Self { packed: packed.into() }
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl From<BTreeMap<String, String>> for Labels {
    fn from(map: BTreeMap<String, String>) -> Self {
        map.into_iter().collect()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, String>::deserialize(deserializer).map(Self::from)
    }
}

impl Encode for Labels {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.len(), encoder)?;
        self.iter().try_for_each(|(key, value)| {
            key.encode(encoder)?;
            value.encode(encoder)
        })
    }
}

impl<C> Decode<C> for Labels {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let entries = decode_length(decoder)?;
        // A count is no reason to allocate much: only what is there is.
        let mut packed = Vec::with_capacity(entries.min(16) * ENTRY_BYTES);
        let (mut before, mut sorted) = (None, true);
        for _ in 0..entries {
            let key = read_text(decoder, &mut packed)?;
            sorted &= before.is_none_or(|before: Range<usize>| packed[before] < packed[key.clone()]);
            before = Some(key);
            read_text(decoder, &mut packed)?;
        }
        // Copied, because what is kept for long must not have room to spare.
        let labels = Self { packed: packed.as_slice().into() };
        // What is equal has equal bytes, whoever wrote them.
        Ok(if sorted { labels } else { labels.iter().collect() })
    }
}

impl<'de, C> BorrowDecode<'de, C> for Labels {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// Reads a text behind others, with its length before it. Gives the place of the text.
fn read_text<C, D: Decoder<Context = C>>(
    decoder: &mut D,
    packed: &mut Vec<u8>,
) -> Result<Range<usize>, DecodeError> {
    let length = decode_length(decoder)?;
    decoder.claim_container_read::<u8>(length)?;
    put_length(packed, length);
    let begin = packed.len();
    packed.resize(begin + length, 0);
    let text = &mut packed[begin..];
    decoder.reader().read(text)?;
    if !text.is_ascii() {
        std::str::from_utf8(text).map_err(|inner| DecodeError::Utf8 { inner })?;
    }
    Ok(begin..begin + length)
}

fn encode_length<E: Encoder>(length: usize, encoder: &mut E) -> Result<(), EncodeError> {
    u64::try_from(length).unwrap_or(u64::MAX).encode(encoder)
}

fn decode_length<C, D: Decoder<Context = C>>(decoder: &mut D) -> Result<usize, DecodeError> {
    let length = u64::decode(decoder)?;
    usize::try_from(length).map_err(|_| DecodeError::OutsideUsizeRange(length))
}

/// Seven bits a byte, the lowest first; the highest bit says that there are more.
fn put_length(packed: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        packed.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    packed.push(length as u8);
}

fn length_bytes(length: usize) -> usize {
    let bits = usize::BITS - length.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

/// The next text; nothing at the end.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let mut length = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::CONFIGURATION;

    fn map() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map(".{0,9}", prop_oneof![".{0,9}", "[a-z]{120,140}"], 0..9)
    }

    fn owned(labels: &Labels) -> BTreeMap<String, String> {
        labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_text_of_any_length_comes_back() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let value = "x".repeat(length);
            let labels = Labels::from([("a", value.as_str()), ("b", "c")]);
            assert_eq!(labels.packed.len(), 6 + length + length_bytes(length));
            assert_eq!((labels.get("a"), labels.get("b")), (Some(value.as_str()), Some("c")));
        }
    }

    #[test]
    fn the_last_of_one_key_stays_and_what_goes_is_gone() {
        let mut labels = Labels::from([("b", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!(labels, Labels::from([("a", "2"), ("b", "3")]));
        labels.insert("a", "4");
        assert_eq!((labels.remove("b"), labels.remove("b")), (true, false));
        assert_eq!(labels, Labels::from([("a", "4")]));
    }

    #[test]
    fn what_is_out_of_order_on_the_wire_is_put_in_order() {
        let wire = bincode::encode_to_vec(vec![("b", "1"), ("a", "2")], CONFIGURATION).unwrap();
        let (labels, _): (Labels, usize) = bincode::decode_from_slice(&wire, CONFIGURATION).unwrap();
        assert_eq!(labels, Labels::from([("a", "2"), ("b", "1")]));
    }

    proptest! {
        #[test]
        fn they_are_a_map_in_memory_and_on_the_wire(map in map(), key in ".{0,2}") {
            let labels = Labels::from(map.clone());
            prop_assert_eq!(owned(&labels), map.clone());
            prop_assert_eq!((labels.len(), labels.is_empty()), (map.len(), map.is_empty()));
            prop_assert_eq!(labels.get(&key), map.get(&key).map(String::as_str));
            let wire = bincode::encode_to_vec(&labels, CONFIGURATION).unwrap();
            prop_assert_eq!(&wire, &bincode::encode_to_vec(&map, CONFIGURATION).unwrap());
            let (read, bytes): (Labels, usize) = bincode::decode_from_slice(&wire, CONFIGURATION).unwrap();
            prop_assert_eq!((&read, bytes), (&labels, wire.len()));
            prop_assert_eq!(serde_json::to_string(&labels).unwrap(), serde_json::to_string(&map).unwrap());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let read: Result<(Labels, usize), _> = bincode::decode_from_slice(&bytes, CONFIGURATION);
            if let Ok((labels, _)) = read {
                prop_assert_eq!(Labels::from(owned(&labels)), labels);
            }
        }
    }
}
