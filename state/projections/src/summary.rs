//! One line for a person for each event. Not stable: programs read the event itself.

mod facts;
mod sharing;

use liqo_events::{
    Applied, CommandFailed, Deadline, Disposition, Effect, Event, GenerationChanged, LeaseGained, Proof,
    RelistCompleted, Settings, TunnelReported,
};

/// What happened, in one line without the time and the number of the event.
pub fn summary(event: &Event) -> String {
    match event {
        Event::Started(started) => {
            format!("process started: version {}, instance {}", started.version, started.instance)
        }
        Event::Applied(applied) => self::applied(applied),
        Event::Vanished(vanished) => format!("{} is gone: {}", vanished.object, proof(&vanished.proof)),
        Event::CursorMoved(moved) => {
            format!("watch {} is at version {}", moved.watch, moved.resource_version)
        }
        Event::RelistCompleted(completed) => relisted(completed),
        Event::GenerationChanged(changed) => generation_changed(changed),
        Event::DeadlinePassed(passed) => format!("time to {}", deadline(&passed.deadline)),
        Event::LeaseGained(gained) => lease_gained(gained),
        Event::LeaseLost(lost) => format!("lease of epoch {} lost: this process acts no more", lost.epoch),
        Event::OrphanNoticed(noticed) => {
            let kept =
                if noticed.held { "kept until it is released by hand" } else { "looked at again later" };
            format!("{}: no offloading wants the mapping of {}; {kept}", noticed.map, noticed.namespace)
        }
        Event::OrphanReleased(released) => {
            format!("{}: mapping of {} let go by hand", released.map, released.namespace)
        }
        Event::IdentityChosen(chosen) => format!("local identity chosen: {} ({})", chosen.name, chosen.id),
        Event::RemoteNamespaceChosen(chosen) => {
            format!("remote name of namespace {} chosen: {}", chosen.namespace, chosen.remote)
        }
        Event::Configured(configured) => self::configured(&configured.settings),
        Event::TunnelReported(report) => tunnel(report),
        Event::ServerProbed(probe) if probe.reachable => {
            format!("the API server of {} answers", probe.cluster)
        }
        Event::ServerProbed(probe) => {
            format!("the API server of {} does not answer: {}", probe.cluster, probe.trouble)
        }
        Event::SharingConfigured(rules) => sharing::rules(rules),
        Event::ShareReported(report) => sharing::report(report),
        Event::SubnetsChosen(chosen) => format!(
            "networks of {} chosen: pods {} for its {}, others {} for its {}",
            chosen.peer,
            chosen.used_pod_cidr,
            chosen.pod_cidr,
            chosen.used_external_cidr,
            chosen.external_cidr
        ),
        Event::SubnetsReleased(released) => format!("networks of {} given back", released.peer),
        Event::ExternalCidrChosen(chosen) => format!("external CIDR chosen: {}", chosen.cidr),
        Event::Rejected(rejected) => format!("{} rejected: {}", rejected.object, rejected.reason),
        Event::CommandIssued(issued) => {
            format!(
                "command {}: {}: {}",
                issued.command.id,
                issued.command.slot,
                effect(&issued.command.effect)
            )
        }
        Event::CommandSucceeded(done) => {
            let lost = if done.destructive { "; something in the peer was removed" } else { "" };
            let version = of_version(done.resource_version.as_str());
            format!("command {} done: {}{version}{lost}", done.id, done.slot)
        }
        Event::CommandSuperseded(done) => format!("command {} pointless: {}", done.id, done.reason),
        Event::CommandFailed(failed) => self::failed(failed),
    }
}

fn configured(settings: &Settings) -> String {
    match settings {
        Settings::ControlPlane(settings) => {
            let (pods, services) = (&settings.pod_cidr, &settings.service_cidr);
            format!("configured as the control plane: pods {pods}, services {services}")
        }
        Settings::Kubelet(settings) => format!("configured as virtual kubelet of {}", settings.remote_name),
    }
}

fn tunnel(report: &TunnelReported) -> String {
    if report.connected {
        let millis = f64::from(report.round_trip_micros) / 1000.0;
        format!("tunnel to {} connected, round trip {millis:.1} ms", report.peer)
    } else {
        format!("tunnel to {} not connected: {}", report.peer, report.trouble)
    }
}

fn applied(applied: &Applied) -> String {
    let deleting = if applied.deleting { ", being deleted" } else { "" };
    let coalesced = match applied.coalesced {
        0 => String::new(),
        count => format!(", stands for {count} earlier updates"),
    };
    let facts = facts::in_words(&applied.facts);
    let version = of_version(applied.resource_version.as_str());
    format!("{} seen{version}{deleting}{coalesced}{facts}", applied.object)
}

