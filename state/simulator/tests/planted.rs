//! Faults that are built into the model of the process are found, and the promise that they break is the one that is
//! meant to keep them out. A check that finds nothing would pass every test.
//!
//! Each fault is looked for where it hurts: with few kinds of faults in the world histories go further. A test ends with
//! the first seed that shows its fault; how many seeds it may take is about ten times the usual.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use liqo_simulator::{Fault, Planted, Settings, search};

/// Runs seeds until one breaks a promise, which must be one of `promises`.
fn is_found(planted: Planted, faults: &[Fault], steps: u64, (seeds, promises): (u64, &[&str])) {
    let faults = faults.iter().copied().collect();
    let settings = Settings { steps, faults, planted: Some(planted), ..Settings::default() };
    let report = search(1..=seeds, &settings);
    let report = report.unwrap_or_else(|| panic!("{planted:?} is not found in {seeds} seeds"));
    let violation = report.violation.unwrap();
    assert!(promises.contains(&violation.invariant), "seed {}: {violation:?}", report.seed);
    println!("{planted:?}: seed {}, {}", report.seed, violation.invariant);
}

#[test]
fn commands_that_leave_before_their_batch_is_durable() {
    let promises = ["no_effect_leaves_before_its_reasons_are_durable"];
    is_found(Planted::DispatchBeforeCommit, &[], 200, (5, &promises));
}

#[test]
fn a_gap_that_is_taken_for_a_deletion() {
    let promises = ["a_mapping_is_taken_away_only_for_a_recorded_cause"];
    is_found(Planted::GapIsDeletion, &[Fault::Watch], 1_000, (60, &promises));
}

#[test]
fn a_start_that_does_not_see_the_last_event() {
    let promises = ["a_replay_gives_the_recorded_states", "sequences_have_no_gap_and_are_never_reused"];
    is_found(Planted::SequenceReused, &[Fault::Crash], 600, (20, &promises));
}

#[test]
fn a_lost_lease_that_is_not_noticed() {
    let promises = ["only_the_live_holder_of_the_lease_writes", "the_world_comes_to_rest"];
    is_found(Planted::FollowerActs, &[Fault::Pause], 600, (60, &promises));
}

#[test]
fn a_guard_that_is_asked_only_at_the_beginning() {
    let promises = ["only_the_live_holder_of_the_lease_writes"];
    is_found(Planted::GuardOnlyAtTheBeginning, &[Fault::Pause, Fault::Errors], 1_500, (400, &promises));
}

#[test]
fn a_restored_cluster_that_is_taken_for_the_one_that_it_was() {
    let promises = ["what_users_want_is_reached_whatever_happened", "the_world_comes_to_rest"];
    is_found(Planted::RestoreUnnoticed, &[Fault::Restore], 1_000, (30, &promises));
}

#[test]
fn a_log_that_refused_to_write_and_is_opened_again_as_if_it_were_whole() {
    let promises = ["who_continues_has_seen_everything_that_was_done"];
    is_found(Planted::AbandonedLogReopened, &[Fault::Disk, Fault::Crash], 1_000, (100, &promises));
}

#[test]
fn a_cache_that_is_believed_when_it_says_that_nothing_is_to_be_done() {
    let promises = ["the_world_comes_to_rest", "what_users_want_is_reached_whatever_happened"];
    is_found(Planted::CacheTrusted, &[Fault::Rebuild], 600, (50, &promises));
}

#[test]
fn a_container_that_goes_on_although_another_held_the_lease_in_between() {
    let promises = ["who_continues_has_seen_everything_that_was_done"];
    let faults = [Fault::Crash, Fault::Pause, Fault::Errors];
    is_found(Planted::AnyEpochContinued, &faults, 2_000, (600, &promises));
}

#[test]
fn a_lease_that_is_free_because_the_clock_says_so() {
    let promises = ["only_the_live_holder_of_the_lease_writes"];
    is_found(Planted::LeaseJudgedByTheClock, &[Fault::Clock], 1_000, (150, &promises));
}

#[test]
fn versions_that_are_not_compared_with_what_was_seen() {
    let promises = [
        "the_world_comes_to_rest",
        "what_users_want_is_reached_whatever_happened",
        "a_mapping_is_taken_away_only_for_a_recorded_cause",
    ];
    is_found(Planted::VersionsNotCompared, &[Fault::Restore, Fault::Crash], 1_500, (300, &promises));
}

/// Faults that take thousands of histories to show, which only `LIQO_SOAK=1` has the time for. Otherwise a few of the same
/// histories are run without them.
fn is_found_in_a_soak(planted: Planted, faults: &[Fault], steps: u64, promises: &[&str]) {
    if std::env::var_os("LIQO_SOAK").is_some_and(|value| value == "1") {
        return is_found(planted, faults, steps, (10_000, promises));
    }
    let faults = faults.iter().copied().collect();
    let settings = Settings { steps, faults, ..Settings::default() };
    let broken = search(1..=10, &settings);
    assert_eq!(broken.map(|report| (report.seed, report.violation)), None);
}

#[test]
fn a_log_that_remembers_nothing_but_cursors() {
    let promises = ["the_world_comes_to_rest", "what_users_want_is_reached_whatever_happened"];
    is_found_in_a_soak(Planted::CursorsAlone, &[Fault::Restore, Fault::Crash], 1_500, &promises);
}

#[test]
fn a_term_that_goes_on_in_a_generation_that_it_was_not_gained_in() {
    let promises = ["a_mapping_is_taken_away_only_for_a_recorded_cause"];
    is_found_in_a_soak(Planted::TermOutlivesGeneration, &[Fault::Restore], 2_500, &promises);
}

#[test]
fn something_that_is_taken_away_without_a_look() {
    let promises = ["a_mapping_is_taken_away_only_for_a_recorded_cause"];
    is_found_in_a_soak(Planted::TakenWithoutALook, &[Fault::Restore, Fault::Errors], 2_500, &promises);
}
