//! Gathers what the summary is made of: pods from this cluster, figures from the peer.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, PartialObjectMeta};
use serde_json::Value;

use super::Backend;
use super::call::{Server, read};
use super::summary::{LocalPod, PodMetrics, PodMetricsList, summary};
use super::trouble::Trouble;
use crate::RemotePod;

/// Namespaces that the peer is asked about at a time.
const AT_A_TIME: usize = 8;
/// Bytes of one answer: a pod takes some 500, and a namespace of a peer may have thousands.
const LONGEST_ANSWER: usize = 16 << 20;

/// The summary of a node. Namespaces that the peer says nothing about are left out, unless it says nothing at all.
pub(super) async fn stats(
    backend: &impl Backend,
    peer: &Server,
    started: Timestamp,
) -> Result<Value, Trouble> {
    let pods = located(backend, local_pods(backend).await?);
    let namespaces: BTreeSet<_> = pods.keys().map(|remote| remote.namespace.clone()).collect();
    let asked = stream::iter(namespaces).map(|namespace| metrics(peer, namespace));
    let answers: Vec<_> = asked.buffer_unordered(AT_A_TIME).collect().await;
    let (mut known, mut trouble, mut heard) = (Vec::new(), None, false);
    for (namespace, answer) in answers {
        match answer {
            Ok(items) => {
                heard = true;
                known.extend(join(&pods, &namespace, items));
            }
            Err(failed) => {
                tracing::debug!(%namespace, error = %failed, "the peer has no figures of a namespace");
                trouble = Some(failed);
            }
        }
    }
    match trouble {
        Some(trouble) if !heard => Err(trouble),
        _ => {
            known.sort_by(|(a, _), (b, _)| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
            Ok(summary(backend.node(), started, &known, Timestamp::now()))
        }
    }
}

async fn local_pods(backend: &impl Backend) -> Result<Vec<PartialObjectMeta<Pod>>, Trouble> {
    let selected = ListParams::default().fields(&format!("spec.nodeName={}", backend.node()));
    let listed = Api::<Pod>::all(backend.local()).list_metadata(&selected).await;
    let unreachable = |error: kube::Error| Trouble::Unreachable { whose: "local", reason: error.to_string() };
    Ok(listed.map_err(unreachable)?.items)
}

fn located(backend: &impl Backend, pods: Vec<PartialObjectMeta<Pod>>) -> BTreeMap<RemotePod, LocalPod> {
    let place = |pod: PartialObjectMeta<Pod>| {
        let metadata = pod.metadata;
        let (namespace, name) = (metadata.namespace?, metadata.name?);
        let remote = backend.locate(&namespace, &name)?;
        let uid = metadata.uid.unwrap_or_default();
        let created_at = metadata.creation_timestamp.map(|time| time.0.to_string()).unwrap_or_default();
        Some((remote, LocalPod { namespace, name, uid, created_at }))
    };
    pods.into_iter().filter_map(place).collect()
}

async fn metrics(peer: &Server, namespace: String) -> (String, Result<Vec<PodMetrics>, Trouble>) {
    let target = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods");
    let answer = async {
        let body = peer.get(&target).await?.into_body();
        let unusable =
            || Trouble::Unusable { whose: peer.whose, reason: "it is no PodMetricsList".to_owned() };
        let body = read(body, LONGEST_ANSWER).await.ok_or_else(unusable)?;
        let list: PodMetricsList = serde_json::from_slice(&body).map_err(|_| unusable())?;
        Ok(list.items)
    };
    let answer = answer.await;
    (namespace, answer)
}

/// Our pods among those of a namespace of the peer.
fn join(
    pods: &BTreeMap<RemotePod, LocalPod>,
    namespace: &str,
    items: Vec<PodMetrics>,
) -> impl Iterator<Item = (LocalPod, PodMetrics)> {
    items.into_iter().filter_map(move |metrics| {
        let remote = RemotePod { namespace: namespace.to_owned(), name: metrics.metadata.name.clone() };
        Some((pods.get(&remote)?.clone(), metrics))
    })
}
