//! Tables: an answer, and what is asked next.

use std::time::Duration;

use liqo_model::ResourceVersion;

use crate::watch::plan::{Answer, Ask, End, Failure, Plan};
use crate::watch::{Relist, Trouble};
use crate::{Chance, MAX_BACK_OFF};

const MINUTE: Duration = Duration::from_secs(60);

struct Table {
    plan: Plan,
    chance: Chance,
    now: Duration,
    ask: Ask,
}

impl Table {
    fn begin(cursor: Option<(&str, u64)>) -> Self {
        let mut chance = Chance::seeded(3);
        let cursor = cursor.map(|(version, generation)| (version.into(), generation));
        let plan = Plan::new(cursor, Duration::ZERO, &mut chance);
        let ask = plan.begin();
        Self { plan, chance, now: Duration::ZERO, ask }
    }

    /// A watch that follows since a complete list of version 10 in generation 1.
    fn following() -> Self {
        let mut table = Self::begin(None);
        table.row(Answer::Generation(1), &first_page());
        table.row(page("10", None), &commit("10", true));
        table.row(Answer::Committed, &watch("10"));
        table
    }

    fn row(&mut self, answer: Answer, expected: &Ask) {
        let shown = format!("{answer:?}");
        self.ask = self.plan.next(answer, self.now, &mut self.chance);
        assert_eq!(&self.ask, expected, "after {shown}");
    }

    /// The answer makes it wait, because of this, at most so long; then it asks who the cluster is.
    fn waits(&mut self, answer: Answer, expected: Trouble, at_most: Duration) -> Duration {
        let shown = format!("{answer:?}");
        self.ask = self.plan.next(answer, self.now, &mut self.chance);
        let Ask::Wait { pause, trouble } = self.ask else { panic!("{:?} after {shown}", self.ask) };
        assert_eq!(trouble, expected, "after {shown}");
        assert!(pause <= at_most, "{pause:?} after {shown}");
        self.now += pause;
        self.row(Answer::Waited, &Ask::Identify);
        pause
    }
}

fn page(version: &str, next: Option<&str>) -> Answer {
    Answer::Page { version: version.into(), next: next.map(str::to_owned), unreadable: 0 }
}

fn first_page() -> Ask {
    Ask::List { next: None, limit: 500 }
}

fn commit(version: &str, complete: bool) -> Ask {
    Ask::Commit { version: version.into(), complete }
}

fn watch(from: &str) -> Ask {
    Ask::Watch { from: from.into() }
}

#[test]
fn without_a_cursor_everything_is_listed_page_by_page() {
    let mut table = Table::begin(None);
    assert_eq!(table.ask, Ask::Identify);
    table.row(Answer::Generation(1), &first_page());
    assert_eq!(table.plan.relist(), Some(Relist::NoCursor));
    table.row(page("9", Some("a")), &Ask::List { next: Some("a".to_owned()), limit: 500 });
    table.row(page("9", Some("b")), &Ask::List { next: Some("b".to_owned()), limit: 500 });
    table.row(page("9", None), &commit("9", true));
    table.row(Answer::Committed, &watch("9"));
    assert_eq!(table.plan.relist(), None);
}

#[test]
fn a_cursor_of_the_same_generation_is_resumed_after_a_look_at_the_version() {
    for version in ["10", "11"] {
        let mut table = Table::begin(Some(("10", 2)));
        table.row(Answer::Generation(2), &Ask::Probe);
        table.row(Answer::Version(version.into()), &watch("10"));
    }
}

#[test]
fn a_cursor_of_another_generation_is_worth_nothing() {
    let mut table = Table::begin(Some(("10", 2)));
    table.row(Answer::Generation(3), &first_page());
    assert_eq!((table.plan.relist(), table.plan.generation()), (Some(Relist::Generation), 3));
}

#[test]
fn a_version_below_the_cursor_is_a_new_generation() {
    let mut table = Table::begin(Some(("10", 2)));
    table.row(Answer::Generation(2), &Ask::Probe);
    let reason = "its version was 10 and is 9: it was restored from a backup".to_owned();
    table.row(Answer::Version("9".into()), &Ask::NewGeneration { reason });
    table.row(Answer::Generation(3), &first_page());
    assert_eq!(table.plan.relist(), Some(Relist::Generation));
}

