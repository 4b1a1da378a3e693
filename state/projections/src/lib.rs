//! Views of the state and of the events that led to it: pure functions that say what anyone sees.
//!
//! A view never decides anything and is never the source of anything: it can be thrown away and made anew.

pub mod causes;
mod event_view;
pub mod fabric;
mod filter;
pub mod status;
mod subject;
mod summary;
pub mod view;

pub use event_view::EventView;
pub use filter::{Filter, UnknownEvent};
pub use subject::{ObjectPattern, PatternError, command_of, object_of, parse_command};
pub use summary::summary;
