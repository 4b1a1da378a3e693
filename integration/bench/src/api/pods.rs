//! Pods as deployments have them, applied by the server so that managedFields are real. Nobody schedules them.

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use super::server::Server;
use crate::{Result, say};

/// Requests at the same time: enough to keep the API server busy, and below what it answers at once for one client.
const IN_FLIGHT: usize = 24;
const NAMESPACES: u32 = 20;
/// Pods that the mean size is taken of.
const SAMPLE: u32 = 500;

/// Mean sizes on the wire.
pub(super) struct Sizes {
    pub(super) bytes: f64,
    pub(super) managed_fields: f64,
}

/// Creates the pods, and tells what one of them weighs.
pub(super) async fn create(server: &Server, pods: u32) -> Result<Sizes> {
    let apply = PatchParams::apply("kube-controller-manager").force();
    let namespaces = Api::<Namespace>::all(server.client.clone());
    for at in 0..NAMESPACES {
        let name = namespace(at);
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        namespaces.patch(&name, &apply, &Patch::Apply(body)).await?;
    }
    wait_for_accounts(server).await?;
    let created = futures::stream::iter(0..pods).map(|at| {
        let api = Api::<Pod>::namespaced(server.client.clone(), &namespace(at));
        let apply = apply.clone();
        async move {
            let (name, body) = pod(at);
            api.patch_metadata(&name, &apply, &Patch::Apply(body)).await.map(|_| at)
        }
    });
    let mut created = created.buffer_unordered(IN_FLIGHT);
    let mut count = 0;
    while let Some(at) = created.next().await {
        at?;
        count += 1;
        if count % 2000 == 0 {
            say(&format!("{count} of {pods} pods"));
        }
    }
    sizes(server).await
}

/// Admission refuses pods until their namespace has its account.
async fn wait_for_accounts(server: &Server) -> Result<()> {
    for at in 0..NAMESPACES {
        let api = Api::<k8s_openapi::api::core::v1::ServiceAccount>::namespaced(
            server.client.clone(),
            &namespace(at),
        );
        while api.get_opt("default").await?.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

async fn sizes(server: &Server) -> Result<Sizes> {
    let path = format!("/api/v1/pods?limit={SAMPLE}");
    let text = server.client.request_text(http::Request::get(path).body(Vec::new())?).await?;
    let list: Value = serde_json::from_str(&text)?;
    let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    let mean = |of: &dyn Fn(&Value) -> usize| {
        items.iter().map(|item| of(item) as f64).sum::<f64>() / items.len().max(1) as f64
    };
    Ok(Sizes {
        bytes: mean(&|pod| pod.to_string().len()),
        managed_fields: mean(&|pod| pod["metadata"]["managedFields"].to_string().len()),
    })
}

fn namespace(at: u32) -> String {
    format!("bench-{:02}", at % NAMESPACES)
}

/// A pod of a ReplicaSet, as Helm charts make them.
fn pod(at: u32) -> (String, Value) {
    let app = format!("service-{:03}", at % 500);
    let template = format!("{:010x}", u64::from(at % 500) * 0x1b1b_1b1b);
    let set = format!("{app}-{template}");
    let name = format!("{set}-{at:05x}");
    let owner = |kind: &str, group: &str, name: &str| {
        json!({
            "apiVersion": group, "kind": kind, "name": name, "controller": kind == "ReplicaSet",
            "uid": format!("{:08x}-7bbd-4f3a-9ac1-{kind:->12}", at % 500),
        })
    };
    let body = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace(at),
            "labels": {
                "app.kubernetes.io/instance": app,
                "app.kubernetes.io/managed-by": "Helm",
                "app.kubernetes.io/name": app,
                "app.kubernetes.io/part-of": "shop",
                "pod-template-hash": template,
                "version": "v1",
            },
            "annotations": {
                "prometheus.io/port": "9090",
                "prometheus.io/scrape": "true",
                "checksum/config": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            },
            "ownerReferences": [
                owner("ReplicaSet", "apps/v1", &set),
                owner("Rollout", "argoproj.io/v1alpha1", &app),
            ],
        },
        "spec": {
            // No scheduler of this name runs, so what is measured stays as it is.
            "schedulerName": "nobody",
            "containers": [container(&app)],
        },
    });
    (name, body)
}

fn container(app: &str) -> Value {
    json!({
        "name": app,
        "image": format!("registry.example.com/shop/{app}:1.27.3"),
        "env": [
            {"name": "DATABASE_HOST", "value": format!("{app}-database.shop.svc.cluster.local")},
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10},
        "resources": {
            "limits": {"cpu": "500m", "memory": "512Mi"},
            "requests": {"cpu": "125m", "memory": "128Mi"},
        },
    })
}
