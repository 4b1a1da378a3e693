//! What comes out of an open watch, chunk by chunk.

use liqo_events::Event;
use liqo_model::ResourceVersion;

use super::drift::Seen;
use super::lines::{Lines, Piece};
use super::observe::Observer;
use super::plan::End;
use crate::object::{Line, Tree, read_line};
use crate::{BodyCache, Metrics, RawObject};

/// What one chunk gave.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In the order of the watch.
    pub(super) events: Vec<Event>,
    /// Version of the last line that could be read.
    pub(super) version: Option<ResourceVersion>,
    /// Lines that could not be read.
    pub(super) unreadable: u32,
    /// The server ends the watch, and how.
    pub(super) end: Option<End>,
}

/// What is needed to read lines.
pub(super) struct Reader<'a> {
    pub(super) observer: &'a Observer,
    pub(super) seen: &'a mut Seen,
    pub(super) cache: Option<&'a BodyCache>,
    pub(super) metrics: &'a Metrics,
}

impl Reader<'_> {
    /// Reads what one chunk completes.
    pub(super) fn chunk(&mut self, lines: &mut Lines, chunk: &[u8]) -> Batch {
        let mut batch = Batch::default();
        lines.push(chunk, |piece| match piece {
            Piece::Line(line) if batch.end.is_none() => self.line(line, &mut batch),
            Piece::Line(_) => {}
            Piece::TooLong => batch.unreadable += 1,
        });
        batch
    }

    fn line(&mut self, line: &[u8], batch: &mut Batch) {
        match read_line(line) {
            Line::Applied(tree) => self.object(tree, line.len(), false, batch),
            Line::Deleted(tree) => self.object(tree, line.len(), true, batch),
            Line::Bookmark(version) => {
                self.count("bookmark");
                batch.version = Some(version);
            }
            Line::Error(code) => {
                self.count("error");
                batch.end = Some(if code == 410 { End::Gone } else { End::Broken });
            }
            Line::Unreadable => batch.unreadable += 1,
        }
    }

    fn object(&mut self, tree: Tree, bytes: usize, deleted: bool, batch: &mut Batch) {
        let Ok(object) = RawObject::from_tree(tree) else {
            batch.unreadable += 1;
            return;
        };
        let key = object.key(&self.observer.cluster, self.observer.kind);
        batch.version = Some(object.resource_version.clone());
        if deleted {
            self.count("deleted");
            self.seen.vanished(&object.uid);
            self.cache.inspect(|cache| cache.remove(&key));
            batch.events.push(Event::Vanished(self.observer.deleted(&object)));
        } else {
            self.count("applied");
            self.seen.applied(&object.uid, &object.resource_version);
            self.cache.inspect(|cache| cache.put(&key, &object));
            batch.events.push(Event::Applied(self.observer.applied(&object, bytes)));
        }
    }

    fn count(&self, what: &'static str) {
        self.metrics.watched(&self.observer.cluster, self.observer.kind, what);
    }
}
