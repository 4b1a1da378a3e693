//! Entries of views as they are sent.

use std::sync::Arc;

use liqo_projections::view::View;
use serde::Serialize;

/// An entry as JSON, shared by everything that sends it.
pub type Json = Arc<str>;

/// A view whose entries are encoded. An entry that cannot be encoded, which plain structs never are, is left out.
pub fn encoded<T: Serialize>(view: &View<T>) -> View<Json> {
    let entry =
        |(key, entry): (&String, &T)| Some((key.clone(), Json::from(serde_json::to_string(entry).ok()?)));
    view.iter().filter_map(entry).collect()
}
