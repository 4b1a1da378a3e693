//! The object that extends a namespace: what is printed, what is written.

use liqo_api::names::NAMESPACE_OFFLOADING;
use liqo_api::{Described, NamespaceOffloading};
use liqo_model::Kind;
use liqo_model::crd::{NamespaceOffloadingSpec, PodOffloadingStrategy};
use serde_json::{Map, Value, json};

use crate::CtlError;
use crate::debug::plain;
use crate::form::{self, Form};

/// What has to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Write {
    Create,
    Change { patch: Value, warning: &'static [&'static str] },
    Nothing,
}

const TIGHTER: &[&str] = &[
    "The pod offloading strategy was changed: pods that run already stay where they are",
    "Delete those that are where they may not be any more, so that they are scheduled anew",
];

/// What to write, given the object that is there.
pub(crate) fn write_for(
    found: Option<&NamespaceOffloading>,
    wanted: &NamespaceOffloadingSpec,
    namespace: &str,
) -> Result<Write, CtlError> {
    let Some(found) = found else { return Ok(Write::Create) };
    let refused = |fault: &str, remedy: String| CtlError::Object {
        object: format!("NamespaceOffloading {}/{NAMESPACE_OFFLOADING}", plain(namespace)),
        fault: fault.to_owned(),
        remedy,
    };
    if found.metadata.deletion_timestamp.is_some() {
        return Err(refused("is being deleted", "run the command again when it is gone".to_owned()));
    }
    if found.spec.namespace_mapping_strategy != wanted.namespace_mapping_strategy {
        let remedy = format!("run `liqoctl unoffload namespace {}` first", plain(namespace));
        return Err(refused("has another spec.namespaceMappingStrategy, which never changes", remedy));
    }
    let mut spec = Map::new();
    if found.spec.cluster_selector != wanted.cluster_selector {
        spec.insert("clusterSelector".to_owned(), json!(wanted.cluster_selector));
    }
    let placement = found.spec.pod_offloading_strategy != wanted.pod_offloading_strategy;
    if placement {
        spec.insert("podOffloadingStrategy".to_owned(), json!(wanted.pod_offloading_strategy));
    }
    if spec.is_empty() {
        return Ok(Write::Nothing);
    }
    let tighter = placement && wanted.pod_offloading_strategy != PodOffloadingStrategy::LocalAndRemote;
    Ok(Write::Change { patch: json!({"spec": spec}), warning: if tighter { TIGHTER } else { &[] } })
}

/// The object as it is written.
pub(crate) fn manifest(namespace: &str, spec: NamespaceOffloadingSpec) -> NamespaceOffloading {
    let resource = NamespaceOffloading::DESCRIPTION.api_resource();
    NamespaceOffloading::new(NAMESPACE_OFFLOADING, &resource, spec).within(namespace)
}

/// The object as it is printed.
pub(crate) fn printed(
    namespace: &str,
    spec: &NamespaceOffloadingSpec,
    form: Form,
) -> Result<String, CtlError> {
    let object = json!({
        "apiVersion": Kind::NamespaceOffloading.api_version(),
        "kind": Kind::NamespaceOffloading.as_str(),
        "metadata": {"creationTimestamp": null, "name": NAMESPACE_OFFLOADING, "namespace": namespace},
        "spec": spec,
        "status": {},
    });
    form::printed(object, form)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a cluster of Liqo 0.8.3 has it after `offload namespace demo`.
    fn demo() -> Value {
        json!({
            "apiVersion": "offloading.liqo.io/v1alpha1",
            "kind": "NamespaceOffloading",
            "metadata": {"name": "offloading", "namespace": "demo"},
            "spec": {
                "clusterSelector": {"nodeSelectorTerms": []},
                "namespaceMappingStrategy": "DefaultName",
                "podOffloadingStrategy": "LocalAndRemote",
            },
        })
    }

    fn write(found: &Value, wanted: Value) -> Result<Write, String> {
        let unreadable = |error: serde_json::Error| error.to_string();
        let found = serde_json::from_value(found.clone()).map_err(unreadable)?;
        let wanted = serde_json::from_value(wanted).map_err(unreadable)?;
        write_for(Some(&found), &wanted, "demo").map_err(|error| error.to_string())
    }

    #[test]
    fn the_object_is_written_as_liqo_writes_it() {
        let made = manifest("demo", NamespaceOffloadingSpec::default());
        assert_eq!(serde_json::to_value(made).unwrap(), demo());
        assert_eq!(write_for(None, &NamespaceOffloadingSpec::default(), "demo").unwrap(), Write::Create);
    }

    #[test]
    fn only_what_differs_is_changed() {
        assert_eq!(write(&demo(), json!({})).unwrap(), Write::Nothing);
        let remote = write(&demo(), json!({"podOffloadingStrategy": "Remote"})).unwrap();
        let patch = json!({"spec": {"podOffloadingStrategy": "Remote"}});
        assert_eq!(remote, Write::Change { patch, warning: TIGHTER });
        let mut local = demo();
        local["spec"]["podOffloadingStrategy"] = json!("Local");
        let patch = json!({"spec": {"podOffloadingStrategy": "LocalAndRemote"}});
        assert_eq!(write(&local, json!({})).unwrap(), Write::Change { patch, warning: &[] });
        let selector =
            json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]});
        let patch = json!({"spec": {"clusterSelector": selector}});
        let changed = write(&demo(), json!({"clusterSelector": selector})).unwrap();
        assert_eq!(changed, Write::Change { patch, warning: &[] });
    }

    #[test]
    fn what_never_changes_is_refused_with_the_remedy() {
        let renamed = write(&demo(), json!({"namespaceMappingStrategy": "EnforceSameName"})).unwrap_err();
        assert!(renamed.ends_with("run `liqoctl unoffload namespace demo` first"), "{renamed}");
        let mut ending = demo();
        ending["metadata"]["deletionTimestamp"] = json!("2026-11-22T13:51:40Z");
        let ending = write(&ending, json!({})).unwrap_err();
        assert!(ending.starts_with("NamespaceOffloading demo/offloading is being deleted"), "{ending}");
    }

    #[test]
    fn the_object_is_printed_for_other_tools() {
        let yaml = "apiVersion: offloading.liqo.io/v1alpha1\nkind: NamespaceOffloading\nmetadata:\n  creationTimestamp: \
                    null\n  name: offloading\n  namespace: foo\nspec:\n  clusterSelector:\n    nodeSelectorTerms: []\n  \
                    namespaceMappingStrategy: DefaultName\n  podOffloadingStrategy: LocalAndRemote\nstatus: {}\n";
        assert_eq!(printed("foo", &NamespaceOffloadingSpec::default(), Form::Yaml).unwrap(), yaml);
        let text = printed("foo", &NamespaceOffloadingSpec::default(), Form::Json).unwrap();
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            object["metadata"],
            json!({"creationTimestamp": null, "name": "offloading", "namespace": "foo"})
        );
    }
}
