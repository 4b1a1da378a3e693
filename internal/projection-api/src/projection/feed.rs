//! Keeps topics that somebody reads up to date: one task a topic, however many read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use liqo_engine::Published;
use tokio::sync::watch;

use super::ring::{Next, Position, Ring};
use crate::{ProjectionSource, Sighting, SourceError};

/// Least time between two looks at a topic. Ten a second are faster than anything that is done with them, and keep a
/// flood of events from becoming a flood of views.
const PACE: Duration = Duration::from_millis(100);
/// Pause after the source did not answer: it has better things to do.
const AWAY: Duration = Duration::from_secs(1);

/// One topic, shared by its readers.
#[derive(Debug)]
pub(super) struct Feed {
    ring: Mutex<Ring>,
    looks: watch::Sender<u64>,
}

impl Feed {
    fn new(first: Sighting) -> Self {
        Self { ring: Mutex::new(Ring::new(first)), looks: watch::Sender::new(0) }
    }

    /// What a reader at `from` has to be sent.
    pub(super) fn next(&self, from: Option<Position>) -> Next {
        self.lock().next(from)
    }

    /// Changes with each look at the topic.
    pub(super) fn looks(&self) -> watch::Receiver<u64> {
        self.looks.subscribe()
    }

    fn advance(&self, sighting: Sighting) {
        self.lock().advance(sighting);
        self.looks.send_modify(|looks| *looks += 1);
    }

    /// The process is stopping: nobody gets anything any more.
    fn end(&self) {
        let view = liqo_projections::view::View::new();
        self.advance(Sighting { at: Published::default(), view });
    }

    /// A panic elsewhere leaves the ring whole: it is only ever replaced or added to.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The topics that somebody reads. Their number is bounded by that of the readers.
#[derive(Debug)]
pub(super) struct Feeds<S> {
    source: Arc<S>,
    open: tokio::sync::Mutex<BTreeMap<String, Weak<Feed>>>,
}

impl<S: ProjectionSource> Feeds<S> {
    pub(super) fn new(source: Arc<S>) -> Self {
        Self { source, open: tokio::sync::Mutex::default() }
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// The feed of a topic; nothing when there is no such topic. It is kept up to date as long as somebody holds it.
    pub(super) async fn join(&self, topic: &str) -> Result<Option<Arc<Feed>>, SourceError> {
        let mut open = self.open.lock().await;
        open.retain(|_, feed| feed.strong_count() > 0);
        if let Some(feed) = open.get(topic).and_then(Weak::upgrade) {
            return Ok(Some(feed));
        }
        let mut published = self.source.published();
        published.mark_unchanged();
        let Some(first) = self.source.view(topic).await? else { return Ok(None) };
        let feed = Arc::new(Feed::new(first));
        open.insert(topic.to_owned(), Arc::downgrade(&feed));
        tokio::spawn(keep_up(self.source.clone(), topic.to_owned(), Arc::downgrade(&feed), published));
        Ok(Some(feed))
    }
}

/// Looks at the topic whenever the process went on, until nobody reads it.
async fn keep_up<S: ProjectionSource>(
    source: Arc<S>,
    topic: String,
    feed: Weak<Feed>,
    mut published: watch::Receiver<Published>,
) {
    let mut news = published.changed().await.is_ok();
    while news && feed.strong_count() > 0 {
        let sighting = source.view(&topic).await;
        let pause = match (sighting, feed.upgrade()) {
            (_, None) => return,
            (Ok(None), Some(feed)) => return feed.end(),
            (Ok(Some(sighting)), Some(feed)) => {
                feed.advance(sighting);
                PACE
            }
            (Err(_), Some(_)) => {
                // What was missed is seen by the next look, which does not wait for another change.
                published.mark_changed();
                AWAY
            }
        };
        tokio::time::sleep(pause).await;
        news = published.changed().await.is_ok();
    }
    if let Some(feed) = feed.upgrade() {
        feed.end();
    }
}