#[test]
fn versions_without_an_order_are_listed() {
    let mut table = Table::begin(Some(("abc", 2)));
    table.row(Answer::Generation(2), &Ask::Probe);
    table.row(Answer::Version("10".into()), &first_page());
    assert_eq!(table.plan.relist(), Some(Relist::NoOrder));
}

#[test]
fn every_way_back_begins_with_who_the_cluster_is() {
    let mut table = Table::following();
    table.now = 5 * MINUTE;
    table.row(Answer::Ended(End::Closed), &Ask::Identify);
    table.row(Answer::Generation(1), &Ask::Probe);
    table.row(Answer::Version("12".into()), &watch("10"));
    for end in [End::Idle, End::Broken] {
        table.now += 5 * MINUTE;
        table.waits(Answer::Ended(end), Trouble::Unreachable, Duration::from_millis(200));
        table.row(Answer::Generation(1), &Ask::Probe);
        table.row(Answer::Version("12".into()), &watch("10"));
    }
}

#[test]
fn a_watch_that_ends_as_soon_as_it_begins_is_opened_more_and_more_rarely() {
    let mut table = Table::following();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        pauses.push(table.waits(Answer::Ended(End::Closed), Trouble::Unstable, MAX_BACK_OFF));
        table.row(Answer::Generation(1), &Ask::Probe);
        table.row(Answer::Version("10".into()), &watch("10"));
    }
    assert!(pauses[0] <= Duration::from_millis(200) && pauses[11] >= MAX_BACK_OFF / 2, "{pauses:?}");
}

#[test]
fn an_expired_version_is_listed_anew() {
    let mut table = Table::following();
    table.now = MINUTE;
    table.row(Answer::Ended(End::Gone), &Ask::Identify);
    table.row(Answer::Generation(1), &first_page());
    assert_eq!(table.plan.relist(), Some(Relist::Expired));
    // The same as an answer to the request itself.
    let mut table = Table::following();
    table.waits(Answer::Failed(Failure::Gone), Trouble::Unusable, MAX_BACK_OFF);
    table.row(Answer::Generation(1), &first_page());
    assert_eq!(table.plan.relist(), Some(Relist::Expired));
}

#[test]
fn an_expired_page_begins_the_list_again() {
    let mut table = Table::begin(None);
    table.row(Answer::Generation(1), &first_page());
    table.row(page("9", Some("a")), &Ask::List { next: Some("a".to_owned()), limit: 500 });
    table.waits(Answer::Failed(Failure::Gone), Trouble::Unusable, MAX_BACK_OFF);
    table.row(Answer::Generation(1), &first_page());
}

