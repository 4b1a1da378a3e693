//! Objects as API servers send them: read as they come off the wire, without what nobody needs.

mod envelope;
mod raw;
mod tree;

pub(crate) use envelope::{Line, Page, read_line, read_page};
pub use raw::{RawObject, Unreadable};
pub(crate) use tree::{Tree, read_tree};
