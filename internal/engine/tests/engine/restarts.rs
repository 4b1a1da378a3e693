//! What the next process finds.

use std::time::Duration;

use liqo_engine::{Disposition, Input, LogVolume, Outcome};
use liqo_events::Seq;
use std::sync::Arc;

use crate::disk::Disk;
use crate::world::{Wall, World, elapse};

#[tokio::test(start_paused = true)]
async fn shutdown_loses_nothing_and_leaves_a_snapshot() {
    // Given inputs that were sent and not waited for, of one object and of many
    let mut world = World::new().await;
    for number in 0..100 {
        let updates = vec![world.update("busy"), world.update(&format!("pod-{number}"))];
        world.inbox().send(Input::Observe(updates)).await.unwrap();
    }
    // When the engine is stopped at once
    let disk = world.stop().await;
    // Then the next one has them all, without a replay
    let next = World::on(&disk).await;
    assert_eq!((next.engine.recovery.replayed, next.engine.recovery.relist_all), (0, false));
    let standing = next.engine.handle.log();
    assert_eq!(standing.snapshot, Some(next.engine.recovery.last));
    let state = next.state().await;
    assert_eq!(state.objects.len(), 101);
    let (_, _, busy) = state.objects.get(&crate::namespaces::namespace("busy")).unwrap();
    assert_eq!(busy.resource_version.as_str(), "199");
}

#[tokio::test(start_paused = true)]
async fn retries_are_state_and_survive_a_restart() {
    let mut world = World::live().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    for attempt in 1..=3 {
        let act = world.act().await;
        assert_eq!(act.attempt, attempt);
        let error = "conflict".to_owned();
        act.answer(Outcome::Failed { disposition: Disposition::Retry { after: None }, error });
    }
    elapse(Duration::from_millis(100)).await;
    let state = world.state().await;
    let mut next = World::on(&world.crash().await).await;
    assert_eq!(next.state().await, state);
    next.lead(2).await;
    assert_eq!(next.act().await.attempt, 4);
}

#[tokio::test(start_paused = true)]
async fn a_crash_keeps_whatever_was_acknowledged() {
    let mut world = World::live().await;
    let mut last = Seq::default();
    for number in 0..300 {
        let update = world.update(&format!("pod-{number}"));
        last = world.observe([update]).await;
    }
    let state = world.state().await;
    let next = World::on(&world.crash().await).await;
    assert_eq!((next.engine.recovery.replayed, next.engine.recovery.last), (last.0, last));
    assert_eq!(next.state().await, state);
    assert!((next.figure("liqo_log_replayed_events_total") - 902.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_folded_is_put_aside() {
    let mut world = World::live().await;
    let applied = world.applied("shop", true);
    world.observe([applied]).await;
    let disk = world.crash().await;
    disk.damage();
    let next = World::on(&disk).await;
    let recovery = &next.engine.recovery;
    assert!(recovery.is_empty() && recovery.relist_all);
    assert!(
        recovery.quarantined.as_ref().is_some_and(|why| why.contains("cannot be decoded")),
        "{recovery:?}"
    );
    assert!((next.figure("liqo_log_quarantined_total") - 1.0).abs() < 0.1);
    assert_eq!(next.state().await.objects.len(), 0);
    assert!(next.engine.handle.degraded().borrow().is_none());
    next.lead(2).await;
    assert_eq!(disk.names(), ["Started", "LeaseGained"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_makes_the_machine_panic_is_put_aside_as_well() {
    let mut world = World::live().await;
    let poison = world.applied("poison", true);
    let disk = world.crash().await;
    disk.add(poison);
    let next = World::on(&disk).await;
    let recovery = &next.engine.recovery;
    assert!(recovery.quarantined.as_ref().is_some_and(|why| why.contains("panicked")), "{recovery:?}");
    let standing = next.engine.handle.log();
    assert_eq!((standing.snapshot, &standing.put_aside), (None, &recovery.quarantined));
    assert!(recovery.relist_all);
    next.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_fold_that_differs_is_kept_and_everything_is_listed_anew() {
    let mut world = World::live().await;
    let applied = world.applied("shop", true);
    let disk = world.crash().await;
    disk.add(applied);
    let next = World::on(&disk).await;
    let recovery = &next.engine.recovery;
    assert_eq!((recovery.diverged_at, recovery.relist_all), (Some(Seq(3)), true));
    assert_eq!(next.state().await.objects.len(), 1);
    assert!((next.figure("liqo_log_replay_divergences_total") - 1.0).abs() < 0.1);
    // The state is written down with the start, so the next process finds no difference.
    elapse(Duration::from_secs(1)).await;
    let last = World::on(&next.crash().await).await;
    assert_eq!((last.engine.recovery.diverged_at, last.engine.recovery.relist_all), (None, false));
}

/// Fingerprints follow the types of a program: after an update they differ, and that is no fault.
#[tokio::test(start_paused = true)]
async fn the_states_of_another_version_are_no_divergence() {
    let mut world = World::live().await;
    let applied = world.applied("shop", true);
    let disk = world.crash().await;
    disk.add(applied);
    let next = World::of_version("0.2.0", Box::new(disk.clone()), &disk).await;
    let recovery = &next.engine.recovery;
    assert_eq!((recovery.diverged_at, recovery.relist_all), (Some(Seq(3)), true));
    assert_eq!(recovery.recorded_by.as_deref(), Some("0.1.0"));
    assert!(next.figure("liqo_log_replay_divergences_total") < 0.1);
    next.stop().await;
}

#[tokio::test(start_paused = true)]
async fn it_runs_on_a_volume() {
    let directory = tempfile::tempdir().unwrap();
    let volume = || {
        let options = liqo_log::Options::VIRTUAL_KUBELET;
        Box::new(LogVolume::new(directory.path(), options, Arc::new(Wall::new())))
    };
    let (state, last) = {
        let mut world = World::with(volume(), &Disk::new()).await;
        assert!(world.engine.recovery.is_empty() && !world.engine.recovery.relist_all);
        world.lead(1).await;
        let applied = world.applied("shop", false);
        world.observe([applied]).await;
        world.act().await.succeed();
        elapse(Duration::from_secs(1)).await;
        let update = world.applied("other", true);
        let last = world.observe([update]).await;
        let history = world.engine.handle.history(Seq(1), 5_000).await.unwrap();
        assert_eq!(history.len() as u64, last.0);
        let state = world.state().await;
        let last = world.engine.handle.subscribe().borrow().seq;
        world.stop().await;
        (state, last)
    };
    let next = World::with(volume(), &Disk::new()).await;
    assert_eq!((next.engine.recovery.last, next.engine.recovery.replayed), (last, 0));
    assert_eq!(next.state().await, state);
    next.stop().await;
}
