//! What a watch is about, and where it begins.

use liqo_domain::WatchWish;
use liqo_events::WatchKey;
use liqo_model::{ClusterRef, Kind, ResourceVersion};

use crate::client::Selection;

/// What a watch is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which kind.
    pub kind: Kind,
    /// In which namespace; everywhere when empty.
    pub namespace: String,
    /// Label selector.
    pub labels: Option<String>,
    /// Field selector.
    pub fields: Option<String>,
    /// Whether bodies of events are kept for writes. Never for Secrets.
    pub keep_bodies: bool,
}

impl Target {
    /// All objects of a kind; bodies are kept of the kinds of Liqo, of namespaces and of ConfigMaps, which commands write.
    pub fn all(kind: Kind) -> Self {
        let written = kind.group().ends_with("liqo.io") || matches!(kind, Kind::Namespace | Kind::ConfigMap);
        Self { kind, namespace: String::new(), labels: None, fields: None, keep_bodies: written }
    }

    /// Only in one namespace.
    #[must_use]
    pub fn within(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Only with these labels. To such a watch an object that loses them is deleted, so nothing may be destroyed because
    /// of it without another proof.
    #[must_use]
    pub fn labelled(mut self, selector: impl Into<String>) -> Self {
        self.labels = Some(selector.into());
        self
    }

    /// What a wish of the state is about.
    pub fn of(wish: &WatchWish) -> Self {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            kind: wish.kind,
            namespace: wish.namespace.clone(),
            labels: some(&wish.labels),
            fields: some(&wish.fields),
            keep_bodies: wish.keep_bodies,
        }
    }

    /// The name of the watch in the log. Its selector guards cursors: one of another selector is worth nothing.
    pub fn key(&self, cluster: &ClusterRef) -> WatchKey {
        let parts = [
            (!self.namespace.is_empty()).then(|| format!("namespace={}", self.namespace)),
            self.labels.as_ref().map(|labels| format!("labels={labels}")),
            self.fields.as_ref().map(|fields| format!("fields={fields}")),
        ];
        let selector: Vec<String> = parts.into_iter().flatten().collect();
        WatchKey { cluster: cluster.clone(), kind: self.kind, selector: selector.join(";") }
    }

    pub(super) fn keeps_bodies(&self) -> bool {
        self.keep_bodies && self.kind != Kind::Secret
    }

    pub(super) fn selection(&self) -> Selection {
        Selection { labels: self.labels.clone(), fields: self.fields.clone() }
    }
}

/// Up to where everything was seen, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The watch that saw it.
    pub watch: WatchKey,
    /// Up to which version.
    pub resource_version: ResourceVersion,
    /// Generation of the cluster that the version is of.
    pub generation: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_selection_is_another_watch() {
        let pods = Target::all(Kind::Pod);
        assert_eq!(pods.key(&ClusterRef::Local).selector, "");
        let some = pods.within("shop").labelled("a=b");
        assert_eq!(some.key(&ClusterRef::Local).selector, "namespace=shop;labels=a=b");
    }

    #[test]
    fn bodies_of_secrets_are_never_kept() {
        assert!(Target::all(Kind::NamespaceMap).keeps_bodies());
        assert!(!Target::all(Kind::Pod).keeps_bodies());
        assert!(!Target { keep_bodies: true, ..Target::all(Kind::Secret) }.keeps_bodies());
    }
}