fn of_version(version: &str) -> String {
    if version.is_empty() { String::new() } else { format!(" at version {version}") }
}

fn proof(proof: &Proof) -> String {
    match proof {
        Proof::Deleted => "the watch saw its deletion".to_owned(),
        Proof::AbsentFromList { generation } => {
            format!("a complete list of cluster generation {generation} lacks it")
        }
    }
}

fn relisted(completed: &RelistCompleted) -> String {
    let differences = match completed.differences {
        0 => "nothing differed".to_owned(),
        1 => "1 difference".to_owned(),
        many => format!("{many} differences"),
    };
    format!("watch {} listed anew: {} objects, {differences}", completed.watch, completed.objects)
}

fn generation_changed(changed: &GenerationChanged) -> String {
    let GenerationChanged { cluster, generation, reason, .. } = changed;
    format!("cluster {cluster} is in generation {generation}: {reason}")
}

fn deadline(deadline: &Deadline) -> String {
    match deadline {
        Deadline::Retry(id) => format!("try command {id} again"),
        Deadline::Orphan { map, namespace } => format!("look again whether {map} still needs {namespace}"),
    }
}

fn lease_gained(gained: &LeaseGained) -> String {
    let how = if gained.continued { "renewed after a restart" } else { "gained" };
    format!("lease {how}: epoch {}", gained.epoch)
}

fn failed(failed: &CommandFailed) -> String {
    let next = match failed.disposition {
        Disposition::Retry { after_millis } => format!("again in {}", duration(after_millis)),
        Disposition::Park => "waits until its object changes".to_owned(),
    };
    format!("command {} failed, attempt {}, {next}: {}", failed.id, failed.attempt, failed.error)
}

/// Milliseconds below a second, else seconds with one decimal.
fn duration(millis: u64) -> String {
    if millis < 1000 {
        format!("{millis} ms")
    } else {
        format!("{}.{} s", millis / 1000, millis % 1000 / 100)
    }
}

/// What should be so.
fn effect(effect: &Effect) -> String {
    match effect {
        Effect::WriteIdentity { id, name } => format!("write identity {name} ({id})"),
        Effect::LabelForeignCluster { id, .. } => format!("label it with cluster ID {id}"),
        Effect::EnsureTenantNamespace { id } => format!("have the tenant namespace of {id}"),
        Effect::WriteForeignClusterStatus { conditions, .. } => {
            format!("write its status: {}", facts::conditions(conditions))
        }
        Effect::SetFinalizer { finalizer, present: true, .. } => format!("have finalizer {finalizer}"),
        Effect::SetFinalizer { finalizer, present: false, .. } => format!("drop finalizer {finalizer}"),
        Effect::SetScheduling { enabled: true, .. } => "switch scheduling to peers on".to_owned(),
        Effect::SetScheduling { enabled: false, .. } => "switch scheduling to peers off".to_owned(),
        Effect::MapNamespace { namespace, remote: Some(remote), .. } => {
            format!("map namespace {namespace} to {remote}")
        }
        Effect::MapNamespace { namespace, remote: None, cause, .. } => {
            format!("take the mapping of namespace {namespace} away, because of event {cause}")
        }
        Effect::WriteOffloadingStatus { phase, conditions, .. } => {
            format!("write its status: phase {phase}, {} peers", conditions.len())
        }
        Effect::Relist { watch } => format!("list watch {watch} anew"),
        Effect::Put { content } => format!("have it as {}{}", content.name(), sharing::promise(content)),
        Effect::PutStatus { .. } => "write its status".to_owned(),
        Effect::Delete { cause, .. } => format!("delete it, because of event {cause}"),
        Effect::Authenticate { name, auth_url, .. } => format!("have an identity at {name}, from {auth_url}"),
        Effect::Replicate { from, .. } => format!("have it as a copy of {from}"),
        Effect::ReplicateStatus { from, .. } => format!("take its status from the copy {from}"),
        Effect::Reflect { from, .. } => format!("reflect {from}"),
        Effect::MirrorStatus { from, .. } => format!("take its status from {from}"),
        Effect::Materialize { from, .. } => format!("make what {from} stands for"),
        Effect::ApproveSigning { .. } => "approve it".to_owned(),
        Effect::SetOwner { owner, .. } => format!("let it belong to ForeignCluster {}", owner.name),
        Effect::SetEnrolled { peer, enrolled: true, .. } => format!("say that {peer} uses what it holds"),
        Effect::SetEnrolled { peer, enrolled: false, .. } => format!("say that {peer} uses it no more"),
    }
}

#[cfg(test)]
mod tests;
