//! The status of a ForeignCluster.

use liqo_events::Condition;
use liqo_model::NamespaceName;
use serde_json::{Map, Value, json};

use super::status_conditions;
use super::step::Step;

pub(super) fn status(
    tenant_local: &NamespaceName,
    tenant_remote: &NamespaceName,
    conditions: &[Condition],
    object: &Value,
) -> Step {
    let conditions = status_conditions::list(conditions, &object["status"]["peeringConditions"]);
    let mut tenant = Map::new();
    for (key, name) in [("local", tenant_local), ("remote", tenant_remote)] {
        if !name.is_empty() {
            tenant.insert(key.to_owned(), json!(name.as_str()));
        }
    }
    // The map has to be there even when it is empty: Go writes it always, and readers rely on it.
    Step::PatchStatus(json!({
        "status": {"tenantNamespace": tenant, "peeringConditions": conditions},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Condition {
        Condition { kind: "NetworkStatus".to_owned(), status: "Pending".to_owned(), ..Condition::default() }
    }

    #[test]
    fn only_the_tenants_and_the_conditions_are_written() {
        let conditions = json!([{"type": "NetworkStatus", "status": "Pending"}]);
        let expected = json!({"status": {"tenantNamespace": {"local": "liqo-tenant-milan", "remote": "liqo-tenant-rome"}, "peeringConditions": conditions}});
        assert_eq!(
            status(&"liqo-tenant-milan".into(), &"liqo-tenant-rome".into(), &[pending()], &Value::Null),
            Step::PatchStatus(expected)
        );
        let expected = json!({"status": {"tenantNamespace": {}, "peeringConditions": conditions}});
        assert_eq!(status(&"".into(), &"".into(), &[pending()], &Value::Null), Step::PatchStatus(expected));
    }
}
