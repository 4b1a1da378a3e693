//! Commands: who may carry them out, how long that may take, what comes of them.

use std::time::Duration;

use liqo_engine::{Disposition, EngineError, Outcome};
use tokio::time::Instant;

use crate::world::{World, elapse};

fn failed(disposition: Disposition) -> Outcome {
    Outcome::Failed { disposition, error: "refused".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_succeeds_ends() {
    let mut world = World::live().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    let act = world.act().await;
    assert_eq!((act.target(), act.attempt), ("shop", 1));
    act.succeed();
    elapse(Duration::from_secs(1)).await;
    assert_eq!(world.disk.names().last(), Some(&"CommandSucceeded"));
    assert!(world.state().await.outbox.is_empty());
    let ended = "liqo_engine_commands_total{effect=\"SetScheduling\",outcome=\"succeeded\"}";
    assert!((world.figure(ended) - 1.0).abs() < 0.1);
    assert!(world.figure("liqo_engine_in_flight_commands").abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn deadlines_fire_once_and_on_the_monotonic_clock() {
    let mut world = World::live().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    world.act().await.answer(failed(Disposition::Retry { after: Some(Duration::from_secs(40)) }));
    let began = Instant::now();
    let again = world.act().await;
    assert_eq!(again.attempt, 2);
    let waited = began.elapsed();
    assert!((40_000..40_100).contains(&waited.as_millis()), "{waited:?}");
    again.succeed();
    elapse(Duration::from_secs(600)).await;
    let fired = world.disk.names().iter().filter(|name| **name == "DeadlinePassed").count();
    assert_eq!(fired, 1);
    assert!((world.figure("liqo_engine_deadlines_fired_total") - 1.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_actuator_never_blocks_the_writer() {
    // Given a command that hangs
    let mut world = World::live().await;
    let applied = world.applied("slow", false);
    world.observe([applied]).await;
    let hanging = world.act().await;
    // When others come
    for number in 0..200 {
        let applied = world.applied(&format!("shop-{number}"), false);
        world.observe([applied]).await;
        world.act().await.succeed();
    }
    // Then they are done, and the slow one is broken off after a minute and tried again
    assert!(!hanging.is_broken_off());
    let again = world.act().await;
    assert_eq!((again.target(), again.attempt), ("slow", 2));
    assert!(hanging.is_broken_off());
    let state = world.state().await;
    let error = &state.outbox.iter().next().unwrap().1.failed.as_ref().unwrap().2.error;
    assert_eq!(error, "no answer within 60 s");
}

#[tokio::test(start_paused = true)]
async fn a_stale_lease_never_acts() {
    let mut world = World::live().await;
    world.set_lease(false);
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    elapse(Duration::from_secs(300)).await;
    assert!(world.acts.try_recv().is_err());
    assert!(world.figure("liqo_engine_withheld_commands_total") > 1.0);
    // It was only late: when it is renewed the command leaves, within a second.
    world.set_lease(true);
    let began = Instant::now();
    assert_eq!(world.act().await.attempt, 1);
    assert!(began.elapsed() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn losing_the_lease_breaks_off_what_is_under_way() {
    let mut world = World::live().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    let act = world.act().await;
    world.lose(1).await;
    world.settle().await;
    assert!(act.is_broken_off());
    assert_eq!(world.disk.names().last(), Some(&"LeaseLost"));
    elapse(Duration::from_secs(600)).await;
    assert!(world.acts.try_recv().is_err());
    // Whoever leads again does it again, as the same try: nobody knows that there was one.
    world.lead(2).await;
    let again = world.act().await;
    assert_eq!((again.command, again.attempt), (act.command, 1));
}

#[tokio::test(start_paused = true)]
async fn an_actuator_that_panics_is_a_failure_of_one_command() {
    let mut world = World::live().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    drop(world.act().await);
    let again = world.act().await;
    assert_eq!(again.attempt, 2);
    again.succeed();
    world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn fatal_stops_the_engine_and_is_recorded() {
    let mut world = World::live().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    world.act().await.answer(failed(Disposition::Fatal));
    let expected = EngineError::Act {
        effect: "SetScheduling",
        slot: "Namespace/shop#scheduling".to_owned(),
        reason: "refused".to_owned(),
    };
    assert_eq!(world.engine.task.await.unwrap(), Err(expected));
    assert_eq!(world.disk.names().last(), Some(&"CommandFailed"));
    assert!(world.engine.handle.inbox().send(liqo_engine::Input::GoLive { epoch: 1 }).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn commands_that_are_under_way_are_waited_for_at_the_end() {
    let mut world = World::live().await;
    let group = ["done", "late"].map(|name| world.applied(name, false));
    world.observe(group).await;
    let (first, second) = (world.act().await, world.act().await);
    let began = Instant::now();
    world.engine.handle.stop();
    world.settle().await;
    first.succeed();
    assert_eq!(world.engine.task.await.unwrap(), Ok(()));
    // The other one had its grace, and is tried again by the next process.
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert!(second.is_broken_off());
    assert_eq!(world.disk.names().last(), Some(&"CommandSucceeded"));
    let mut next = World::on(&world.disk).await;
    next.lead(2).await;
    assert_eq!(next.act().await.command, second.command);
}
