//! How much a consumer may have: a share of what is free, or what an external resource monitor says; in each case no more
//! than its limit.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §5.1 to §5.3. What is free is offered to every consumer at once, as there:
//! nothing is set aside for anybody. That it is so is said wherever an offer is explained, and in figures.

use std::collections::{BTreeMap, BTreeSet};

use liqo_events::{Facts, ResourceOfferFacts, Seq, ShareReported, SharingConfigured, UnixMillis};
use liqo_model::{ClusterId, Kind};

use super::view::{View, seen};
use crate::quota::Amounts;
use crate::state::{Fact, State};

const CPU: &str = "cpu";
const MEMORY: &str = "memory";
/// Thousandths in which memory is offered: whole millions of bytes.
const MEMORY_STEP: u128 = 1_000_000_000;
/// Thousandths in which everything else is offered but CPU: whole units. What is less than one is shown as none.
const WHOLE: u128 = 1_000;

/// What holds until it is said how offers are made.
static UNCONFIGURED: SharingConfigured =
    SharingConfigured { threshold_percent: 0, monitored: false, limits: BTreeMap::new() };

/// What this cluster promises to its consumers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Consumers with an offer.
    pub consumers: usize,
    /// By resource.
    pub resources: BTreeMap<String, Promise>,
}

/// What is promised of one resource, in thousandths of the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// What nobody uses.
    pub free: u64,
    /// What all offers name beyond what their consumers use already. More than is free when several consumers are offered
    /// the same.
    pub promised: u64,
}

/// Whom an external resource monitor is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitored {
    /// Consumers that are to be offered something.
    pub consumers: BTreeSet<ClusterId>,
    /// Those that the monitor has spoken of and was not told to forget.
    pub known: BTreeSet<ClusterId>,
}

/// How offers are made.
pub(super) fn rules(state: &State) -> &SharingConfigured {
    state.sharing.as_ref().map_or(&UNCONFIGURED, |fact| &fact.body)
}

/// The change in percent up to which an offer that was seen then stays as it is. Once it is said anew how offers are made,
/// each of them is made so.
fn threshold(state: &State, seen: Seq) -> u8 {
    let sharing = state.sharing.as_ref().map_or(Seq(0), |fact| fact.seq);
    let ruled = state.configured.as_ref().map_or(sharing, |fact| fact.seq.max(sharing));
    if seen > ruled { rules(state).threshold_percent } else { 0 }
}

/// What a consumer may have now; nothing while the monitor has not said it.
pub(super) fn offered(state: &State, consumer: &ClusterId) -> Option<Amounts> {
    let each = each(state, consumer)?;
    Some(each.map(|(resource, amount)| (resource.to_owned(), amount)).collect())
}

/// Whether what a consumer was told, by an offer that was seen then, differs so little from what it may have now that it
/// need not know. It is asked after each pod.
pub(super) fn is_near(state: &State, (consumer, seen): (&ClusterId, Seq), told: &Amounts) -> bool {
    let Some(each) = each(state, consumer) else { return true };
    let threshold = u128::from(threshold(state, seen));
    let near = |told: u64, now: u64| u128::from(told.abs_diff(now)) * 100 <= u128::from(told) * threshold;
    let mut resources = 0;
    for (resource, now) in each {
        resources += 1;
        if !told.get(resource).is_some_and(|told| near(*told, now)) {
            return false;
        }
    }
    resources == told.len()
}

type Each<'a> = Box<dyn Iterator<Item = (&'a str, u64)> + 'a>;

fn each<'a>(state: &'a State, consumer: &'a ClusterId) -> Option<Each<'a>> {
    let rules = rules(state);
    let within = move |(resource, amount): (&'a str, u64)| {
        (resource, limit(rules, consumer, resource).map_or(amount, |limit| amount.min(limit)))
    };
    if rules.monitored {
        let amounts = state.shares.get(consumer)?.body.amounts.as_ref()?.iter();
        return Some(Box::new(amounts.map(|(resource, amount)| (resource.as_str(), *amount)).map(within)));
    }
    let percentage = u128::from(state.control_plane()?.sharing_percentage);
    let free = state.derived.account.free_for(consumer);
    Some(Box::new(free.map(move |(resource, free)| (resource, part(resource, free, percentage))).map(within)))
}

