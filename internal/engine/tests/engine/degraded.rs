//! A log that fails is never a reason not to run.

use std::time::Duration;

use liqo_events::Seq;

use crate::disk::Disk;
use crate::world::{World, elapse};

#[tokio::test(start_paused = true)]
async fn degraded_mode_goes_on_says_so_and_recovers() {
    // Given a live engine whose disk breaks
    let mut world = World::live().await;
    let mut degraded = world.engine.handle.degraded();
    assert_eq!(*degraded.borrow_and_update(), None);
    world.disk.break_down();
    // When something has to be done
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    // Then it is done, and the process says that it is degraded
    let act = world.act().await;
    let reason = degraded.borrow_and_update().clone().unwrap().reason;
    assert!(
        reason.contains("could not be made durable") && reason.ends_with("input/output error"),
        "{reason}"
    );
    assert!((world.figure("liqo_log_degraded") - 1.0).abs() < 0.1);
    act.succeed();
    elapse(Duration::from_secs(1)).await;
    assert!(world.state().await.outbox.is_empty());
    // And what a restart would find is what was there before, whatever is in memory
    let standing = world.engine.handle.log();
    assert_eq!((standing.on_volume, standing.snapshot), (Seq(2), None));
    assert_eq!(standing.statistics.last, Some(Seq(6)));
    // And when the disk is well again, a new generation has the state and what follows
    world.disk.repair();
    degraded.changed().await.unwrap();
    assert_eq!(*degraded.borrow(), None);
    assert!(world.figure("liqo_log_degraded").abs() < 0.1);
    let update = world.update("after");
    let last = world.observe([update]).await;
    assert_eq!(world.disk.snapshot().map(|snapshot| snapshot.at), Some(Seq(6)));
    assert_eq!(world.disk.events().last().map(|envelope| envelope.seq), Some(last));
    let standing = world.engine.handle.log();
    assert_eq!((standing.on_volume, standing.snapshot), (last, Some(Seq(6))));
    let state = world.state().await;
    let next = World::on(&world.crash().await).await;
    assert_eq!(next.engine.recovery.last, last);
    assert_eq!(next.state().await, state);
}

#[tokio::test(start_paused = true)]
async fn a_new_generation_is_tried_each_minute() {
    let mut world = World::live().await;
    world.disk.break_down();
    let update = world.update("pod");
    world.observe([update]).await;
    elapse(Duration::from_secs(10 * 60 + 1)).await;
    assert_eq!((world.disk.attempts(), world.disk.generations()), (10, 0));
    assert!(world.engine.handle.degraded().borrow().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_a_generation_is_begun_is_in_it() {
    // Given a degraded engine whose disk is well again, and slow
    let mut world = World::live().await;
    world.disk.break_down();
    let applied = world.applied("before", true);
    world.observe([applied]).await;
    world.disk.repair();
    let blocked = world.disk.block();
    let begin = world.disk.next_write();
    world.pass(Duration::from_secs(60)).await;
    begin.await;
    // When events come while the new generation is begun
    for number in 0..20 {
        let applied = world.applied(&format!("pod-{number}"), true);
        tokio::join!(world.observe([applied]), world.pass(Duration::from_millis(6)));
    }
    assert!(world.engine.handle.degraded().borrow().is_some());
    drop(blocked);
    elapse(Duration::from_secs(1)).await;
    // Then the new generation has them
    assert!(world.engine.handle.degraded().borrow().is_none());
    let applied = world.applied("after", true);
    world.observe([applied]).await;
    assert!(world.engine.handle.degraded().borrow().is_none());
    let state = world.state().await;
    let next = World::on(&world.crash().await).await;
    assert_eq!((next.engine.recovery.diverged_at, next.engine.recovery.replayed), (None, 21 * 2));
    assert_eq!(next.state().await, state);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_again_and_again_is_left_and_taken_again() {
    let mut world = World::live().await;
    for round in 0..3 {
        world.disk.break_down();
        let update = world.update(&format!("broken-{round}"));
        world.observe([update]).await;
        assert!(world.engine.handle.degraded().borrow().is_some());
        world.disk.repair();
        elapse(Duration::from_secs(61)).await;
        assert!(world.engine.handle.degraded().borrow().is_none());
    }
    assert_eq!(world.disk.generations(), 3);
    let state = world.state().await;
    let next = World::on(&world.stop().await).await;
    assert_eq!(next.state().await, state);
}

#[tokio::test(start_paused = true)]
async fn a_process_starts_without_a_disk() {
    let disk = Disk::new();
    disk.break_down();
    let mut world = World::on(&disk).await;
    assert!(world.engine.recovery.relist_all);
    assert!(world.engine.handle.degraded().borrow().is_some());
    world.lead(1).await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    world.act().await.succeed();
    disk.repair();
    elapse(Duration::from_secs(61)).await;
    assert!(world.engine.handle.degraded().borrow().is_none());
    let state = world.state().await;
    let next = World::on(&world.crash().await).await;
    assert_eq!(next.state().await, state);
}

#[tokio::test(start_paused = true)]
async fn a_degraded_process_ends_in_order() {
    let mut world = World::live().await;
    world.disk.break_down();
    let update = world.update("pod");
    world.observe([update]).await;
    world.stop().await;
}
