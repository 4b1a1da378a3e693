//! Requests about objects of a kind.

use http::Request;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchParams};
use kube::core::Request as Builder;
use liqo_model::{Kind, ObjectKey, ResourceVersion, Uid};
use serde_json::Value;

use super::Refusal;
use crate::keys::FIELD_MANAGER;

/// Where objects of a kind are: a namespace, or everywhere when it is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) kind: Kind,
    pub(crate) namespace: &'a str,
}

/// What must still be so when something is deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preconditions {
    pub(crate) uid: Option<Uid>,
    pub(crate) resource_version: Option<ResourceVersion>,
}

/// Objects of a list or a watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) labels: Option<String>,
    pub(crate) fields: Option<String>,
}

type Made = Result<Request<Vec<u8>>, Refusal>;

impl<'a> Place<'a> {
    pub(crate) fn of(key: &'a ObjectKey) -> Self {
        Self { kind: key.kind, namespace: &key.namespace }
    }

    fn builder(self) -> Result<Builder, Refusal> {
        let Self { kind, namespace } = self;
        let root = if kind.group().is_empty() { "/api" } else { "/apis" };
        let base = format!("{root}/{}", kind.api_version());
        let plural = kind.plural();
        if namespace.is_empty() || kind.is_cluster_scoped() {
            return Ok(Builder::new(format!("{base}/{plural}")));
        }
        check_segment(namespace)?;
        Ok(Builder::new(format!("{base}/namespaces/{namespace}/{plural}")))
    }

    /// A page of a list as a quorum knows it: no version is named, so the answer is as new as the request.
    pub(crate) fn list(self, selection: &Selection, limit: u32, next: Option<&str>) -> Made {
        let parameters = ListParams {
            label_selector: selection.labels.clone(),
            field_selector: selection.fields.clone(),
            limit: Some(limit),
            continue_token: next.map(str::to_owned),
            ..ListParams::default()
        };
        self.builder()?.list(&parameters).map_err(|error| refused(&error))
    }

    /// A watch from a version on, with bookmarks, which the server ends after `seconds`.
    pub(crate) fn watch(self, selection: &Selection, from: &ResourceVersion, seconds: u32) -> Made {
        let parameters = WatchParams {
            label_selector: selection.labels.clone(),
            field_selector: selection.fields.clone(),
            timeout: Some(seconds),
            bookmarks: true,
            ..WatchParams::default()
        };
        self.builder()?.watch(&parameters, from.as_str()).map_err(|error| refused(&error))
    }

    /// One object as a quorum knows it.
    pub(crate) fn get(self, name: &str) -> Made {
        check_segment(name)?;
        self.builder()?.get(name, &kube::api::GetParams::default()).map_err(|error| refused(&error))
    }

    /// A new object.
    pub(crate) fn create(self, object: &Value) -> Made {
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        self.builder()?.create(&parameters, object.to_string().into_bytes()).map_err(|error| refused(&error))
    }

    /// A JSON merge patch (RFC 7386) of an object, or of its status.
    pub(crate) fn patch(self, name: &str, status: bool, patch: &Value) -> Made {
        self.patch_part(name, if status { "status" } else { "" }, patch)
    }

    /// A JSON merge patch of a subresource, or of the object itself when there is no name of one.
    pub(crate) fn patch_part(self, name: &str, subresource: &str, patch: &Value) -> Made {
        self.patch_as(name, subresource, &Patch::Merge(patch))
    }

    /// A strategic merge patch of an object's status: lists are merged by the keys that the API has for them, so what
    /// others say in the same list stays. Only built-in kinds have such keys.
    pub(crate) fn merge_status(self, name: &str, patch: &Value) -> Made {
        self.patch_as(name, "status", &Patch::Strategic(patch))
    }

    fn patch_as(self, name: &str, subresource: &str, patch: &Patch<&Value>) -> Made {
        check_segment(name)?;
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let builder = self.builder()?;
        let made = if subresource.is_empty() {
            builder.patch(name, &parameters, patch)
        } else {
            builder.patch_subresource(subresource, name, &parameters, patch)
        };
        made.map_err(|error| refused(&error))
    }

