//! NamespaceOffloadings: one a namespace, and what never changes in it.

use liqo_domain::{Strategies, offloading_violation, offloading_warning};

use super::{old_text, text};
use crate::answer::{Admission, Refusal};
use crate::review::Request;

const MAPPING: &[&str] = &["spec", "namespaceMappingStrategy"];
const PODS: &[&str] = &["spec", "podOffloadingStrategy"];
const DEFAULT_MAPPING: &str = "DefaultName";
const DEFAULT_PODS: &str = "LocalAndRemote";

pub(super) fn judge(request: &Request) -> Result<Admission, Refusal> {
    let (old, new) = (&request.old_object, &request.object);
    let before = (request.operation == "UPDATE").then(|| Strategies {
        mapping: old_text(old, MAPPING, DEFAULT_MAPPING),
        pods: old_text(old, PODS, DEFAULT_PODS),
    });
    let now =
        Strategies { mapping: text(new, MAPPING, DEFAULT_MAPPING)?, pods: text(new, PODS, DEFAULT_PODS)? };
    // The name of a new object may be in its body alone.
    let name = request.name.as_deref().filter(|name| !name.is_empty());
    let name = name.map_or_else(|| text(new, &["metadata", "name"], ""), Ok)?;
    if let Some(forbidden) = offloading_violation(name, before, now) {
        return Err(forbidden.into());
    }
    Ok(Admission { warning: offloading_warning(before, now), ..Admission::unchanged() })
}
