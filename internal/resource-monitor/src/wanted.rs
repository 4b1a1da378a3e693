//! What the engine wants of a monitor, and what is still to be asked.

use std::collections::BTreeSet;

use liqo_domain::{LiqoMachine, Monitored, monitored};
use liqo_engine::{EngineStopped, Handle};
use liqo_model::ClusterId;
use tokio::time::Instant;

/// What the engine wants; nothing while another process leads.
pub(crate) async fn wanted(handle: &Handle<LiqoMachine>) -> Result<Option<Monitored>, EngineStopped> {
    handle.read_published(|state, published| published.live.then(|| monitored(state))).await
}

/// What one connection has still to do.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// Whom the engine wants to know of.
    consumers: BTreeSet<ClusterId>,
    /// Who is to be asked about.
    pub(crate) due: BTreeSet<ClusterId>,
    /// Who is to be forgotten.
    pub(crate) gone: BTreeSet<ClusterId>,
    /// Of whom the last answer could not be used, or the last word was not taken.
    failing: BTreeSet<ClusterId>,
    /// When these are tried again.
    pub(crate) retry: Option<Instant>,
}

impl Agenda {
    /// Takes over what the engine wants now. Consumers that are new to this connection are asked about.
    pub(crate) fn follow(&mut self, wanted: Monitored) {
        self.due.extend(wanted.consumers.difference(&self.consumers).cloned());
        self.due.retain(|consumer| wanted.consumers.contains(consumer));
        let gone = wanted.known.difference(&wanted.consumers);
        self.gone = gone.filter(|consumer| !self.failing.contains(*consumer)).cloned().collect();
        let known =
            |consumer: &ClusterId| wanted.consumers.contains(consumer) || wanted.known.contains(consumer);
        self.failing.retain(known);
        self.consumers = wanted.consumers;
    }

    /// The monitor says that the answer for a consumer changed, or for all.
    pub(crate) fn told(&mut self, consumer: &ClusterId) {
        if consumer.is_empty() {
            self.all();
        } else if self.consumers.contains(consumer) {
            self.due.insert(consumer.clone());
        }
    }

    /// Everybody is to be asked about.
    pub(crate) fn all(&mut self) {
        self.due.extend(self.consumers.iter().cloned());
    }

    /// What failed is to be tried again.
    pub(crate) fn try_again(&mut self) {
        self.retry = None;
        self.due.extend(self.failing.intersection(&self.consumers).cloned());
        // Those that are to be forgotten are found anew.
        let consumers = &self.consumers;
        self.failing.retain(|consumer| consumers.contains(consumer));
    }

    /// It worked.
    pub(crate) fn worked(&mut self, consumer: &ClusterId) {
        self.failing.remove(consumer);
    }

    /// It did not, and is tried again then unless something is earlier. Tells whether that is news.
    pub(crate) fn failed(&mut self, consumer: &ClusterId, again: Instant) -> bool {
        self.retry.get_or_insert(again);
        self.failing.insert(consumer.clone())
    }

    /// Consumers whose offers stand on an earlier word.
    pub(crate) fn stale(&self) -> usize {
        self.failing.intersection(&self.consumers).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(of: &[&str]) -> BTreeSet<ClusterId> {
        of.iter().map(|name| ClusterId::new(*name)).collect()
    }

    fn wants(consumers: &[&str], known: &[&str]) -> Monitored {
        Monitored { consumers: set(consumers), known: set(known) }
    }

    #[test]
    fn who_is_new_is_asked_about_once_and_who_is_told_of_again() {
        let mut agenda = Agenda::default();
        agenda.follow(wants(&["a", "b"], &["b"]));
        assert_eq!(std::mem::take(&mut agenda.due), set(&["a", "b"]));
        agenda.follow(wants(&["a", "b", "c"], &["a", "b"]));
        assert_eq!(std::mem::take(&mut agenda.due), set(&["c"]));
        agenda.told(&"b".into());
        agenda.told(&"x".into());
        assert_eq!(agenda.due, set(&["b"]));
        agenda.follow(wants(&["a"], &["a", "b"]));
        assert_eq!((&agenda.due, &agenda.gone), (&set(&[]), &set(&["b"])));
        agenda.told(&"".into());
        assert_eq!(agenda.due, set(&["a"]));
    }

    #[test]
    fn what_failed_waits_until_it_is_tried_again() {
        let mut agenda = Agenda::default();
        agenda.follow(wants(&["a"], &["b"]));
        agenda.due.clear();
        let now = Instant::now();
        assert!(agenda.failed(&"a".into(), now));
        assert!(agenda.failed(&"b".into(), now + std::time::Duration::from_secs(1)));
        assert!(!agenda.failed(&"a".into(), now));
        assert_eq!((agenda.retry, agenda.stale()), (Some(now), 1));
        agenda.follow(wants(&["a"], &["b"]));
        assert_eq!((&agenda.due, &agenda.gone), (&set(&[]), &set(&[])));
        agenda.try_again();
        agenda.follow(wants(&["a"], &["b"]));
        assert_eq!((&agenda.due, &agenda.gone, agenda.retry), (&set(&["a"]), &set(&["b"]), None));
        agenda.worked(&"a".into());
        assert_eq!(agenda.stale(), 0);
    }
}
