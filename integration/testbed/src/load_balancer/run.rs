//! The shell around the plan: watches, status patches, routes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Resource};
use serde_json::json;

use super::Config;
use super::plan::{Plan, StatusChange, View, plan};
use crate::command::Call;
use crate::error::{Error, Result};
use crate::network::balancer_route;

/// Events come in bursts; one plan serves all that arrive within this time.
const SETTLE: Duration = Duration::from_millis(50);
/// What failed is tried again, and routes that somebody removed are set again, after this time.
const RESYNC: Duration = Duration::from_secs(5);

/// Runs the load balancer until its process ends.
///
/// # Errors
/// [`Error::File`] or [`Error::Api`] when the configuration cannot be used. Later failures are printed and tried again.
pub async fn run(config: &Path) -> Result<()> {
    let text = std::fs::read(config).map_err(Error::file("read", config))?;
    let config: Config = serde_json::from_slice(&text)
        .map_err(|e| Error::file("understand", config)(std::io::Error::other(e)))?;
    let client = crate::control_plane::client("load balancer", &config.kubeconfig).await?;
    let (services, service_events) = watch::<Service>(&client);
    let (nodes, node_events) = watch::<Node>(&client);
    let (slices, slice_events) = watch::<EndpointSlice>(&client);
    let mut events = futures::stream::select_all([service_events, node_events, slice_events]);
    flush(&config).await?;
    let mut routes = BTreeMap::new();
    loop {
        // The end of the time is as good a reason as an event.
        let _ = tokio::time::timeout(RESYNC, events.next()).await;
        tokio::time::sleep(SETTLE).await;
        while futures::poll!(events.next()).is_ready() {}
        let view = View { services: services.state(), nodes: nodes.state(), slices: slices.state() };
        if let Err(error) = apply(&client, &config, &plan(&view, config.pool), &mut routes).await {
            eprintln!("{}", error.line());
        }
    }
}

type Events = std::pin::Pin<Box<dyn Stream<Item = ()> + Send>>;

fn watch<K>(client: &Client) -> (Store<K>, Events)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Sync + 'static,
    K: for<'de> serde::Deserialize<'de>,
{
    let (store, writer) = reflector::store();
    let events = watcher(Api::<K>::all(client.clone()), watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .map(|_| ());
    (store, events.boxed())
}

async fn apply(
    client: &Client,
    config: &Config,
    plan: &Plan,
    routes: &mut BTreeMap<Ipv4Addr, Option<Ipv4Addr>>,
) -> Result<()> {
    let gone: String = routes
        .keys()
        .filter(|address| !plan.routes.contains_key(address))
        .map(|address| format!("route del {address}\n"))
        .collect();
    if !gone.is_empty() {
        // Somebody else may have removed one: the others still have to go.
        let _ =
            Call::new("ip", ["-force", "-batch", "-"]).in_network(&config.network).input(gone).run().await;
    }
    let lines: String = plan.routes.iter().map(|(address, node)| balancer_route(*address, *node)).collect();
    let mut done = if lines.is_empty() {
        Ok(())
    } else {
        Call::new("ip", ["-batch", "-"]).in_network(&config.network).input(lines).run().await.map(drop)
    };
    routes.clone_from(&plan.routes);
    // One Service that cannot be patched keeps no other from its address.
    for change in &plan.changes {
        done = done.and(patch(client, change).await);
    }
    done
}

async fn patch(client: &Client, change: &StatusChange) -> Result<()> {
    let StatusChange { namespace, name, address } = change;
    let ingress: Vec<_> = address.iter().map(|address| json!({"ip": address.to_string()})).collect();
    let status = json!({"status": {"loadBalancer": {"ingress": ingress}}});
    println!("Service {namespace}/{name}: address {address:?}");
    Api::<Service>::namespaced(client.clone(), namespace)
        .patch_status(name, &PatchParams::default(), &Patch::Merge(status))
        .await
        .map(drop)
        .map_err(Error::api("of this load balancer", format!("set the status of Service {namespace}/{name}")))
}

/// Routes of an earlier life lead to nobody knows whom.
async fn flush(config: &Config) -> Result<()> {
    Call::new("ip", ["route", "flush", "root", &config.pool.to_string()])
        .in_network(&config.network)
        .run()
        .await?;
    Ok(())
}
