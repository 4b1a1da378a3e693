//! Keyed digests of bodies: they tell that an object changed without telling what is in it.
//!
//! HMAC-SHA-256 (RFC 2104), cut to 16 bytes, over the body in canonical order. The key keeps a reader of the log from
//! guessing what a Secret holds. Fed to it, without a second copy of the body: a letter for the type of each value, the
//! number of its parts, and the parts, keys in the order of their bytes. So no two different bodies give the same input.
//!
//! Left out is what changes although nothing did that anybody copies to another cluster:
//!
//! - `metadata.resourceVersion`, `metadata.managedFields` (never read at all), `metadata.selfLink`;
//! - `metadata.generation`, which only counts changes and stands in the event beside the digest;
//! - the `status` of Nodes: it carries heartbeats, and no node is copied. The `status` of every other kind is part of
//!   the digest, since a status is what travels from a provider to its consumer.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use liqo_events::BodyDigest;
use liqo_model::Kind;
use liqo_reflection::names::LAST_CHANGE_TRIGGER_TIME;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::Error;

/// Fewest bytes that a key may have. RFC 2104 advises no less than the output, of which half is kept.
const LEAST_KEY: usize = 16;

/// The key of the digests of one process. It cannot be printed.
#[derive(Clone)]
pub struct DigestKey(Hmac<Sha256>);

impl fmt::Debug for DigestKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DigestKey")
    }
}

impl DigestKey {
    /// Wraps a key, which is the value of the Secret `liqo-log-key`.
    ///
    /// # Errors
    ///
    /// [`Error::DigestKey`] when it is shorter than 16 bytes.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        let short = || Error::DigestKey { bytes: key.len(), least: LEAST_KEY };
        if key.len() < LEAST_KEY {
            return Err(short());
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| short())
    }

    /// The digest of an object's body.
    pub fn digest(&self, kind: Kind, body: &Value) -> BodyDigest {
        let mut feed = Feed(self.0.clone());
        match body {
            Value::Object(fields) => feed.object(fields, |key| !(key == "status" && kind == Kind::Node)),
            other => feed.value(other),
        }
        feed.finish()
    }

    /// The digest of a part of a body, such as its spec.
    pub fn part(&self, part: &Value) -> BodyDigest {
        let mut feed = Feed(self.0.clone());
        feed.value(part);
        feed.finish()
    }

    /// The digest of what is copied of an object to another cluster: labels, annotations, and everything outside of
    /// metadata but the status. Without what lists of Kubernetes leave out, and without what changes with every endpoint.
    pub fn content(&self, body: &Value) -> BodyDigest {
        let mut feed = Feed(self.0.clone());
        if let Value::Object(fields) = body {
            let kept = |key: &str| !NO_CONTENT.contains(&key);
            feed.map(fields, kept, |feed, key, value| match value {
                Value::Object(metadata) if key == "metadata" => {
                    let copied = |key: &str| matches!(key, "labels" | "annotations");
                    feed.map(metadata, copied, |feed, _, marks| feed.marks(marks));
                }
                other => feed.value(other),
            });
        }
        feed.finish()
    }
}

/// Metadata that says nothing about the content.
const BOOKKEEPING: &[&str] = &["resourceVersion", "managedFields", "selfLink", "generation"];

/// At the top level: what is not copied, and what lists leave out of objects of Kubernetes.
const NO_CONTENT: &[&str] = &["status", "kind", "apiVersion"];

struct Feed(Hmac<Sha256>);

impl Feed {
    fn finish(self) -> BodyDigest {
        let whole = self.0.finalize().into_bytes();
        let mut digest = [0; 16];
        digest.iter_mut().zip(whole).for_each(|(place, byte)| *place = byte);
        BodyDigest(digest)
    }

    /// Labels or annotations.
    fn marks(&mut self, marks: &Value) {
        match marks {
            Value::Object(marks) => {
                self.map(marks, |key| key != LAST_CHANGE_TRIGGER_TIME, |feed, _, value| feed.value(value));
            }
            other => self.value(other),
        }
    }

    /// The top level, where `metadata` is told from other maps.
    fn object(&mut self, fields: &Map<String, Value>, is_kept: impl Fn(&str) -> bool) {
        self.map(fields, is_kept, |feed, key, value| match value {
            Value::Object(metadata) if key == "metadata" => {
                feed.map(metadata, |key| !BOOKKEEPING.contains(&key), |feed, _, value| feed.value(value));
            }
            other => feed.value(other),
        });
    }

