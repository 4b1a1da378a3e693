//! Tests of differences.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What an API server does with a merge patch. Source: RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in fields {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

fn merged(existing: &Value, patch: Option<&Value>) -> Value {
    let mut result = existing.clone();
    if let Some(patch) = patch {
        merge(&mut result, patch);
    }
    result
}

fn object(labels: Value, annotations: Value) -> Value {
    json!({"metadata": {"labels": labels, "annotations": annotations}})
}

fn record(labels: &[&str], annotations: &[&str]) -> Value {
    json!({(REFLECTED_KEYS): json!({"annotations": annotations, "labels": labels}).to_string()})
}

#[test]
fn a_label_that_is_gone_at_home_goes_and_one_of_others_stays() {
    let existing = object(json!({"app": "a", "old": "x", "theirs": "y"}), record(&["app", "old"], &[]));
    let wanted = object(json!({"app": "b"}), record(&["app"], &[]));
    let expected = json!({"metadata": {
        "labels": {"app": "b", "old": null},
        "annotations": record(&["app"], &[]),
    }});
    assert_eq!(patch(&existing, &wanted, &[]), Some(expected));
    let without = object(json!({"app": "a"}), record(&["app"], &["note"]));
    assert_eq!(
        patch(&without, &object(json!({}), json!({})), &[]),
        Some(json!({"metadata": {"labels": {"app": null}, "annotations": {(REFLECTED_KEYS): null}}}))
    );
}

#[test]
fn an_object_without_a_record_loses_nothing() {
    let existing = object(json!({"old": "x"}), json!({"note": "y"}));
    assert_eq!(patch(&existing, &object(json!({"old": "x"}), json!({})), &[]), None);
}

#[test]
fn a_new_time_stamp_alone_is_not_written_and_goes_along_with_other_changes() {
    let at = |time: &str, app: &str| object(json!({"app": app}), json!({(LAST_CHANGE_TRIGGER_TIME): time}));
    assert_eq!(patch(&at("1", "a"), &at("2", "a"), &[]), None);
    let expected = object(json!({"app": "b"}), json!({(LAST_CHANGE_TRIGGER_TIME): "2"}));
    assert_eq!(patch(&at("1", "a"), &at("2", "b"), &[]), Some(expected));
}

#[test]
fn modes_say_how_far_a_field_is_ours() {
    let by_port = Mode::Elements(&["port"]);
    let by_kind = Mode::Members(&["type"], &["at"]);
    for (mode, existing, wanted, expected) in [
        (Mode::Whole, json!({"a": "1", "b": "2"}), json!({"a": "1"}), json!({"b": null})),
        (Mode::Whole, json!({"a": {}}), json!({}), json!(null)),
        (Mode::Whole, json!({"a": {"emptyDir": {}}}), json!({"a": {}}), json!({"a": {"emptyDir": null}})),
        (Mode::Given, json!({"a": 1, "b": 2}), json!({"a": 2}), json!({"a": 2})),
        (Mode::Given, json!([{"a": 1, "b": 2}]), json!([{"a": 2}]), json!([{"a": 2}])),
        (
            by_port,
            json!([{"port": 1, "nodePort": 30_001}, {"port": 2}]),
            json!([{"port": 1, "name": "a"}]),
            json!([{"port": 1, "nodePort": 30_001, "name": "a"}]),
        ),
        (
            by_kind,
            json!([{"type": "X"}, {"type": "Y", "status": "a", "at": 1}]),
            json!([{"type": "Y", "status": "b", "at": 2}]),
            json!([{"type": "X"}, {"type": "Y", "status": "b", "at": 2}]),
        ),
        (
            Mode::Quantities,
            json!({"cpu": "1", "memory": "45404M", "gpu": "1"}),
            json!({"cpu": "2", "memory": "45404000000"}),
            json!({"cpu": "2", "gpu": null}),
        ),
        (Mode::Quantities, json!({"cpu": "1"}), json!({}), json!({"cpu": null})),
    ] {
        assert_eq!(mode.change(Some(&existing), Some(&wanted)), Some(expected), "{mode:?} {existing}");
    }
}

