//! Names for completions, of the cluster that the words mean.

use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};
use k8s_openapi::api::core::v1::Namespace;
use tokio::time::timeout;

use super::candidates::Wanted;
use crate::access::Access;
use crate::cluster::Cluster;
use crate::{Arguments, CtlError};

/// Somebody waits for their shell, and rather types the name than this long.
const LIMIT: Duration = Duration::from_secs(3);

/// The names that are wanted; none when they cannot be had.
pub(super) async fn of(wanted: Wanted, words: &[String]) -> Vec<String> {
    let access = access(words);
    let entries = |entries: fn(kube::config::Kubeconfig) -> Vec<String>| access.kubeconfig().map(entries);
    let mut names = match wanted {
        Wanted::Files => None,
        Wanted::Contexts => entries(|all| all.contexts.into_iter().map(|entry| entry.name).collect()),
        Wanted::Clusters => entries(|all| all.clusters.into_iter().map(|entry| entry.name).collect()),
        Wanted::Users => entries(|all| all.auth_infos.into_iter().map(|entry| entry.name).collect()),
        Wanted::Peers | Wanted::Namespaces | Wanted::OffloadedNamespaces => {
            timeout(LIMIT, in_cluster(wanted, &access)).await.ok().and_then(Result::ok)
        }
    }
    .unwrap_or_default();
    names.sort();
    names.dedup();
    names
}

async fn in_cluster(wanted: Wanted, access: &Access) -> Result<Vec<String>, CtlError> {
    let cluster = Cluster::open(access).await?;
    let named = |metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| metadata.name;
    Ok(match wanted {
        Wanted::Peers => {
            let found = cluster.foreign_clusters().list("").await?;
            found.into_iter().filter_map(|peer| named(peer.metadata)).collect()
        }
        Wanted::OffloadedNamespaces => {
            let found = cluster.all_offloadings().list("").await?;
            found.into_iter().filter_map(|offloading| offloading.metadata.namespace).collect()
        }
        _ => {
            let found = cluster.of_cluster::<Namespace>().list("").await?;
            found.into_iter().filter_map(|namespace| named(namespace.metadata)).collect()
        }
    })
}

/// What the words say about the cluster, however incomplete they are.
fn access(words: &[String]) -> Access {
    let complete = words.split_last().map_or(words, |(_, complete)| complete);
    let line = std::iter::once("liqoctl").chain(complete.iter().map(String::as_str));
    let matches = Arguments::command().ignore_errors(true).try_get_matches_from(line);
    matches.ok().and_then(|matches| Access::from_arg_matches(&matches).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_count_wherever_they_stand_in_a_line_that_is_not_complete() {
        let read = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let access = access(&words);
            (access.kubeconfig.map(|path| path.display().to_string()), access.context)
        };
        let both = (Some("k".to_owned()), Some("c".to_owned()));
        assert_eq!(read("--kubeconfig k --context=c unpeer "), both);
        assert_eq!(read("unpeer --kubeconfig k out-of-band --context c mi"), both);
        assert_eq!(read("peer out-of-band --kubeconfig k --context c "), both);
        assert_eq!(read("unpeer "), (None, None));
    }
}
