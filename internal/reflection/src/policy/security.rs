//! Rules about security contexts, of the pod and of its containers alike.

use serde_json::Value;

use super::{Inspection, Rule};
use crate::names::APP_ARMOR_PREFIX;

/// Types of SELinux that containers get anyway. Source: Pod Security Standards, baseline.
const SE_LINUX_TYPES: &[&str] = &["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
/// Profiles of seccomp and AppArmor that confine.
const PROFILES: &[&str] = &["RuntimeDefault", "Localhost"];

pub(super) fn inspect(context: &Value, path: &str, inspection: &mut Inspection<'_>) {
    if let Some((path, options)) = inspection.map(context, path, "windowsOptions") {
        inspection.flag(Rule::HostProcess, options, &path, "hostProcess");
    }
    if let Some((path, options)) = inspection.map(context, path, "seLinuxOptions") {
        inspection.one_of(Rule::SeLinux, options, (&path, "type"), SE_LINUX_TYPES);
        inspection.one_of(Rule::SeLinux, options, (&path, "user"), &[]);
        inspection.one_of(Rule::SeLinux, options, (&path, "role"), &[]);
    }
    if let Some((path, profile)) = inspection.map(context, path, "seccompProfile") {
        inspection.one_of(Rule::Seccomp, profile, (&path, "type"), PROFILES);
    }
    if let Some((path, profile)) = inspection.map(context, path, "appArmorProfile") {
        inspection.one_of(Rule::AppArmor, profile, (&path, "type"), PROFILES);
    }
}

/// The way to name AppArmor profiles before there was a field for it, which still works.
pub(super) fn inspect_annotations(shadow: &Value, inspection: &mut Inspection<'_>) {
    let annotations = shadow.pointer("/metadata/annotations").and_then(Value::as_object);
    for (key, profile) in
        annotations.into_iter().flatten().filter(|(key, _)| key.starts_with(APP_ARMOR_PREFIX))
    {
        let profile = profile.as_str().unwrap_or_default();
        if profile != "runtime/default" && !profile.starts_with("localhost/") {
            let path = format!("metadata.annotations[{key}]");
            inspection.report(Rule::AppArmor, &path, "is neither runtime/default nor localhost/…");
        }
    }
}
