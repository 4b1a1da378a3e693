//! What needs a real API server: memory of watched pods, lists that find nothing, restarts without a list.

mod pods;
mod server;

use std::collections::BTreeMap;
use std::path::Path;

use tokio::runtime::Runtime;

use crate::child::{self, Child};
use crate::process::Memory;
use crate::restart::{GOAL, OBJECTS};
use crate::row::{Goal, emit};
use crate::serve::Relisted;
use crate::world::targets;
use crate::{Result, journal, say};
use server::Server;

/// A process that watches nothing to speak of.
const FLOOR_MIB: f64 = 25.0;
/// What a watched pod may take on top.
const POD_KIB: f64 = 2.0;
/// How often a restart is tried before the lease is given up.
const RESTARTS: u32 = 3;
/// Replay against a list of the same objects.
const FASTER: f64 = 5.0;

pub(crate) fn run(kubeconfig: &Path, pods: u32) -> Result<()> {
    let runtime: Runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let directory = tempfile::tempdir()?;
    let server = runtime.block_on(Server::connect(kubeconfig))?;
    let known = directory.path().join("known");
    let home = runtime.block_on(server.home())?;
    say(&format!("writing the log of {OBJECTS} objects"));
    child::journal(&journal::Arguments {
        log: known.clone(),
        objects: OBJECTS,
        uid: home.uid,
        version: home.version,
    })?;
    let floor = floor(&directory.path().join("empty"), kubeconfig)?;
    say("restarting with a log of them");
    restart(&known, kubeconfig)?;

    say(&format!("creating {pods} pods"));
    let created = runtime.block_on(pods::create(&server, pods))?;
    emit("pods: bytes of one on the wire", created.bytes, "B", None);
    emit("pods: of that managedFields", created.managed_fields, "B", None);
    let log = directory.path().join("pods");
    let mut watched = watch(&log, kubeconfig, pods)?;
    remember("after the first list", watched.settled_memory()?, (&floor, pods));
    let relisted = resync(&mut watched, &runtime, &server, pods)?;
    let memory = watched.settled_memory()?;
    remember("after another list", memory, (&floor, pods));
    emit("memory: the most it ever was", memory.peak / 1024.0, "MiB", None);
    drop(watched);
    let restarted = replay(&log, kubeconfig, &relisted)?;
    remember("after a restart", restarted.settled_memory()?, (&floor, pods));
    Ok(())
}

/// Says what a process takes that watches pods.
fn remember(when: &str, memory: Memory, (floor, pods): (&Memory, u32)) {
    let pods = f64::from(pods);
    let most = Goal::AtMost(FLOOR_MIB + pods * POD_KIB / 1024.0);
    emit(format!("memory: all pods, {when}"), memory.resident / 1024.0, "MiB", most);
    let pod = (memory.resident - floor.resident) / pods;
    emit(format!("memory: a pod, {when}"), pod, "KiB", Goal::AtMost(POD_KIB));
}

/// The process with nothing to watch.
fn floor(log: &Path, kubeconfig: &Path) -> Result<Memory> {
    say("watching nothing");
    let floor = Child::serve(log, Some(kubeconfig))?.settled_memory()?;
    let goal = Goal::AtMost(FLOOR_MIB);
    emit("memory: without pods", floor.resident / 1024.0, "MiB", goal);
    emit("memory: without pods, heap and stacks alone", floor.anonymous / 1024.0, "MiB", None);
    Ok(floor)
}

/// A container that is restarted: the process before it holds a lease that lasts some seconds more. On a machine that
/// does other things those may pass, and then everything is listed by design; so it is tried again.
fn restart(known: &Path, kubeconfig: &Path) -> Result<()> {
    for attempt in 1..=RESTARTS {
        let log = known.with_extension(attempt.to_string());
        copy(known, &log)?;
        drop(Child::serve(&known.with_extension("before"), Some(kubeconfig))?);
        let restarted = Child::serve(&log, Some(kubeconfig))?;
        if restarted.hello.continued || attempt == RESTARTS {
            return report(&restarted);
        }
        say("the lease ended before the restart did; once more");
    }
    Ok(())
}

