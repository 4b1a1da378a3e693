//! What holds for whatever objects there are: a second look changes nothing, and what is not ours stays.

use liqo_reflection::{Context, Forged, REFLECTORS, Reflector, difference};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::tree::merge;
use crate::world::World;

/// Keys and values as labels, annotations and data have them.
fn any_texts() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-d]", "[x-z]{1,2}", 0..4).prop_map(|map| json!(map))
}

fn any_metadata() -> impl Strategy<Value = Value> {
    (any_texts(), any_texts()).prop_map(|(labels, annotations)| {
        json!({"name": "n", "namespace": "demo", "uid": "u1", "labels": labels, "annotations": annotations})
    })
}

/// The content of an object of any kind; every transform reads its own part.
fn any_content() -> impl Strategy<Value = Value> {
    let port = (1_i64..4, prop_oneof![Just(0_i64), 30_000_i64..30_003])
        .prop_map(|(port, node_port)| json!({"port": port, "protocol": "TCP", "nodePort": node_port}));
    let kind = prop_oneof![Just("ClusterIP"), Just("NodePort"), Just("LoadBalancer")];
    let endpoint = (0_u8..3, prop_oneof![Just("liqo-milan"), Just("rome-worker")], any::<bool>())
        .prop_map(|(last, node, ready)| {
            json!({"addresses": [format!("10.200.0.{last}")], "nodeName": node, "conditions": {"ready": ready}})
        });
    let containers = proptest::collection::btree_map("[c-e]", "[i-k]", 1..3).prop_map(|map| {
        let container = |(name, image)| json!({"name": name, "image": image, "unknown": [1]});
        map.into_iter().map(container).collect::<Vec<_>>()
    });
    let tolerations = proptest::collection::vec("[a-c]".prop_map(|key| json!({"key": key})), 0..3);
    (
        (any_texts(), any::<bool>()),
        (proptest::collection::vec(port, 0..3), kind, any_texts()),
        proptest::collection::vec(endpoint, 0..3),
        (containers, tolerations),
    )
        .prop_map(|((data, frozen), (ports, kind, selector), endpoints, (containers, tolerations))| {
            let mut content = json!({
                "data": data, "type": "Opaque", "addressType": "IPv4", "endpoints": endpoints,
                "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
                "spec": {
                    "type": kind, "ports": ports, "selector": selector, "containers": containers, "tolerations": tolerations,
                    "volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
                },
            });
            if frozen {
                content["immutable"] = json!(true);
            }
            content
        })
}

fn any_home() -> impl Strategy<Value = Value> {
    (any_metadata(), any_content()).prop_map(|(metadata, mut content)| {
        content["metadata"] = metadata;
        content
    })
}

fn reflected() -> impl Iterator<Item = (&'static Reflector, liqo_reflection::Transform)> {
    REFLECTORS.iter().filter_map(|reflector| Some((reflector, reflector.transform?)))
}

/// What the API server and others make of an object.
fn kept(mut object: Value) -> Value {
    let additions = json!({
        "metadata": {"uid": "r1", "resourceVersion": "7", "labels": {"theirs": "x"}, "annotations": {"others": "y"}, "unknown": 1},
        "spec": {"clusterIP": "10.80.0.9", "unknown": {"a": 1}},
        "status": {"phase": "Running"}, "unknown": [1, 2],
    });
    merge(&mut object, &additions);
    object
}

fn parts_of_others(object: &Value) -> Value {
    json!([
        object["metadata"]["labels"]["theirs"],
        object["metadata"]["annotations"]["others"],
        object["metadata"]["unknown"],
        object["metadata"]["uid"],
        object["spec"]["clusterIP"],
        object["spec"]["unknown"],
        object["status"],
        object["unknown"],
    ])
}

fn forged(
    transform: liqo_reflection::Transform,
    home: &Value,
    existing: Option<&Value>,
    context: &Context<'_>,
) -> Forged {
    transform(home, existing, context).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_object_that_was_just_written_needs_no_write(home in any_home(), tokens in any::<bool>()) {
        let world = if tokens { World::with_tokens() } else { World::default() };
        for (reflector, transform) in reflected() {
            let Forged::Object(first) = forged(transform, &home, None, &world.context()) else { continue };
            let existing = kept(first);
            let again = forged(transform, &home, Some(&existing), &world.context());
            let Forged::Object(again) = again else { panic!("{}: {again:?}", reflector.name) };
            let patch = difference::patch(&existing, &again, reflector.fields);
            prop_assert_eq!(patch, None, "{}", reflector.name);
        }
    }

    #[test]
    fn one_write_leads_to_what_home_wants_and_keeps_what_others_wrote(before in any_home(), after in any_home()) {
        let world = World::default();
        for (reflector, transform) in reflected() {
            let Forged::Object(first) = forged(transform, &before, None, &world.context()) else { continue };
            let existing = kept(first);
            // Frozen content is made anew, which is no write to this object.
            let Forged::Object(wanted) = forged(transform, &after, Some(&existing), &world.context()) else { continue };
            let mut result = existing.clone();
            if let Some(patch) = difference::patch(&existing, &wanted, reflector.fields) {
                merge(&mut result, &patch);
            }
            prop_assert_eq!(difference::patch(&result, &wanted, reflector.fields), None, "{}", reflector.name);
            prop_assert_eq!(parts_of_others(&result), parts_of_others(&existing), "{}", reflector.name);
            let mut labels = wanted["metadata"]["labels"].clone();
            labels["theirs"] = json!("x");
            prop_assert_eq!(&result["metadata"]["labels"], &labels, "{}", reflector.name);
        }
    }

    #[test]
    fn no_input_makes_a_transform_panic(home in any_tree(), existing in any_tree()) {
        let world = World::with_tokens();
        for (reflector, transform) in reflected() {
            for existing in [None, Some(&existing)] {
                if let Ok(Forged::Object(body)) = transform(&home, existing, &world.context()) {
                    let _patch = difference::patch(existing.unwrap_or(&Value::Null), &body, reflector.fields);
                }
            }
        }
    }
}

/// Trees with the keys that transforms look at, and values of any type in them.
fn any_tree() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("metadata"),
        Just("labels"),
        Just("annotations"),
        Just("spec"),
        Just("data"),
        Just("ports"),
        Just("endpoints"),
        Just("addresses"),
        Just("containers"),
        Just("volumes"),
        Just("projected"),
        Just("sources"),
        Just("tolerations"),
        Just("status"),
        Just("pod"),
        Just("env"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        "[a-c]{0,1}".prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 48, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}
