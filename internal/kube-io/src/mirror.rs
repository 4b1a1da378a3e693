//! The status of a pod in the provider, shown by the pod at home.

use liqo_model::{NamespaceName, ObjectKey};
use liqo_reflection::kinds::pod;
use liqo_reflection::kinds::pod_status::{self, HomeStatus};
use serde_json::Value;

use crate::reflect::{Reflections, elsewhere};
use crate::write::Step;

/// What is to be done about the pod at home, `object`, after the one in the provider, `source`. Its label that it runs
/// elsewhere goes with the same request. `between` are their names.
pub(crate) fn step(
    reflections: &Reflections,
    between: (&ObjectKey, &ObjectKey),
    source: &Value,
    object: &Value,
) -> Step {
    let (from, key) = between;
    let Some(reflecting) = &reflections.0 else { return elsewhere(key) };
    let namespace = NamespaceName::new(from.namespace.as_str());
    let status =
        reflecting.within(&namespace, |context| pod_status::home_status(object, Some(source), None, context));
    match status {
        Ok(HomeStatus::Keep(_) | HomeStatus::RunsAgain) => Step::Nothing,
        Ok(HomeStatus::Status { status, .. }) => {
            let Some(mut patch) = pod_status::status_patch(object, &status) else { return Step::Nothing };
            if let Some(mark) = pod::home_mark(object) {
                patch["metadata"] = mark["metadata"].clone();
            }
            Step::PatchStatus(patch)
        }
        Err(error) if error.is_passing() => Step::Later(error.to_string()),
        Err(error) => Step::Park(error.to_string()),
    }
}