fn report(restarted: &Child) -> Result<()> {
    let hello = &restarted.hello;
    emit("restart at a server: state and cursors known", hello.knows_millis / 1000.0, "s", GOAL);
    emit("restart at a server: live, lease and watches included", hello.live_millis / 1000.0, "s", GOAL);
    emit("restart at a server: processor time until then", hello.cpu_seconds, "CPU-s", None);
    let (relists, lists) =
        (sum(&hello.counters, "relists", ""), sum(&hello.counters, "requests", "verb=\"list\""));
    emit("restart at a server: complete lists", relists, "lists", Goal::AtMost(0.0));
    let probes = targets().len() as f64;
    emit("restart at a server: list requests, each of 1 object", lists, "requests", Goal::AtMost(probes));
    if hello.objects < OBJECTS as usize {
        return Err(format!("only {} objects are known after the restart", hello.objects).into());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.metadata()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A process that sees all pods for the first time.
fn watch(log: &Path, kubeconfig: &Path, pods: u32) -> Result<Child> {
    say("watching them");
    let watched = Child::serve(log, Some(kubeconfig))?;
    let per_object = watched.hello.cpu_seconds * 1e6 / f64::from(pods);
    emit("first list: processor time of an object", per_object, "µs", None);
    Ok(watched)
}

/// A list of what is known. Gives what it took.
fn resync(watched: &mut Child, runtime: &Runtime, server: &Server, pods: u32) -> Result<Relisted> {
    say("listing what is known");
    let before = runtime.block_on(server.counted())?;
    let relisted = watched.relist()?;
    let after = runtime.block_on(server.counted())?;
    let expected = |kind: &str| matches!(kind, "CursorMoved" | "RelistCompleted");
    let (marks, news): (Vec<_>, Vec<_>) = relisted.events.iter().partition(|(kind, _)| expected(kind));
    let count = |events: Vec<(&String, &u64)>| events.into_iter().map(|(_, count)| *count as f64).sum();
    emit("resync: events but cursors and completions", count(news), "events", Goal::AtMost(0.0));
    emit("resync: cursors and completions", count(marks), "events", None);
    let writes = after.writes - before.writes;
    emit("resync: writes at the API server, leases left out", writes, "writes", Goal::AtMost(0.0));
    let per_object = |seconds: f64| seconds * 1e6 / f64::from(pods);
    emit("resync: processor time of an object, here", per_object(relisted.cpu_seconds), "µs", None);
    let theirs = after.cpu_seconds - before.cpu_seconds;
    emit("resync: processor time of an object, API server", per_object(theirs), "µs", None);
    Ok(relisted)
}

/// The same objects out of the log, after a crash.
fn replay(log: &Path, kubeconfig: &Path, relisted: &Relisted) -> Result<Child> {
    say("restarting instead of listing");
    let restarted = Child::serve(log, Some(kubeconfig))?;
    let hello = &restarted.hello;
    emit("relist: seconds", relisted.seconds, "s", None);
    emit("replay of the same objects: seconds", hello.fold_millis / 1000.0, "s", None);
    let goal = Goal::AtLeast(FASTER);
    emit("relist ÷ replay, seconds", relisted.seconds * 1000.0 / hello.fold_millis, "", goal);
    let cpu = relisted.cpu_seconds / hello.fold_cpu_seconds.max(0.01);
    emit("relist ÷ replay, processor time of this process alone", cpu, "", None);
    Ok(restarted)
}

/// The sum of a counter of kube-io over the series whose labels hold a text.
fn sum(counters: &BTreeMap<String, f64>, name: &str, label: &str) -> f64 {
    let prefix = format!("liqo_kube_{name}_total");
    let series = counters.iter().filter(|(series, _)| series.starts_with(&prefix) && series.contains(label));
    series.map(|(_, value)| value).sum()
}
