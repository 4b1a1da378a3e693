//! `liqoctl offload` and `liqoctl unoffload`: a namespace is extended to other clusters, or no longer.

mod arguments;
mod manifest;
mod progress;
mod selector;

pub use arguments::{OffloadArguments, UnoffloadArguments};
use arguments::{OffloadCommand, OffloadNamespace, UnoffloadCommand};
use liqo_api::names::{NAMESPACE, NAMESPACE_OFFLOADING};
use manifest::{Write, manifest, printed, write_for};
use progress::{Outcome, outcome};

use crate::access::Access;
use crate::cluster::{Cluster, Objects};
use crate::debug::plain;
use crate::wait::{Awaited, Patience, Seen};
use crate::{Console, CtlError, version};

pub(crate) async fn offload(
    access: &Access,
    arguments: OffloadArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let OffloadCommand::Namespace(wanted) = arguments.command;
    let spec = wanted.spec();
    let namespace = wanted.name.as_str();
    if let Some(form) = wanted.output {
        return console.write(&printed(namespace, &spec, form)?);
    }
    let patience = Patience::new(wanted.timeout);
    let cluster = Cluster::open(access).await?;
    version::warn(&cluster, NAMESPACE, console).await?;
    let offloadings = cluster.offloadings(namespace);
    let found = offloadings.get(NAMESPACE_OFFLOADING).await?;
    match write_for(found.as_ref(), &spec, namespace)? {
        Write::Create => {
            let made = offloadings.create(NAMESPACE_OFFLOADING, &manifest(namespace, spec)).await;
            if !made.map_err(|error| without_namespace(error, namespace))? {
                return Err(CtlError::Object {
                    object: offloadings.named(NAMESPACE_OFFLOADING),
                    fault: "was made by somebody else at this moment".to_owned(),
                    remedy: "run the command again".to_owned(),
                });
            }
        }
        Write::Change { patch, warning } => {
            offloadings.merge(NAMESPACE_OFFLOADING, &patch).await?;
            for line in warning {
                console.warn(line)?;
            }
        }
        Write::Nothing => {
            console.info(&format!("Namespace {} was offloaded in this way before", plain(namespace)))?;
        }
    }
    offloaded(&offloadings, &wanted, patience, console).await
}

async fn offloaded(
    offloadings: &Objects<liqo_api::NamespaceOffloading>,
    wanted: &OffloadNamespace,
    patience: Patience,
    console: &mut Console,
) -> Result<(), CtlError> {
    let mut selected = true;
    let awaited = Awaited {
        what: format!("the offloading of namespace {}", plain(&wanted.name)),
        done: String::new(),
        remedy: "see whether the controller manager runs, and `liqoctl status peer`".to_owned(),
    };
    let look = async || {
        let found = offloadings.get(NAMESPACE_OFFLOADING).await?;
        match outcome(found.as_ref(), &wanted.name)? {
            Outcome::Ready => Ok(Seen::Done),
            Outcome::NoClusterSelected => {
                selected = false;
                Ok(Seen::Done)
            }
            Outcome::Waiting(said) => Ok(Seen::NotYet(said)),
        }
    };
    patience.wait(awaited, console, look).await?;
    if selected {
        console.success("Offloading completed successfully")
    } else {
        console.warn(
            "Offloading completed, but no cluster was selected: `kubectl get nodes -l \
                      liqo.io/type=virtual-node --show-labels` shows what --selector can choose",
        )
    }
}

/// An object cannot be made in a namespace that does not exist, which the API server says of the namespace.
fn without_namespace(error: CtlError, namespace: &str) -> CtlError {
    match error {
        CtlError::Api { said, .. }
            if said.starts_with("namespaces ") && said.contains(" not found (404)") =>
        {
            CtlError::Object {
                object: format!("namespace {}", plain(namespace)),
                fault: "does not exist".to_owned(),
                remedy: format!("make it with `kubectl create namespace {}`", plain(namespace)),
            }
        }
        other => other,
    }
}

pub(crate) async fn unoffload(
    access: &Access,
    arguments: UnoffloadArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let UnoffloadCommand::Namespace { name, timeout } = arguments.command;
    let patience = Patience::new(timeout);
    let cluster = Cluster::open(access).await?;
    version::warn(&cluster, NAMESPACE, console).await?;
    let offloadings = cluster.offloadings(&name);
    if offloadings.get(NAMESPACE_OFFLOADING).await?.is_none() {
        return console.info(&format!("Namespace {} is not offloaded: nothing to do", plain(&name)));
    }
    offloadings.delete(NAMESPACE_OFFLOADING).await?;
    let awaited = Awaited {
        what: format!("the end of the offloading of namespace {}", plain(&name)),
        done: "Unoffloading completed successfully".to_owned(),
        remedy: "peers have to remove their namespaces first: check with `liqoctl status peer` that they are reached"
            .to_owned(),
    };
    let look = async || {
        let found = offloadings.get(NAMESPACE_OFFLOADING).await?;
        Ok(found.map_or(Seen::Done, |found| Seen::NotYet(progress::said(&found))))
    };
    patience.wait(awaited, console, look).await
}