    fn map(
        &mut self,
        fields: &Map<String, Value>,
        is_kept: impl Fn(&str) -> bool,
        mut each: impl FnMut(&mut Self, &str, &Value),
    ) {
        // The map of this build is sorted already, but that is a feature of the JSON crate which any other crate of the
        // workspace may switch off; sorting what is sorted costs next to nothing.
        let mut kept: Vec<(&String, &Value)> = fields.iter().filter(|(key, _)| is_kept(key)).collect();
        kept.sort_unstable_by_key(|(key, _)| *key);
        self.head(b'o', kept.len());
        for (key, value) in kept {
            self.bytes(b'k', key.as_bytes());
            each(self, key, value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.update(b"n"),
            Value::Bool(true) => self.0.update(b"t"),
            Value::Bool(false) => self.0.update(b"f"),
            Value::Number(number) => self.number(number),
            Value::String(text) => self.bytes(b's', text.as_bytes()),
            Value::Array(items) => {
                self.head(b'a', items.len());
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(fields) => self.map(fields, |_| true, |feed, _, value| feed.value(value)),
        }
    }

    fn number(&mut self, number: &serde_json::Number) {
        if let Some(whole) = number.as_i64() {
            self.tagged(b'i', &whole.to_be_bytes());
        } else if let Some(whole) = number.as_u64() {
            self.tagged(b'u', &whole.to_be_bytes());
        } else {
            let bits = number.as_f64().unwrap_or(f64::NAN).to_bits();
            self.tagged(b'd', &bits.to_be_bytes());
        }
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.update(&[tag]);
        self.0.update(bytes);
    }

    fn head(&mut self, tag: u8, parts: usize) {
        self.tagged(tag, &(parts as u64).to_be_bytes());
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.head(tag, bytes.len());
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::project::arbitrary_json;

    fn key() -> DigestKey {
        DigestKey::new(&[7; 32]).unwrap()
    }

    fn pod() -> Value {
        json!({
            "metadata": {"name": "a", "resourceVersion": "1", "generation": 1, "labels": {"b": "c"}},
            "spec": {"x": [1, 2]},
            "status": {"phase": "Running"},
        })
    }

    #[test]
    fn bookkeeping_is_no_change() {
        let mut later = pod();
        later["metadata"]["resourceVersion"] = json!("2");
        later["metadata"]["generation"] = json!(2);
        later["metadata"]["selfLink"] = json!("/x");
        later["metadata"]["managedFields"] = json!([{"manager": "m"}]);
        assert_eq!(key().digest(Kind::Pod, &later), key().digest(Kind::Pod, &pod()));
    }

    #[test]
    fn content_is_a_change() {
        let before = key().digest(Kind::Pod, &pod());
        for (pointer, value) in [
            ("/metadata/labels/b", json!("d")),
            ("/spec/x", json!([2, 1])),
            ("/spec/x/0", json!("1")),
            ("/status/phase", json!("Failed")),
        ] {
            let mut later = pod();
            *later.pointer_mut(pointer).unwrap() = value;
            assert_ne!(key().digest(Kind::Pod, &later), before, "{pointer}");
        }
    }

    #[test]
    fn the_status_counts_but_for_nodes() {
        let mut later = pod();
        later["status"] = json!({"phase": "Failed"});
        assert_eq!(key().digest(Kind::Node, &later), key().digest(Kind::Node, &pod()));
        assert_ne!(key().digest(Kind::NamespaceMap, &later), key().digest(Kind::NamespaceMap, &pod()));
    }

    #[test]
    fn where_parts_begin_and_end_counts() {
        let digest = |value: Value| key().digest(Kind::Pod, &value);
        assert_ne!(digest(json!({"a": ["b", "c"]})), digest(json!({"a": ["bc"]})));
        assert_ne!(digest(json!({"a": [["b"], "c"]})), digest(json!({"a": ["b", ["c"]]})));
        assert_ne!(digest(json!({"ab": "c"})), digest(json!({"a": "bc"})));
        assert_ne!(digest(json!({"a": null})), digest(json!({})));
    }

    #[test]
    fn another_key_gives_another_digest_and_a_short_one_is_refused() {
        let other = DigestKey::new(&[8; 32]).unwrap();
        assert_ne!(other.digest(Kind::Pod, &pod()), key().digest(Kind::Pod, &pod()));
        assert!(matches!(DigestKey::new(&[1; 15]), Err(Error::DigestKey { bytes: 15, least: 16 })));
        assert_eq!(format!("{other:?}"), "DigestKey");
    }

    /// Published vectors are about bytes and not about trees, so this holds only that the digest of one build is that of
    /// the next: a log outlives its program.
    #[test]
    fn the_digest_of_a_body_stays() {
        assert_eq!(key().digest(Kind::Pod, &pod()).to_string(), "aad9a5f219f98ebdbc2bc587743a405b");
    }

    proptest! {
        #[test]
        fn the_order_of_keys_does_not_count(body in arbitrary_json()) {
            // Both are read: writing and reading may move the last bit of a fraction.
            let read: Value = serde_json::from_str(&body.to_string()).unwrap();
            let reversed: Value = serde_json::from_str(&reversed(&body)).unwrap();
            prop_assert_eq!(&reversed, &read);
            prop_assert_eq!(key().digest(Kind::Pod, &reversed), key().digest(Kind::Pod, &read));
        }

        #[test]
        fn another_body_has_another_digest(one in arbitrary_json(), other in arbitrary_json()) {
            let (one, other) = (json!({"spec": one}), json!({"spec": other}));
            prop_assert_eq!(one == other, key().digest(Kind::Pod, &one) == key().digest(Kind::Pod, &other));
        }
    }

    /// JSON of a value with the keys of every map in reverse.
    fn reversed(value: &Value) -> String {
        match value {
            Value::Object(fields) => {
                let mut parts: Vec<_> = fields.iter().collect();
                parts.reverse();
                let parts: Vec<String> =
                    parts.iter().map(|(key, value)| format!("{}:{}", json!(key), reversed(value))).collect();
                format!("{{{}}}", parts.join(","))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(reversed).collect();
                format!("[{}]", items.join(","))
            }
            other => other.to_string(),
        }
    }
}
