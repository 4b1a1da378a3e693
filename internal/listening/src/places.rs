//! Places for connections, of which there are only so many.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places. Clones are the same places.
#[derive(Clone, Debug)]
pub struct Places(Arc<Semaphore>);

/// A place, which is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    _held: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// So many, and no more.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// A place. Waits while none is free: connections beyond the bound so wait in the system's queue.
    pub async fn take(&self) -> Place {
        // The semaphore is never closed, so there is a place; without one a connection would only not be counted.
        Place { _held: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_place_is_taken_until_it_is_given_back() {
        let places = Places::new(2);
        let (first, _second) = (places.take().await, places.take().await);
        let other = places.clone();
        let third = tokio::spawn(async move { other.take().await });
        yield_now().await;
        assert!(!third.is_finished());
        drop(first);
        third.await.unwrap();
    }
}
