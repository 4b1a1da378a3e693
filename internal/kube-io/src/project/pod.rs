//! Pods.

use liqo_api::labels;
use liqo_events::{ContainerFacts, ContainerPhase, Facts, Owner, PodFacts, Reflection};

use super::fields::{Fields, Read};
use super::requests::{in_units, requests};
use super::{Reader, reflection};

/// Billionths of a unit in a thousandth and in a whole.
const MILLI: i128 = 1_000_000;
const WHOLE: i128 = 1_000_000_000;

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    let containers = object.items("spec.containers")?;
    let ips = object.items("status.podIPs")?;
    let mut asked = requests(object)?;
    let mut ask = |resource, unit| asked.remove(resource).map_or(0, |amount| in_units(amount, unit));
    let (cpu_millis, memory_bytes) = (ask("cpu", MILLI), ask("memory", WHOLE));
    let others = asked.into_iter().map(|(resource, amount)| (resource, in_units(amount, MILLI)));
    Ok(Facts::Pod(PodFacts {
        node: object.named("spec.nodeName")?,
        phase: object.named("status.phase")?,
        reason: object.named("status.reason")?,
        containers: states(object, &containers)?,
        pod_ips: ips.iter().map(|ip| ip.text("ip").map(str::to_owned)).collect::<Read<_>>()?,
        host_ip: object.named("status.hostIP")?,
        cpu_millis,
        memory_bytes,
        owner: owner(object)?,
        labels: object.texts("metadata.labels")?,
        ready: object.condition_holds("Ready")?,
        content: object.digests().content(object.body()),
        status: object.digests().part(&object.body()["status"]),
        reflection: in_reflection(object)?,
        requests: others.filter(|(_, amount)| *amount > 0).collect(),
    }))
}

/// Most pods are neither copied nor copies; those that may be say so in some label or annotation.
fn in_reflection(object: &Reader<'_>) -> Read<Option<Box<Reflection>>> {
    let read = reflection::read(object)?;
    let marked = !read.origin.is_empty()
        || !read.destination.is_empty()
        || !read.managed_by.is_empty()
        || !read.home_uid.is_empty()
        || read.skipped
        || object.has_label(labels::LOCAL_POD)?;
    Ok(marked.then(|| Box::new(read)))
}

/// Each container of the spec, in its order, with what its status says of it.
fn states(object: &Fields<'_>, containers: &[Fields<'_>]) -> Read<Vec<ContainerFacts>> {
    let mut states: Vec<ContainerFacts> = Vec::with_capacity(containers.len());
    for container in containers {
        states.push(ContainerFacts { name: container.named("name")?, ..ContainerFacts::default() });
    }
    for status in object.items("status.containerStatuses")? {
        let name = status.text("name")?;
        if let Some(state) = states.iter_mut().find(|state| state.name == name) {
            fill(state, &status)?;
        }
    }
    Ok(states)
}

fn fill(state: &mut ContainerFacts, status: &Fields<'_>) -> Read<()> {
    state.ready = status.flag("ready", false)?;
    state.restarts = u32::try_from(status.number("restartCount")?).unwrap_or_default();
    if status.any("state.running")?.is_object() {
        state.phase = ContainerPhase::Running;
    } else if status.any("state.terminated")?.is_object() {
        let code = status.number("state.terminated.exitCode")?;
        state.phase = ContainerPhase::Terminated(i32::try_from(code).unwrap_or(i32::MAX));
        state.reason = status.named("state.terminated.reason")?;
    } else {
        state.reason = status.named("state.waiting.reason")?;
    }
    Ok(())
}

fn owner(object: &Fields<'_>) -> Read<Option<Owner>> {
    for owner in object.items("metadata.ownerReferences")? {
        if owner.flag("controller", false)? {
            let (kind, name) = (owner.named("kind")?, owner.named("name")?);
            return Ok(Some(Owner { kind, name, uid: owner.named("uid")? }));
        }
    }
    Ok(None)
}