    /// A deletion that has no effect on another life or version of the object. It takes `grace` seconds, or as long as the
    /// object says.
    pub(crate) fn delete(self, name: &str, preconditions: &Preconditions, grace: Option<u32>) -> Made {
        check_segment(name)?;
        let parameters = DeleteParams {
            grace_period_seconds: grace,
            preconditions: Some(kube::api::Preconditions {
                uid: preconditions.uid.as_ref().map(|uid| uid.as_str().to_owned()),
                resource_version: preconditions
                    .resource_version
                    .as_ref()
                    .map(|version| version.as_str().to_owned()),
            }),
            ..DeleteParams::default()
        };
        self.builder()?.delete(name, &parameters).map_err(|error| refused(&error))
    }
}

/// A new Event, which is no kind that is watched.
pub(crate) fn create_event(namespace: &str, event: &Value) -> Made {
    check_segment(namespace)?;
    let parameters = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let builder = Builder::new(format!("/api/v1/namespaces/{namespace}/events"));
    builder.create(&parameters, event.to_string().into_bytes()).map_err(|error| refused(&error))
}

fn refused(error: &kube::core::request::Error) -> Refusal {
    Refusal::Request { reason: error.to_string() }
}

/// Names come from logs and peers; one that would mean another path is refused here.
fn check_segment(name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
    if !name.is_empty() && name.bytes().all(plain) && name.bytes().any(|byte| byte != b'.') {
        return Ok(());
    }
    Err(Refusal::Request { reason: format!("{name:?} is no name of an object") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MAPS: Place<'static> = Place { kind: Kind::NamespaceMap, namespace: "tenant" };

    fn line(made: Made) -> String {
        let request = made.unwrap();
        format!("{} {}", request.method(), request.uri())
    }

    #[test]
    fn paths_are_those_of_the_api() {
        let selection = Selection { labels: Some("a=b".to_owned()), fields: None };
        assert_eq!(
            line(MAPS.list(&selection, 500, Some("t"))),
            "GET /apis/virtualkubelet.liqo.io/v1alpha1/namespaces/tenant/namespacemaps?&labelSelector=a%3Db&limit=500&continue=t"
        );
        let everywhere = Place { kind: Kind::Pod, namespace: "" };
        assert_eq!(
            line(everywhere.watch(&Selection::default(), &"7".into(), 300)),
            "GET /api/v1/pods?&watch=true&timeoutSeconds=300&allowWatchBookmarks=true&resourceVersion=7"
        );
        let namespaces = Place { kind: Kind::Namespace, namespace: "" };
        assert_eq!(line(namespaces.get("kube-system")), "GET /api/v1/namespaces/kube-system");
        assert_eq!(
            line(MAPS.patch("m", true, &json!({}))),
            "PATCH /apis/virtualkubelet.liqo.io/v1alpha1/namespaces/tenant/namespacemaps/m/status?&fieldManager=liqo-controller-manager"
        );
        let pods = Place { kind: Kind::Pod, namespace: "liqo" };
        let request = pods.merge_status("p", &json!({})).unwrap();
        assert_eq!(request.headers()["Content-Type"], "application/strategic-merge-patch+json");
        assert_eq!(
            line(Ok(request)),
            "PATCH /api/v1/namespaces/liqo/pods/p/status?&fieldManager=liqo-controller-manager"
        );
        assert_eq!(
            line(create_event("liqo", &json!({}))),
            "POST /api/v1/namespaces/liqo/events?&fieldManager=liqo-controller-manager"
        );
    }

    #[test]
    fn a_deletion_names_the_life_it_is_about() {
        let preconditions = Preconditions { uid: Some("u".into()), resource_version: None };
        let request = MAPS.delete("m", &preconditions, Some(7)).unwrap();
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body["preconditions"], json!({"uid": "u"}));
        assert_eq!(body["gracePeriodSeconds"], 7);
    }

    #[test]
    fn names_that_would_be_other_paths_are_refused() {
        for name in ["", "a/b", "..", ".", "a?b", "a%2fb", "a b", "é", "a\n"] {
            assert!(matches!(MAPS.get(name), Err(Refusal::Request { .. })), "{name:?}");
        }
        assert!(matches!(Place { kind: Kind::Pod, namespace: "a/b" }.get("x"), Err(Refusal::Request { .. })));
        assert!(MAPS.get("system:node.x_1").is_ok());
    }
}