#[test]
fn failures_wait_and_say_why() {
    for (failure, trouble) in [
        (Failure::Missing, Trouble::Missing),
        (Failure::Denied, Trouble::Denied),
        (Failure::Throttled(None), Trouble::Throttled),
        (Failure::Unusable, Trouble::Unusable),
        (Failure::Unreachable, Trouble::Unreachable),
    ] {
        let mut table = Table::begin(Some(("10", 1)));
        table.waits(Answer::Failed(failure), trouble, Duration::from_millis(200));
        table
            .row(Answer::Generation(1), &if failure == Failure::Missing { first_page() } else { Ask::Probe });
    }
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it_within_the_longest() {
    for (wish, expected) in [(5, Duration::from_secs(5)), (3600, MAX_BACK_OFF)] {
        let mut table = Table::begin(None);
        let answer = Answer::Failed(Failure::Throttled(Some(Duration::from_secs(wish))));
        assert_eq!(table.waits(answer, Trouble::Throttled, MAX_BACK_OFF), expected);
    }
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let mut table = Table::begin(None);
    table.row(Answer::Generation(1), &first_page());
    for limit in [125, 31, 7, 1] {
        table.row(Answer::Failed(Failure::TooLarge), &Ask::List { next: None, limit });
    }
    table.waits(Answer::Failed(Failure::TooLarge), Trouble::Unusable, MAX_BACK_OFF);
}

#[test]
fn everything_is_listed_when_somebody_asks_and_when_it_is_time() {
    let mut table = Table::following();
    let due = table.plan.relist_at();
    assert!(due >= 24 * MINUTE && due <= 36 * MINUTE, "{due:?}");
    for (end, reason) in [(End::Asked, Relist::Asked), (End::Due, Relist::Periodic)] {
        table.row(Answer::Ended(end), &Ask::Identify);
        table.row(Answer::Generation(1), &first_page());
        assert_eq!(table.plan.relist(), Some(reason));
        table.row(page("20", None), &commit("20", true));
        table.row(Answer::Committed, &watch("20"));
    }
}

#[test]
fn a_list_that_could_not_be_read_whole_proves_nothing_and_is_repeated() {
    let mut table = Table::begin(None);
    table.row(Answer::Generation(1), &first_page());
    let unreadable = Answer::Page { version: "9".into(), next: Some("a".to_owned()), unreadable: 1 };
    table.row(unreadable, &Ask::List { next: Some("a".to_owned()), limit: 500 });
    table.row(page("9", None), &commit("9", false));
    table.row(Answer::Committed, &watch("9"));
    assert!(table.plan.relist_at() <= MINUTE);
    // A restart has to list, so no cursor is recorded.
    assert_eq!(table.plan.moved("12".into(), 10 * MINUTE), None);
    table.row(Answer::Ended(End::Due), &Ask::Identify);
    table.row(Answer::Generation(1), &first_page());
    assert_eq!(table.plan.relist(), Some(Relist::Unreadable));
    table.row(page("13", None), &commit("13", true));
    table.row(Answer::Committed, &watch("13"));
    assert!(table.plan.relist_at() >= 24 * MINUTE);
}

#[test]
fn what_stays_unreadable_is_looked_for_more_and_more_rarely() {
    let mut table = Table::following();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let now = table.now;
        table.plan.unreadable(now, &mut table.chance);
        let due = table.plan.relist_at();
        waits.push(due - now);
        table.now = due;
        table.row(Answer::Ended(End::Due), &Ask::Identify);
        table.row(Answer::Generation(1), &first_page());
        let answer = Answer::Page { version: "10".into(), next: None, unreadable: 1 };
        table.row(answer, &commit("10", false));
        table.row(Answer::Committed, &watch("10"));
    }
    assert!(waits[0] <= MINUTE && waits[7] >= 10 * MINUTE, "{waits:?}");
}

#[test]
fn a_cursor_is_recorded_once_a_minute_and_never_goes_back() {
    let mut table = Table::following();
    let seconds = Duration::from_secs;
    let moved = |plan: &mut Plan, version: &str, at| {
        plan.moved(version.into(), seconds(at)).map(|v: ResourceVersion| v.to_string())
    };
    assert_eq!(moved(&mut table.plan, "11", 59), None);
    assert_eq!(moved(&mut table.plan, "12", 60), Some("12".to_owned()));
    assert_eq!(moved(&mut table.plan, "13", 61), None);
    assert_eq!(moved(&mut table.plan, "8", 200), None);
    assert_eq!(moved(&mut table.plan, "14", 201), Some("14".to_owned()));
    table.now = seconds(300);
    table.row(Answer::Ended(End::Closed), &Ask::Identify);
    table.row(Answer::Generation(1), &Ask::Probe);
    table.row(Answer::Version("20".into()), &watch("14"));
}

#[test]
fn any_answers_in_any_order_lead_somewhere() {
    let mut chance = Chance::seeded(11);
    let answers: [fn(u64) -> Answer; 12] = [
        |n| Answer::Generation(n % 3),
        |n| Answer::Version(n.to_string().into()),
        |n| page(&n.to_string(), if n % 2 == 0 { Some("t") } else { None }),
        |_| Answer::Committed,
        |_| Answer::Waited,
        |_| Answer::Ended(End::Closed),
        |_| Answer::Ended(End::Gone),
        |_| Answer::Ended(End::Due),
        |_| Answer::Failed(Failure::Gone),
        |_| Answer::Failed(Failure::Missing),
        |_| Answer::Failed(Failure::TooLarge),
        |n| Answer::Failed(Failure::Throttled(Some(Duration::from_secs(n)))),
    ];
    let mut plan = Plan::new(None, Duration::ZERO, &mut chance);
    let mut now = Duration::ZERO;
    for step in 0..20_000_u64 {
        let pick = (chance.unit() * answers.len() as f64) as usize;
        now += Duration::from_secs((chance.unit() * 100.0) as u64);
        if let Ask::Wait { pause, .. } = plan.next(answers[pick](step % 50), now, &mut chance) {
            assert!(pause <= MAX_BACK_OFF, "{pause:?}");
        }
        assert!(plan.relist_at() <= now + 36 * MINUTE);
    }
}
