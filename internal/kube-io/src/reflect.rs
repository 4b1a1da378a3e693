//! Copies of objects of the home cluster in the provider.

use liqo_model::{Kind, NamespaceName, ObjectKey};
use liqo_reflection::{REFLECTORS, Reflector, Transform};
use serde_json::Value;

use crate::reflecting::Reflecting;
use crate::write::{Step, forged};

/// What a virtual kubelet knows beside the objects that it copies; nothing in other processes.
#[derive(Clone, Debug, Default)]
pub struct Reflections(pub Option<Reflecting>);

/// What is to be done about a copy: `object` as it is in the provider, `source` at home. `between` are their names.
pub(crate) fn step(
    reflections: &Reflections,
    between: (&ObjectKey, &ObjectKey),
    source: &Value,
    object: Option<&Value>,
) -> Step {
    let (from, key) = between;
    let Some(reflecting) = &reflections.0 else { return elsewhere(from) };
    let Some((reflector, transform)) = of(from.kind) else {
        return Step::Park(format!("{from}: its kind is not reflected by this version"));
    };
    let namespace = NamespaceName::new(key.namespace.as_str());
    match reflecting.within(&namespace, |context| transform(source, object, context)) {
        Ok(forged) => forged::step(key, forged, object, reflector.fields),
        // What is missing is the tunnel, which comes; what cannot be read stays so until somebody changes it.
        Err(error) if error.is_passing() => Step::Later(error.to_string()),
        Err(error) => Step::Park(error.to_string()),
    }
}

/// Only a virtual kubelet knows how.
pub(crate) fn elsewhere(key: &ObjectKey) -> Step {
    Step::Park(format!("{key} is not for this process"))
}

fn of(kind: Kind) -> Option<(&'static Reflector, Transform)> {
    let reflector = REFLECTORS.iter().find(|reflector| reflector.home.kind == kind.as_str())?;
    Some((reflector, reflector.transform?))
}
