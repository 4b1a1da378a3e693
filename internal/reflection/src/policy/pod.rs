//! Rules about the pod as a whole.

use serde_json::Value;

use super::{Inspection, Rule, security};
use crate::names::DEFAULT_SERVICE_ACCOUNT;

/// Path of the pod in a ShadowPod.
const POD: &str = "spec.pod";
/// The scheduler that every cluster has.
const DEFAULT_SCHEDULER: &str = "default-scheduler";
/// Kernel parameters that belong to the pod alone. Source: Pod Security Standards, baseline.
const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

pub(super) fn inspect(spec: &Value, inspection: &mut Inspection<'_>) {
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        inspection.flag(Rule::HostNamespaces, spec, POD, key);
    }
    if let Some((path, context)) = inspection.map(spec, POD, "securityContext") {
        security::inspect(context, &path, inspection);
        for (path, sysctl) in inspection.list(context, &path, "sysctls") {
            inspection.one_of(Rule::Sysctls, sysctl, (&path, "name"), SAFE_SYSCTLS);
        }
    }
    for key in ["serviceAccountName", "serviceAccount"] {
        inspection.one_of(Rule::ServiceAccounts, spec, (POD, key), &[DEFAULT_SERVICE_ACCOUNT]);
    }
    if spec.get("automountServiceAccountToken") != Some(&Value::Bool(false)) {
        let path = format!("{POD}.automountServiceAccountToken");
        inspection.report(Rule::Tokens, &path, "is not false, so the pod would get a token of this cluster");
    }
    inspection.one_of(Rule::Scheduling, spec, (POD, "nodeName"), &[]);
    inspection.one_of(Rule::Scheduling, spec, (POD, "schedulerName"), &[DEFAULT_SCHEDULER]);
    inspection.one_of(Rule::Priorities, spec, (POD, "priorityClassName"), &[]);
    inspection.zero(Rule::Priorities, spec, POD, "priority");
    inspection.one_of(Rule::RuntimeClasses, spec, (POD, "runtimeClassName"), &[]);
}
