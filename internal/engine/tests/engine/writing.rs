//! What becomes durable, and what waits for it.

use std::time::Duration;

use liqo_engine::{INBOX, Input};
use liqo_events::{Seq, UnixMillis};
use tokio::time::Instant;

use crate::world::{World, elapse};

#[tokio::test(start_paused = true)]
async fn no_effect_leaves_before_its_events_are_durable() {
    // Given a live engine whose log hangs
    let mut world = World::live().await;
    let blocked = world.disk.block();
    let write = world.disk.next_write();
    let applied = world.applied("shop", false);
    let inbox = world.inbox();
    let sender = tokio::spawn(async move { inbox.send_durably(Input::Observe(vec![applied])).await });
    write.await;
    // When time passes
    world.pass(Duration::from_secs(20)).await;
    // Then nothing is done, published or acknowledged
    assert!(world.acts.try_recv().is_err());
    assert!(!sender.is_finished());
    assert_eq!(world.engine.handle.subscribe().borrow().seq, Seq(2));
    // And when the log answers, the command leaves
    drop(blocked);
    assert_eq!(world.act().await.target(), "shop");
    assert_eq!(sender.await.unwrap(), Ok(Seq(5)));
}

#[tokio::test(start_paused = true)]
async fn an_observation_its_choice_and_its_command_cost_one_write() {
    let mut world = World::live().await;
    let before = world.disk.batches().len();
    let group = ["a", "b", "c"].map(|name| world.applied(name, false));
    let durable = world.observe(group).await;
    assert_eq!(world.disk.batches()[before..], [9]);
    assert_eq!(durable, Seq(2 + 9));
}

#[tokio::test(start_paused = true)]
async fn single_events_wait_five_milliseconds_for_others() {
    let mut world = World::live().await;
    let before = world.disk.batches().len();
    let began = Instant::now();
    for number in 0..10 {
        let update = world.update(&format!("pod-{number}"));
        world.inbox().send(Input::Observe(vec![update])).await.unwrap();
    }
    let update = world.update("last");
    world.observe([update]).await;
    assert_eq!(began.elapsed(), Duration::from_millis(5));
    assert_eq!(world.disk.batches()[before..], [11 * 3], "each namespace gets a name and a command as well");
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_new_is_acknowledged_and_not_written() {
    let mut world = World::live().await;
    let first = world.applied("shop", true);
    let durable = world.observe([first]).await;
    let before = world.disk.batches();
    let again = world.applied("shop", true);
    assert_eq!(world.observe([again]).await, durable);
    assert_eq!(world.disk.batches(), before);
    assert!((world.figure("liqo_engine_observations_total{result=\"unchanged\"}") - 1.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_blocks_senders_and_loses_nothing() {
    // Given a log that hangs
    let mut world = World::new().await;
    world.settle().await;
    let blocked = world.disk.block();
    let total = 4 * INBOX;
    let updates: Vec<_> = (0..total).map(|number| world.update(&format!("pod-{number}"))).collect();
    let inbox = world.inbox();
    // When more is sent than there is room for
    let (progress, sent) = tokio::sync::watch::channel(0);
    let sender = tokio::spawn(async move {
        for update in updates {
            inbox.send(Input::Observe(vec![update])).await.unwrap();
            progress.send_modify(|sent| *sent += 1);
        }
    });
    world.pass(Duration::from_secs(10)).await;
    // Then the sender waits
    let taken = *sent.borrow();
    assert!((INBOX..total).contains(&taken), "{taken} of {total}");
    assert!(!sender.is_finished());
    // And when the log answers, everything arrives, in order
    drop(blocked);
    sender.await.unwrap();
    let last = world.update("last");
    world.observe([last]).await;
    let events = world.disk.events();
    assert_eq!(events.len(), 1 + total + 1);
    let sequence: Vec<u64> = events.iter().map(|envelope| envelope.seq.0).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_100_000_updates_is_coalesced_and_bounded() {
    let mut world = World::new().await;
    for _ in 0..1_000 {
        let updates = (0..100).map(|_| world.update("busy")).collect();
        world.inbox().send(Input::Observe(updates)).await.unwrap();
    }
    let last = world.update("busy");
    world.observe([last.clone()]).await;
    elapse(Duration::from_secs(61)).await;
    let state = world.state().await;
    let known = state.objects.iter().map(|(_, (_, _, known))| known.clone()).next().unwrap();
    let liqo_events::Event::Applied(last) = last else { panic!("it is applied") };
    assert_eq!(known.facts, last.facts);
    assert_eq!(world.disk.events().len(), 1 + 60 + 1);
    assert!((world.figure("liqo_engine_observations_total{result=\"coalesced\"}") - 99_941.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn events_are_dated_by_the_wall_clock() {
    let mut world = World::new().await;
    elapse(Duration::from_secs(90)).await;
    let update = world.update("late");
    world.observe([update]).await;
    let last = world.disk.events().pop().unwrap();
    assert_eq!(last.recorded_at, UnixMillis(1_700_000_090_000));
}

#[tokio::test(start_paused = true)]
async fn followers_never_decide() {
    let mut world = World::new().await;
    let applied = world.applied("shop", false);
    world.observe([applied]).await;
    elapse(Duration::from_secs(300)).await;
    assert_eq!(world.disk.names(), ["Started", "Applied"]);
    assert!(world.acts.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_process_writes_a_snapshot_after_ten_minutes_and_then_none() {
    let mut world = World::new().await;
    let update = world.update("only");
    world.observe([update]).await;
    assert_eq!(world.disk.snapshot(), None);
    elapse(Duration::from_secs(601)).await;
    assert_eq!(world.disk.snapshot().map(|snapshot| snapshot.at), Some(Seq(2)));
    elapse(Duration::from_secs(6_000)).await;
    assert!((world.figure("liqo_log_snapshots") - 1.0).abs() < 0.1);
    assert_eq!(world.disk.collections(), 1, "history is dropped with each snapshot");
}
