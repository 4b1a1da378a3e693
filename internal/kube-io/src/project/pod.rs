//! Pods.

use liqo_events::{ContainerFacts, ContainerPhase, Facts, Owner, PodFacts};
use liqo_model::crd::Quantity;
use serde_json::Value;

use super::fields::{Fields, Read};

/// Billionths of a unit in a thousandth and in a whole.
const MILLI: i128 = 1_000_000;
const WHOLE: i128 = 1_000_000_000;

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let containers = object.items("spec.containers")?;
    let ips = object.items("status.podIPs")?;
    Ok(Facts::Pod(PodFacts {
        node: object.named("spec.nodeName")?,
        phase: object.named("status.phase")?,
        reason: object.named("status.reason")?,
        containers: states(object, &containers)?,
        pod_ips: ips.iter().map(|ip| ip.text("ip").map(str::to_owned)).collect::<Read<_>>()?,
        host_ip: object.named("status.hostIP")?,
        cpu_millis: requests(&containers, "cpu", MILLI)?,
        memory_bytes: requests(&containers, "memory", WHOLE)?,
        owner: owner(object)?,
        labels: object.texts("metadata.labels")?,
        ..PodFacts::default()
    }))
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

/// The sum of a request over the containers, in units of `unit` billionths, rounded up.
fn requests(containers: &[Fields<'_>], resource: &str, unit: i128) -> Read<u64> {
    let path = format!("resources.requests.{resource}");
    let mut billionths = 0_i128;
    for container in containers {
        let spelling = match container.any(&path)? {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(container.refuse(&path, "is no quantity")),
        };
        let amount = Quantity::from(spelling.as_str()).billionths().filter(|amount| *amount >= 0);
        let amount = amount.ok_or_else(|| container.refuse(&path, "is no quantity"))?;
        billionths = billionths.saturating_add(amount);
    }
    let whole = billionths / unit + i128::from(billionths % unit != 0);
    Ok(u64::try_from(whole).unwrap_or(u64::MAX))
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
