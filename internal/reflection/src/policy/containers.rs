//! Rules about containers, whatever list they are in.

use serde_json::Value;

use super::{Inspection, Rule, security};

const LISTS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];
/// Capabilities that container runtimes give without being asked. Source: Pod Security Standards, baseline.
const CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Where a container may name a request that its kubelet makes.
const PROBES: &[&str] =
    &["/livenessProbe", "/readinessProbe", "/startupProbe", "/lifecycle/postStart", "/lifecycle/preStop"];

pub(super) fn inspect(spec: &Value, inspection: &mut Inspection<'_>) {
    for list in LISTS {
        for (path, container) in inspection.list(spec, "spec.pod", list) {
            if inspection.fields(container, &path).is_some() {
                inspect_context(container, &path, inspection);
                inspect_ports(container, &path, inspection);
                inspect_probes(container, &path, inspection);
            }
        }
    }
}

fn inspect_context(container: &Value, path: &str, inspection: &mut Inspection<'_>) {
    let Some((path, context)) = inspection.map(container, path, "securityContext") else { return };
    inspection.flag(Rule::Privileged, context, &path, "privileged");
    inspection.one_of(Rule::ProcMount, context, (&path, "procMount"), &["Default"]);
    security::inspect(context, &path, inspection);
    let Some((path, capabilities)) = inspection.map(context, &path, "capabilities") else { return };
    for (path, added) in inspection.list(capabilities, &path, "add") {
        match added.as_str() {
            Some(name) if CAPABILITIES.contains(&name) => {}
            Some(_) => inspection.report(Rule::Capabilities, &path, "is more than container runtimes give"),
            None => inspection.malformed(&path, "a text"),
        }
    }
}

fn inspect_ports(container: &Value, path: &str, inspection: &mut Inspection<'_>) {
    for (path, port) in inspection.list(container, path, "ports") {
        inspection.zero(Rule::HostPorts, port, &path, "hostPort");
        inspection.one_of(Rule::HostPorts, port, (&path, "hostIP"), &[]);
    }
}

fn inspect_probes(container: &Value, path: &str, inspection: &mut Inspection<'_>) {
    for place in PROBES {
        let Some(probe) = container.pointer(place) else { continue };
        let path = format!("{path}{}", place.replace('/', "."));
        for action in ["httpGet", "tcpSocket"] {
            if let Some((path, action)) = inspection.map(probe, &path, action) {
                inspection.one_of(Rule::HostProbes, action, (&path, "host"), &[]);
            }
        }
    }
}
