//! One object that changes all the time.

use std::path::Path;
use std::sync::Arc;

use liqo_domain::{LiqoMachine, UPDATES_A_WINDOW, WINDOW_MILLIS};
use liqo_engine::{Engine, Handle, Input, LogVolume, Metrics, Options, SystemClock};
use liqo_events::{Applied, BodyDigest, ContainerFacts, Event, Facts, PodFacts, Seq, UnixMillis};
use liqo_log::{EventLog as _, SledLog};
use liqo_model::{Kind, ObjectKey};
use prometheus_client::registry::Registry;

use crate::process::{Memory, cpu_seconds, memory};
use crate::row::{Goal, emit};
use crate::serve::{Idle, started};
use crate::{Result, say};

const UPDATES: u32 = 100_000;
/// What the windows of the flood's objects and a full inbox may take.
const GROWTH_MIB: f64 = 4.0;

pub(crate) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let directory = tempfile::tempdir()?;
    let flooded = runtime.block_on(flood(directory.path()))?;
    let Flooded { seconds, cpu, before, after } = flooded;
    let (events, last, counted) = recorded(directory.path())?;
    if last != Some(UPDATES) || counted != UPDATES {
        return Err(format!("the log ends with update {last:?} and stands for {counted} of {UPDATES}").into());
    }
    // One window for each begun minute, the last update of each, and start and end of the process.
    let windows = (seconds * 1000.0 / WINDOW_MILLIS as f64).floor() + 1.0;
    let most = windows * f64::from(UPDATES_A_WINDOW + 1) + 2.0;
    emit("flood: events of 100 000 updates of one object", events, "events", Goal::AtMost(most));
    emit("flood: updates unaccounted for", f64::from(UPDATES - counted), "updates", Goal::AtMost(0.0));
    emit("flood: processor time of an update", cpu * 1e6 / f64::from(UPDATES), "µs", None);
    let growth = (after.anonymous - before.anonymous) / 1024.0;
    emit("flood: growth of memory", growth, "MiB", Goal::AtMost(GROWTH_MIB));
    Ok(())
}

struct Flooded {
    seconds: f64,
    cpu: f64,
    before: Memory,
    after: Memory,
}

async fn flood(directory: &Path) -> Result<Flooded> {
    let options = Options {
        log: Box::new(LogVolume::new(directory, liqo_log::Options::CONTROLLER, Arc::new(SystemClock))),
        started: started()?,
        actuator: Idle,
        authority: Arc::new(Idle),
        clock: Arc::new(SystemClock),
        metrics: Metrics::register(&mut Registry::default()),
    };
    let running = Engine::<LiqoMachine>::start(options).await?;
    // The first one makes what every process has.
    send(&running.handle, 1).await?;
    running.handle.inbox().send_durably(Input::Observe(Vec::new())).await?;
    say("flooding an engine with updates of one object");
    let own = std::process::id();
    let (before, cpu, began) = (memory(own)?, cpu_seconds(own)?, std::time::Instant::now());
    for at in 2..=UPDATES {
        send(&running.handle, at).await?;
    }
    running.handle.inbox().send_durably(Input::Observe(Vec::new())).await?;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds(own)? - cpu);
    let after = memory(own)?;
    running.handle.stop();
    running.task.await??;
    Ok(Flooded { seconds, cpu, before, after })
}

async fn send(handle: &Handle<LiqoMachine>, at: u32) -> Result<()> {
    let container = ContainerFacts { name: "main".to_owned(), restarts: at, ..ContainerFacts::default() };
    let mut digest = [0; 16];
    digest[..4].copy_from_slice(&at.to_be_bytes());
    let applied = Applied {
        object: ObjectKey::local(Kind::Pod, "shop", "restless"),
        uid: "5b1cc9ad-7bbd-4f3a-9ac1-2f9d56a0c2d1".into(),
        resource_version: at.to_string().into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest(digest),
        facts: Facts::Pod(PodFacts { containers: vec![container], ..PodFacts::default() }),
        coalesced: 0,
    };
    Ok(handle.inbox().send(Input::Observe(vec![Event::Applied(applied)])).await?)
}

/// How many events the log has, the last update in it, and how many updates all of them stand for.
fn recorded(directory: &Path) -> Result<(f64, Option<u32>, u32)> {
    let log = SledLog::open(directory, liqo_log::Options::CONTROLLER, UnixMillis(0))?.log;
    let events = log.read(Seq::FIRST, usize::MAX)?;
    let (mut last, mut counted) = (None, 0);
    for envelope in &events {
        if let Event::Applied(applied) = envelope.open()?.event
            && let Facts::Pod(facts) = applied.facts
        {
            last = facts.containers.first().map(|container| container.restarts);
            counted += applied.coalesced + 1;
        }
    }
    Ok((events.len() as f64, last, counted))
}
