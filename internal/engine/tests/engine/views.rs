//! What others see.

use std::time::Duration;

use liqo_engine::{Input, Published};
use liqo_events::Seq;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn reads_see_only_what_is_durable() {
    let mut world = World::new().await;
    world.settle().await;
    let blocked = world.disk.block();
    let write = world.disk.next_write();
    let update = world.update("pod");
    world.inbox().send(Input::Observe(vec![update])).await.unwrap();
    write.await;
    let handle = world.engine.handle.clone();
    let read = tokio::spawn(async move {
        handle.read_published(|state, published| (state.objects.len(), published.seq)).await
    });
    world.pass(Duration::from_secs(10)).await;
    assert!(!read.is_finished(), "what is in memory may be lost");
    drop(blocked);
    assert_eq!(read.await.unwrap(), Ok((1, Seq(2))));
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_told_what_is_durable_and_who_leads() {
    let mut world = World::new().await;
    let mut published = world.engine.handle.subscribe();
    let update = world.update("pod");
    world.observe([update]).await;
    assert_eq!(*published.borrow_and_update(), Published { seq: Seq(2), epoch: None, live: false });
    world.lead(5).await;
    assert_eq!(*published.borrow_and_update(), Published { seq: Seq(5), epoch: Some(5), live: true });
    assert!((world.figure("liqo_engine_epoch") - 5.0).abs() < 0.1);
    world.lose(5).await;
    assert_eq!(*published.borrow(), Published { seq: Seq(6), epoch: None, live: false });
}

#[tokio::test(start_paused = true)]
async fn a_listener_hears_every_event_and_is_told_when_it_is_too_slow() {
    let mut world = World::new().await;
    let mut quick = world.engine.handle.tail();
    let update = world.update("first");
    let first = world.observe([update]).await;
    // The start of the process may have been durable before anybody listened.
    let heard = loop {
        let heard = quick.recv().await.unwrap();
        if heard.seq == first {
            break heard;
        }
    };
    assert_eq!(heard.open().unwrap().event.name(), "Applied");
    assert_eq!(quick.try_recv(), Err(TryRecvError::Empty));
    for number in 0..1_500 {
        let update = world.update(&format!("pod-{number}"));
        world.inbox().send(Input::Observe(vec![update])).await.unwrap();
    }
    let update = world.update("last");
    world.observe([update]).await;
    assert_eq!(quick.recv().await, Err(RecvError::Lagged(1_501 - 1_024)));
}

#[tokio::test(start_paused = true)]
async fn history_is_read_between_batches_and_bounded() {
    let mut world = World::new().await;
    for number in 0..1_500 {
        let update = world.update(&format!("pod-{number}"));
        world.inbox().send(Input::Observe(vec![update])).await.unwrap();
    }
    let update = world.update("last");
    world.observe([update]).await;
    let history = world.engine.handle.history(Seq(11), 20).await.unwrap();
    assert_eq!(
        history.iter().map(|envelope| envelope.seq.0).collect::<Vec<_>>(),
        (11..31).collect::<Vec<_>>()
    );
    assert_eq!(world.engine.handle.history(Seq(1), usize::MAX).await.unwrap().len(), 1_024);
    assert_eq!(world.engine.handle.history(Seq(9_999), 10).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_engine_says_so() {
    let world = World::new().await;
    let handle = world.engine.handle.clone();
    world.stop().await;
    assert!(handle.read(|_| ()).await.is_err());
    assert!(handle.history(Seq(1), 1).await.is_err());
    assert!(handle.inbox().send_durably(Input::GoLive { epoch: 1 }).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_nobody_can_reach_ends() {
    let world = World::new().await;
    let World { engine, disk, .. } = world;
    drop(engine.handle);
    assert_eq!(engine.task.await.unwrap(), Ok(()));
    assert_eq!(disk.names(), ["Started"]);
}

#[tokio::test(start_paused = true)]
async fn every_figure_has_a_help_text_and_a_bounded_name() {
    let world = World::live().await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &world.registry).unwrap();
    let helps: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")).collect();
    let types = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(helps.len(), types);
    for help in &helps {
        assert!(help.starts_with("liqo_log_") || help.starts_with("liqo_engine_"), "{help}");
        assert!(help.split(' ').count() > 4, "{help}");
    }
}
