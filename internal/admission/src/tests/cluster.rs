//! What a test knows of its cluster, in the place of an engine and an API server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use liqo_domain::{NamespaceOrigin, Placement};
use liqo_engine::{Clock, Published};
use liqo_events::{Seq, UnixMillis};
use liqo_model::{ClusterId, NamespaceName};
use liqo_reflection::policy::{PodPolicy, Rule};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::answer::{Admission, Refusal};
use crate::review::{Request, Review};
use crate::webhook::{Judge, Webhook};
use crate::{CertificateStore, Settings, Unavailable, Verdicts};

/// A consumer.
pub(super) const ROME: &str = "7f081ef5-ce34-40d7-94fc-46a331394d56";
pub(super) const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
pub(super) const DAY: i64 = 24 * 3600 * 1000;

/// What is known; clones know the same.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    placement: Arc<Mutex<Result<Placement, Unavailable>>>,
    origin: Arc<Mutex<NamespaceOrigin>>,
    published: watch::Sender<Published>,
    pub(super) settings: Settings,
    pub(super) lifted: Vec<Rule>,
}

impl Cluster {
    pub(super) fn new() -> Self {
        Self {
            placement: Arc::new(Mutex::new(Ok(Placement::Local))),
            origin: Arc::new(Mutex::new(NamespaceOrigin::Consumer(ROME.into()))),
            published: watch::Sender::new(Published::default()),
            settings: Settings::default(),
            lifted: Vec::new(),
        }
    }

    pub(super) fn placing(placement: Placement) -> Self {
        let cluster = Self::new();
        *cluster.placement.lock().unwrap() = Ok(placement);
        cluster
    }

    pub(super) fn owned(origin: NamespaceOrigin) -> Self {
        let cluster = Self::new();
        *cluster.origin.lock().unwrap() = origin;
        cluster
    }

    pub(super) fn broken() -> Self {
        let cluster = Self::new();
        let reason = "the engine has stopped".to_owned();
        *cluster.placement.lock().unwrap() = Err(Unavailable { reason });
        cluster
    }

    /// Lets something else be true, and tells.
    pub(super) fn learns(&self, placement: Placement, origin: NamespaceOrigin) {
        *self.placement.lock().unwrap() = Ok(placement);
        *self.origin.lock().unwrap() = origin;
        self.published.send_modify(|published| published.seq = Seq(published.seq.0 + 1));
    }

    pub(super) fn leads(&self, live: bool) {
        self.published.send_modify(|published| published.live = live);
    }

    pub(super) fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    pub(super) fn judge(&self) -> Judge<Self> {
        Judge { verdicts: self.clone(), published: self.published(), settings: self.settings }
    }

    pub(super) async fn asked(&self, webhook: Webhook, request: Value) -> Result<Admission, Refusal> {
        self.judge().judge(webhook, &parsed(request)).await
    }
}

impl Verdicts for Cluster {
    async fn placement(&self, namespace: &NamespaceName) -> Result<Placement, Unavailable> {
        assert_eq!(namespace.as_str(), "shop");
        self.placement.lock().unwrap().clone()
    }

    async fn namespace_origin(&self, namespace: &NamespaceName) -> Result<NamespaceOrigin, Unavailable> {
        assert_eq!(namespace.as_str(), "shop-rome-03c9e0");
        Ok(self.origin.lock().unwrap().clone())
    }

    fn policy(&self, consumer: &ClusterId) -> PodPolicy {
        assert_eq!(consumer.as_str(), ROME);
        PodPolicy { allowed: self.lifted.iter().copied().collect() }
    }
}

/// An AdmissionReview around a request.
pub(super) fn review(request: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
}

fn parsed(request: Value) -> Request {
    Review::parse(&serde_json::to_vec(&review(&request)).unwrap()).unwrap().request
}

/// A request about an object of one of the kinds of Liqo, or a pod.
pub(super) fn request(webhook: Webhook, operation: &str, namespace: &str) -> Value {
    let (group, version, plural) = match webhook {
        Webhook::Pod => ("", "v1", "pods"),
        Webhook::ForeignClusterLabel | Webhook::ForeignCluster => {
            ("discovery.liqo.io", "v1alpha1", "foreignclusters")
        }
        Webhook::NamespaceOffloading => ("offloading.liqo.io", "v1alpha1", "namespaceoffloadings"),
        Webhook::ShadowPod => ("virtualkubelet.liqo.io", "v1alpha1", "shadowpods"),
    };
    json!({
        "uid": "0c9b6a2e-3b8a-4a6e-9d0b-0f4f6a3f1c11",
        "resource": {"group": group, "version": version, "resource": plural},
        "operation": operation,
        "namespace": namespace,
    })
}

/// The object with what the webhook changes in it.
pub(super) fn changed(object: &Value, admission: &Admission) -> Value {
    let patch: json_patch::Patch =
        serde_json::from_value(serde_json::to_value(&admission.patch).unwrap()).unwrap();
    let mut changed = object.clone();
    json_patch::patch(&mut changed, &patch).unwrap();
    changed
}

/// A Secret and two webhook configurations.
#[derive(Clone, Default)]
pub(super) struct Store {
    pub(super) secret: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    pub(super) bundle: Arc<Mutex<String>>,
    /// What has happened, in order.
    pub(super) done: Arc<Mutex<Vec<&'static str>>>,
    /// What does not work.
    pub(super) broken: Arc<Mutex<Option<&'static str>>>,
}

impl Store {
    fn does(&self, what: &'static str) -> Result<(), String> {
        if self.is_broken(what) {
            return Err("the API server says no".to_owned());
        }
        self.has_done(what);
        Ok(())
    }

    fn is_broken(&self, what: &'static str) -> bool {
        *self.broken.lock().unwrap() == Some(what)
    }

    fn has_done(&self, what: &'static str) {
        self.done.lock().unwrap().push(what);
    }

    pub(super) fn done(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.done.lock().unwrap())
    }

    pub(super) fn bundle(&self) -> String {
        self.bundle.lock().unwrap().clone()
    }
}

impl CertificateStore for Store {
    async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        self.does("load")?;
        Ok(self.secret.lock().unwrap().clone())
    }

    async fn save(&self, data: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        self.does("save")?;
        *self.secret.lock().unwrap() = data;
        Ok(())
    }

    async fn publish(&self, bundle: &str) -> Result<(), String> {
        self.does("publish")?;
        *self.bundle.lock().unwrap() = bundle.to_owned();
        Ok(())
    }
}

/// A clock that somebody sets.
#[derive(Clone)]
pub(super) struct SetClock(pub(super) Arc<Mutex<UnixMillis>>);

impl SetClock {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(NOW)))
    }

    pub(super) fn later(&self, days: i64) {
        self.0.lock().unwrap().0 += days * DAY;
    }
}

impl Clock for SetClock {
    fn wall(&self) -> UnixMillis {
        *self.0.lock().unwrap()
    }
}
