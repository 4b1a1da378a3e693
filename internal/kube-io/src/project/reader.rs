//! An object that is being read: its fields, its kind, and the key of the digests of its parts.

use std::ops::Deref;

use liqo_model::Kind;
use serde_json::Value;

use super::fields::Fields;
use crate::DigestKey;

/// An object that is being read.
pub(super) struct Reader<'a> {
    fields: Fields<'a>,
    kind: Kind,
    digests: &'a DigestKey,
}

impl<'a> Reader<'a> {
    pub(super) fn new(kind: Kind, body: &'a Value, digests: &'a DigestKey) -> Self {
        Self { fields: Fields::new(body), kind, digests }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The whole object.
    pub(super) fn body(&self) -> &'a Value {
        self.fields.value()
    }

    pub(super) fn digests(&self) -> &'a DigestKey {
        self.digests
    }
}

impl<'a> Deref for Reader<'a> {
    type Target = Fields<'a>;

    fn deref(&self) -> &Fields<'a> {
        &self.fields
    }
}