#[test]
fn what_an_api_server_adds_or_spells_differently_is_no_difference() {
    for (mode, existing, wanted) in [
        (Mode::Whole, json!(null), json!({})),
        (Mode::Whole, json!({"a": null}), json!({})),
        (Mode::Whole, json!([{"a": null}]), json!([{}])),
        (Mode::Given, json!({"a": 1, "b": 2}), json!({"a": 1})),
        (Mode::Given, json!({}), json!({"a": 0, "b": "", "c": false, "d": [], "e": {}})),
        (Mode::Given, json!([{"a": 1, "b": 2}]), json!([{"a": 1}])),
        (Mode::Elements(&["port"]), json!([{"port": 1, "nodePort": 3}]), json!([{"port": 1}])),
        (Mode::Members(&["type"], &["at"]), json!([{"type": "X", "at": 1}]), json!([{"type": "X", "at": 2}])),
        (Mode::Quantities, json!({"memory": "45404M"}), json!({"memory": "45404000000"})),
        (Mode::Quantities, json!({"memory": "1Gi"}), json!({"memory": 1_073_741_824})),
        (Mode::Quantities, json!({"odd": "x"}), json!({"odd": "x"})),
    ] {
        assert_eq!(mode.change(Some(&existing), Some(&wanted)), None, "{mode:?} {existing}");
    }
    for mode in [Mode::Given, Mode::Quantities] {
        assert_eq!(mode.change(Some(&json!({"a": "1"})), None), None, "{mode:?}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        "[ab]{0,1}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn any_amounts() -> impl Strategy<Value = Value> {
    let amount = prop_oneof![Just("1"), Just("1000m"), Just("1k"), Just("1000"), Just("odd")];
    proptest::collection::btree_map("[a-c]", amount, 0..3).prop_map(|map| json!(map))
}

fn any_keys() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-e]", "[xy]", 0..4).prop_map(|map| json!(map))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_patched_object_needs_no_patch(existing in any_value(), wanted in any_value()) {
        let fields = [Mode::Whole, Mode::Given, Mode::Elements(&["a"])];
        for mode in fields {
            let field = Field { path: "/f", mode };
            let (existing, wanted) = (json!({"f": existing, "kept": 1}), json!({"f": wanted}));
            let patch = patch(&existing, &wanted, &[field]);
            let result = merged(&existing, patch.as_ref());
            prop_assert_eq!(super::patch(&result, &wanted, &[field]), None, "{:?}: {:?} gave {}", mode, patch, result);
            prop_assert_eq!(&result["kept"], &json!(1));
        }
    }

    #[test]
    fn patched_amounts_need_no_patch(existing in any_amounts(), wanted in any_amounts()) {
        let field = Field { path: "/f", mode: Mode::Quantities };
        let (existing, wanted) = (json!({"f": existing}), json!({"f": wanted}));
        let result = merged(&existing, patch(&existing, &wanted, &[field]).as_ref());
        prop_assert_eq!(patch(&result, &wanted, &[field]), None);
        let keys = |object: &Value| object["f"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(keys(&result), keys(&wanted));
    }

    #[test]
    fn keys_of_others_survive_whatever_changes_at_home(
        before in any_keys(), after in any_keys(), theirs in "[f-h]",
    ) {
        let keys = |map: &Value| map.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let forged = |labels: &Value| {
            let keys = keys(labels);
            object(labels.clone(), record(&keys.iter().map(String::as_str).collect::<Vec<_>>(), &[]))
        };
        let mut remote = forged(&before);
        remote["metadata"]["labels"][theirs.as_str()] = json!("z");
        let wanted = forged(&after);
        let result = merged(&remote, patch(&remote, &wanted, &[]).as_ref());
        let mut expected = after.clone();
        expected[theirs.as_str()] = json!("z");
        prop_assert_eq!(&result["metadata"]["labels"], &expected);
        prop_assert!(!differs(&result, &wanted, &[]));
    }
}
