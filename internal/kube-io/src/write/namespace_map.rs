//! One mapping among those of a NamespaceMap.

use liqo_model::NamespaceName;
use serde_json::{Value, json};

use super::step::Step;

pub(super) fn step(namespace: &NamespaceName, remote: Option<&NamespaceName>) -> Step {
    let remote = remote.map_or(Value::Null, |remote| json!(remote.as_str()));
    Step::Patch(json!({"spec": {"desiredMapping": {namespace.as_str(): remote}}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mapping_is_written_or_taken_away() {
        let patch = |remote| Step::Patch(json!({"spec": {"desiredMapping": {"shop": remote}}}));
        assert_eq!(step(&"shop".into(), Some(&"shop-rome".into())), patch(json!("shop-rome")));
        assert_eq!(step(&"shop".into(), None), patch(Value::Null));
    }
}
