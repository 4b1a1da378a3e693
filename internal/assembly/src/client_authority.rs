//! Whose client certificates count for the kubelet API: followed, since authorities are replaced while processes run.

use std::convert::Infallible;
use std::pin::pin;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::watch;
use tracing::{info, warn};

/// Where Kubernetes says it.
const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";
const KEY: &str = "client-ca-file";

/// The authorities of client certificates, as the cluster names them.
pub(crate) struct ClientAuthority {
    maps: Api<ConfigMap>,
    looked: watch::Sender<bool>,
    bundle: Option<String>,
}

impl ClientAuthority {
    pub(crate) fn of(client: &Client) -> Self {
        let maps = Api::namespaced(client.clone(), NAMESPACE);
        Self { maps, looked: watch::Sender::new(false), bundle: None }
    }

    /// Becomes true when it is known for the first time what the cluster says, or that it cannot be known now.
    pub(crate) fn looked(&self) -> watch::Receiver<bool> {
        self.looked.subscribe()
    }

    /// Lets `trust` know of every bundle, PEM, for as long as this is polled. Those of before count until there are others:
    /// an authority that cannot be read is no reason to turn everybody away.
    pub(crate) async fn follow<E: std::error::Error + 'static>(
        mut self,
        trust: impl Fn(&str) -> Result<(), E>,
    ) -> Infallible {
        let only = watcher::Config::default().fields(&format!("metadata.name={NAME}"));
        let events = watcher::watcher(self.maps.clone(), only);
        let backoff = watcher::DefaultBackoff::default();
        let mut events = pin!(kube::runtime::WatchStreamExt::backoff(events, backoff));
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Apply(map) | Event::InitApply(map)) => self.learn(map, &trust),
                Ok(Event::InitDone) => self.say_when_nobody_counts(),
                Ok(Event::Delete(_)) => {
                    warn!(
                        "the ConfigMap {NAMESPACE}/{NAME} was deleted; client certificates count as before"
                    );
                }
                Ok(Event::Init) => continue,
                Err(error) => warn!(%error, "whose client certificates count cannot be watched"),
            }
            self.looked.send_replace(true);
        }
        // The stream of a watcher has no end.
        std::future::pending().await
    }

    fn learn<E: std::error::Error + 'static>(
        &mut self,
        map: ConfigMap,
        trust: impl Fn(&str) -> Result<(), E>,
    ) {
        let bundle = map.data.and_then(|mut data| data.remove(KEY));
        if bundle.is_none() || bundle == self.bundle {
            return;
        }
        self.bundle = bundle;
        match trust(self.bundle.as_deref().unwrap_or_default()) {
            Ok(()) => info!("it is known whose client certificates count"),
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "client certificates count as before");
            }
        }
    }

    fn say_when_nobody_counts(&self) {
        if self.bundle.is_none() {
            warn!("the cluster names no authority of client certificates; only tokens count");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};
    use tokio::sync::mpsc;

    use super::*;
    use crate::tests::api::{Reply, TestApi};

    fn map(version: u32, bundle: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": NAMESPACE, "uid": "u", "resourceVersion": version.to_string()},
            "data": {KEY: bundle, "requestheader-client-ca-file": "another matter"},
        })
    }

    fn change(kind: &str, object: &Value) -> String {
        format!("{}\n", json!({"type": kind, "object": object}))
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no certificates")]
    struct Junk;

    /// Follows what an API server lists and then shows; gives what was trusted, in order.
    async fn trusted(list: Vec<Value>, changes: &[String], until: usize) -> Vec<String> {
        let (shown, shows) = mpsc::channel(8);
        for change in changes {
            shown.send(change.clone()).await.unwrap();
        }
        let shows = Mutex::new(Some(shows));
        let api = TestApi::start(move |asked| {
            match shows.lock().unwrap().take_if(|_| asked.contains("watch=true")) {
                Some(shows) => Reply::Stream(shows),
                None if asked.contains("watch=true") => Reply::Silence,
                None => Reply::Json(200, json!({"metadata": {"resourceVersion": "1"}, "items": list})),
            }
        })
        .await;
        let authority = ClientAuthority::of(&api.client());
        let mut looked = authority.looked();
        let (told, mut heard) = mpsc::unbounded_channel();
        let following = tokio::spawn(authority.follow(move |bundle: &str| {
            told.send(bundle.to_owned()).unwrap();
            if bundle == "junk" { Err(Junk) } else { Ok(()) }
        }));
        looked.wait_for(|looked| *looked).await.unwrap();
        let mut trusted = Vec::new();
        while trusted.len() < until {
            trusted.push(heard.recv().await.unwrap());
        }
        let first = &api.asked()[0];
        assert!(first.starts_with("GET /api/v1/namespaces/kube-system/configmaps?"), "{first}");
        assert!(first.contains("metadata.name%3Dextension-apiserver-authentication"), "{first}");
        following.abort();
        drop(shown);
        trusted
    }

    #[tokio::test]
    async fn an_authority_that_is_replaced_counts_without_a_restart() {
        let changes = [
            // A change of something else in the map is none here.
            change("MODIFIED", &map(2, "first")),
            change("MODIFIED", &map(3, "firstsecond")),
            change("MODIFIED", &map(4, "second")),
        ];
        let trusted = trusted(vec![map(1, "first")], &changes, 3).await;
        assert_eq!(trusted, ["first", "firstsecond", "second"]);
    }

    #[tokio::test]
    async fn junk_and_deletions_are_survived() {
        let changes = [
            change("MODIFIED", &map(2, "junk")),
            change("DELETED", &map(2, "junk")),
            change("ADDED", &map(3, "second")),
        ];
        let trusted = trusted(vec![map(1, "first")], &changes, 3).await;
        assert_eq!(trusted, ["first", "junk", "second"]);
    }

    #[tokio::test]
    async fn a_cluster_without_authority_may_name_one_later() {
        assert!(trusted(vec![], &[], 0).await.is_empty());
        assert_eq!(trusted(vec![], &[change("ADDED", &map(2, "late"))], 1).await, ["late"]);
    }
}
