//! A process to be measured: an engine, and kube-io when there is an API server. It prints a line when it can decide, and
//! one for each line that it reads.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use futures::future::join_all;
use liqo_domain::LiqoMachine;
use liqo_engine::{
    Actuator, Authority, Engine, Handle, Input, LogVolume, Options, Outcome, Running, SystemClock,
};
use liqo_events::{Command, Event, LeaseGained, Seq, Started};
use liqo_kube_io::lease::LeaseGuard;
use liqo_kube_io::watch::{WatchHandle, Watches};
use liqo_kube_io::{self as kube_io, Chance, Claim, Local};
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::process::cpu_seconds;
use crate::world::{INSTANCE, NAMESPACE, targets};

/// What to run with.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The volume of the log.
    #[arg(long)]
    log: PathBuf,
    /// The API server; without one only the engine runs.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
}

/// What the process says when it can decide.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// Milliseconds from the start of the process until the state and all cursors were there.
    pub(crate) knows_millis: f64,
    /// Of that, what opening and folding the log took.
    pub(crate) fold_millis: f64,
    /// Seconds of processor time that it took.
    pub(crate) fold_cpu_seconds: f64,
    /// Milliseconds until it was live: it has the lease, and its watches have caught up.
    pub(crate) live_millis: f64,
    /// Of processor time until then.
    pub(crate) cpu_seconds: f64,
    /// Events folded, those of the snapshot not counted.
    pub(crate) replayed: u64,
    pub(crate) objects: usize,
    pub(crate) cursors: usize,
    /// Whether the lease of the process before was continued, so that nothing had to be listed.
    pub(crate) continued: bool,
    /// The counters of kube-io.
    pub(crate) counters: BTreeMap<String, f64>,
}

/// What became of a list of everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Relisted {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// Events appended meanwhile, by kind.
    pub(crate) events: BTreeMap<String, u64>,
    pub(crate) counters: BTreeMap<String, f64>,
}

/// Does nothing, and may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle;

impl Actuator for Idle {
    async fn act(&self, _: &Command, _: u32) -> Outcome {
        Outcome::Superseded { reason: "nothing is done here".to_owned() }
    }
}

impl Authority for Idle {
    fn may_act(&self) -> bool {
        true
    }
}

/// The first event of a process.
pub(crate) fn started() -> Result<Started> {
    Ok(kube_io::started(INSTANCE, NAMESPACE, "rome")?)
}

/// Runs until standard input ends. `began` is when the process did.
pub(crate) fn run(arguments: &Arguments, began: Instant) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &arguments.kubeconfig {
            Some(kubeconfig) => with_server(arguments, kubeconfig, began).await,
            None => alone(arguments, began).await,
        }
    })
}

/// An engine that is told that it leads.
async fn alone(arguments: &Arguments, began: Instant) -> Result<()> {
    let (running, mut hello) =
        start(arguments, Idle, Arc::new(Idle), (&mut Registry::default(), began)).await?;
    let inbox = running.handle.inbox();
    let gained = LeaseGained { epoch: 2, continued: true };
    inbox.send(Input::Observe(vec![Event::LeaseGained(gained)])).await?;
    inbox.send_durably(Input::GoLive { epoch: 2 }).await?;
    hello.live(began)?;
    say(&hello)?;
    let asked = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    asked.await?;
    Ok(())
}