/// So many percent of what is free, rounded down: nothing is offered that is not there.
fn part(resource: &str, free: u128, percentage: u128) -> u64 {
    let step = match resource {
        CPU => 1,
        MEMORY => MEMORY_STEP,
        _ => WHOLE,
    };
    u64::try_from(free * percentage / 100 / step * step).unwrap_or(u64::MAX)
}

/// The most that a consumer may have of a resource. Its own limit counts before the one for everybody.
fn limit(rules: &SharingConfigured, consumer: &ClusterId, resource: &str) -> Option<u64> {
    let own = rules.limits.get(consumer).and_then(|limits| limits.get(resource));
    let general = || rules.limits.get(&ClusterId::default()).and_then(|limits| limits.get(resource));
    own.or_else(general).copied()
}

/// How many other consumers the free capacity is offered to that this one is offered; none where a monitor divides it.
pub(super) fn others(view: &View<'_>, consumer: &ClusterId) -> u32 {
    if rules(view.state).monitored {
        return 0;
    }
    let own = view.offers.sent(consumer).iter().filter(|offer| !offer.facts.withdrawn).count();
    let others = view.state.derived.account.promises.saturating_sub(own);
    u32::try_from(others).unwrap_or(u32::MAX)
}

/// What is to be said of an offer whose capacity others are offered as well. Not how many: their number changes with each
/// that comes or goes, and is a figure.
pub(super) fn also(view: &View<'_>, consumer: &ClusterId) -> &'static str {
    match others(view, consumer) {
        0 => "",
        _ => "; other consumers are offered the same free capacity, nothing of it is set aside",
    }
}

/// What is promised to all consumers together.
pub fn sharing(state: &State) -> Sharing {
    let account = &state.derived.account;
    let amount = |thousandths: u128| u64::try_from(thousandths).unwrap_or(u64::MAX);
    let nobody = ClusterId::default();
    let free = account.free_for(&nobody);
    let free =
        free.map(|(resource, free)| (resource.to_owned(), Promise { free: amount(free), promised: 0 }));
    let mut sharing = Sharing { consumers: 0, resources: free.collect() };
    for offer in offers(state) {
        sharing.consumers += 1;
        let consumer = &offer.replication.remote_id;
        for (resource, hard) in &offer.hard {
            let used = amount(account.taken_by(consumer, resource));
            let promise = sharing.resources.entry(resource.clone()).or_default();
            promise.promised = promise.promised.saturating_add(hard.saturating_sub(used));
        }
    }
    sharing
}

/// Offers of this cluster that stand.
fn offers(state: &State) -> impl Iterator<Item = &ResourceOfferFacts> {
    let offers = seen(state, Kind::ResourceOffer, |facts| match facts {
        Facts::ResourceOffer(facts) if facts.replication.origin && !facts.withdrawn => Some(facts),
        _ => None,
    });
    offers.filter(|offer| !offer.object.deleting).map(|offer| offer.facts)
}

/// Whom an external resource monitor is to be asked about, and whom it is to forget.
pub fn monitored(state: &State) -> Monitored {
    let known = state.shares.iter().map(|(peer, _)| peer.clone()).collect();
    let view = View::of(state).filter(|_| rules(state).monitored);
    let consumers = view.map(|view| super::offer::consumers(&view)).unwrap_or_default();
    Monitored { consumers, known }
}

/// Whether a word of the monitor changes anything.
pub(crate) fn is_news(state: &State, report: &ShareReported) -> bool {
    let known = state.shares.get(&report.peer).map(|share| &share.body);
    match &report.amounts {
        Some(_) => rules(state).monitored && known.is_none_or(|known| known != report),
        None => known.is_some(),
    }
}

impl State {
    /// Takes over how offers are made. What a monitor said counts for as long as there is one.
    pub(crate) fn evolve_rules(&mut self, seq: Seq, at: UnixMillis, body: &SharingConfigured) {
        if !body.monitored {
            let known: Vec<ClusterId> = self.shares.iter().map(|(peer, _)| peer.clone()).collect();
            known.iter().for_each(|peer| drop(self.shares.remove(peer)));
        }
        self.sharing = Some(Fact { seq, at, body: body.clone() });
    }

    /// Takes over what the monitor said.
    pub(crate) fn evolve_share(&mut self, seq: Seq, at: UnixMillis, body: &ShareReported) {
        if body.amounts.is_none() {
            self.shares.remove(&body.peer);
        } else if rules(self).monitored {
            self.shares.insert(body.peer.clone(), Fact { seq, at, body: body.clone() });
        }
    }
}