/// The wiring of the controller manager, with a watch of pods.
async fn with_server(arguments: &Arguments, kubeconfig: &std::path::Path, began: Instant) -> Result<()> {
    let mut registry = Registry::default();
    let mut chance = Chance::seeded(7);
    let local = Local::connect(Some(kubeconfig), NAMESPACE, &mut registry, chance.split()).await?;
    let guard = LeaseGuard::new();
    let authority = Arc::new(guard.clone());
    let (running, mut hello) = start(arguments, local.writer(), authority, (&mut registry, began)).await?;
    let (handle, recovery) = (running.handle.clone(), &running.recovery);
    let may_continue = !recovery.is_empty() && !recovery.relist_all;
    let life = local.life(&handle).await?;
    let claim =
        Claim { holder: INSTANCE.into(), may_continue, life: Arc::clone(&life), chance: chance.split() };
    let lease = local.keep_lease(claim, guard, handle.inbox(), std::future::pending());
    let _lease = tokio::spawn(lease);
    let session = local.session(life, recovery.relist_all);
    let watches = session.watches.clone();
    let _watching = session.start(&handle, targets(), chance).await?;
    handle.subscribe().wait_for(|now| now.live).await?;
    hello.live(began)?;
    hello.continued = handle.read(|state| state.lease.continued).await?;
    hello.counters = counters(&registry)?;
    say(&hello)?;
    answer(&handle, &watches, &registry).await
}

/// Starts the engine, and tells what it took until everything was known.
async fn start<A: Actuator>(
    arguments: &Arguments,
    actuator: A,
    authority: Arc<dyn Authority>,
    (registry, began): (&mut Registry, Instant),
) -> Result<(Running<LiqoMachine>, Hello)> {
    let options = Options {
        log: Box::new(LogVolume::new(&arguments.log, liqo_log::Options::CONTROLLER, Arc::new(SystemClock))),
        started: started()?,
        actuator,
        authority,
        clock: Arc::new(SystemClock),
        metrics: liqo_engine::Metrics::register(registry),
    };
    let (folding, cpu) = (Instant::now(), cpu_seconds(std::process::id())?);
    let running = Engine::<LiqoMachine>::start(options).await?;
    let known = running.handle.read(|state| (state.objects.len(), state.cursors.iter().count())).await?;
    let hello = Hello {
        knows_millis: millis(began),
        fold_millis: millis(folding),
        fold_cpu_seconds: cpu_seconds(std::process::id())? - cpu,
        replayed: running.recovery.replayed,
        objects: known.0,
        cursors: known.1,
        ..Hello::default()
    };
    Ok((running, hello))
}

impl Hello {
    fn live(&mut self, began: Instant) -> Result<()> {
        self.live_millis = millis(began);
        self.cpu_seconds = cpu_seconds(std::process::id())?;
        Ok(())
    }
}

/// Lists everything anew for each line that comes.
async fn answer(handle: &Handle<LiqoMachine>, watches: &Watches, registry: &Registry) -> Result<()> {
    loop {
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next()).await?;
        if line.transpose()?.is_none() {
            return Ok(());
        }
        let from = durable(handle).await?.next();
        let (began, cpu) = (Instant::now(), cpu_seconds(std::process::id())?);
        let all = watches.all();
        let listed = join_all(all.iter().map(WatchHandle::relist)).await;
        listed.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
        durable(handle).await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu_seconds = cpu_seconds(std::process::id())? - cpu;
        let (events, counters) = (appended(handle, from).await?, counters(registry)?);
        say(&Relisted { seconds, cpu_seconds, events, counters })?;
    }
}

/// The last event, when everything that was sent is durable.
async fn durable(handle: &Handle<LiqoMachine>) -> Result<Seq> {
    Ok(handle.inbox().send_durably(Input::Observe(Vec::new())).await?)
}

async fn appended(handle: &Handle<LiqoMachine>, mut from: Seq) -> Result<BTreeMap<String, u64>> {
    let mut events = BTreeMap::new();
    loop {
        let page = handle.history(from, 1024).await?;
        let Some(last) = page.last() else { return Ok(events) };
        from = last.seq.next();
        for envelope in &page {
            let kind = Event::kind_name(envelope.kind).unwrap_or("unknown");
            *events.entry(kind.to_owned()).or_default() += 1;
        }
    }
}

/// What kube-io counts, by the text of name and labels.
fn counters(registry: &Registry) -> Result<BTreeMap<String, f64>> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    let lines = text.lines().filter(|line| line.starts_with("liqo_kube_"));
    Ok(lines
        .filter_map(|line| {
            line.rsplit_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        })
        .collect())
}

fn say<T: Serialize>(value: &T) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    Ok(out.flush()?)
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}
