//! Peers by the names that users give them: found, or refused with what may have been meant.

use liqo_api::ForeignCluster;
use liqo_api::labels::CLUSTER_ID;
use liqo_model::check_dns_label;

use crate::CtlError;
use crate::cluster::Cluster;
use crate::debug::plain;

/// Names that are told to somebody who wrote one that does not exist. More would hide the right one.
const MOST_NAMES: usize = 5;

/// The `ForeignCluster` of that name, and all others.
pub(crate) struct Known {
    pub(crate) peer: ForeignCluster,
    pub(crate) all: Vec<ForeignCluster>,
}

/// Looks for the `ForeignCluster` of that name.
pub(crate) async fn known(cluster: &Cluster, name: &str) -> Result<Known, CtlError> {
    checked(name)?;
    let all = cluster.foreign_clusters().list("").await?;
    match all.iter().find(|peer| name_of(peer) == name) {
        Some(peer) => Ok(Known { peer: peer.clone(), all }),
        None => Err(unknown(name, &all)),
    }
}

/// Refuses what no object can be called. Others may have made objects whose names have several labels.
fn checked(name: &str) -> Result<(), CtlError> {
    let whole = || check_dns_label("CLUSTER", name).map_err(|error| CtlError::Argument(error.to_string()));
    if name.split('.').all(|label| check_dns_label("CLUSTER", label).is_ok()) { Ok(()) } else { whole() }
}

/// There is no `ForeignCluster` of that name.
pub(crate) fn unknown(name: &str, all: &[ForeignCluster]) -> CtlError {
    let object = format!("ForeignCluster {}", plain(name));
    CtlError::Object { object, fault: "does not exist".to_owned(), remedy: meant(name, all) }
}

/// What may have been meant.
pub(crate) fn meant(name: &str, all: &[ForeignCluster]) -> String {
    if let Some(peer) = all.iter().find(|peer| id_of(peer) == name) {
        return format!("that is a cluster ID, of ForeignCluster {}", plain(name_of(peer)));
    }
    let mut names: Vec<&str> = all.iter().map(name_of).collect();
    names.sort_by_key(|other| (distance(name, other), *other));
    let near: Vec<String> = names
        .iter()
        .filter(|other| is_near(name, other))
        .take(MOST_NAMES)
        .map(|other| plain(other))
        .collect();
    if !near.is_empty() {
        return format!("did you mean {}?", near.join(" or "));
    }
    names.sort_unstable();
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|other| plain(other)).collect();
    match (shown.as_slice(), names.len().saturating_sub(MOST_NAMES)) {
        ([], _) => "this cluster has no peers: `liqoctl peer out-of-band` makes one".to_owned(),
        (shown, 0) => format!("there are: {}", shown.join(", ")),
        (shown, more) => format!(
            "there are: {} and {more} more, which `kubectl get foreignclusters` shows",
            shown.join(", ")
        ),
    }
}

/// All that stand for the cluster, the oldest first: the control plane works with that one alone.
pub(crate) fn standing_for<'a>(id: &str, all: &'a [ForeignCluster]) -> Vec<&'a ForeignCluster> {
    let mut found: Vec<&ForeignCluster> = all.iter().filter(|peer| id_of(peer) == id).collect();
    found.sort_by_key(|peer| (peer.metadata.creation_timestamp.clone(), name_of(peer)));
    found
}

/// Refuses a cluster for which several objects stand.
pub(crate) fn only_one(id: &str, all: &[ForeignCluster]) -> Result<(), CtlError> {
    match standing_for(id, all).as_slice() {
        [] | [_] => Ok(()),
        [oldest, others @ ..] => {
            let oldest = plain(name_of(oldest));
            let others: Vec<String> = others.iter().map(|peer| plain(name_of(peer))).collect();
            let others = others.join(" ");
            Err(CtlError::Object {
                object: format!("cluster {}", plain(id)),
                fault: format!("has several ForeignClusters: {oldest} {others}"),
                remedy: format!(
                    "the oldest, {oldest}, alone counts: `kubectl delete foreignclusters {others}`, and use {oldest}"
                ),
            })
        }
    }
}

pub(crate) fn name_of(peer: &ForeignCluster) -> &str {
    peer.metadata.name.as_deref().unwrap_or_default()
}

/// The ID in the label, by which all of Liqo finds the object, else that in its spec.
pub(crate) fn id_of(peer: &ForeignCluster) -> &str {
    let label = peer.metadata.labels.as_ref().and_then(|labels| labels.get(CLUSTER_ID));
    label.map_or(peer.spec.cluster_identity.cluster_id.as_str(), String::as_str)
}

/// Whether somebody who wrote one name may have meant the other: a third of it is wrong, or one is the beginning of the
/// other.
fn is_near(name: &str, other: &str) -> bool {
    let longest = name.chars().count().max(other.chars().count());
    let begins = name.len() >= 2 && (other.starts_with(name) || name.starts_with(other));
    begins || distance(name, other) * 3 <= longest
}

/// How many letters have to be added, left out, replaced or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (at, letter) in one.iter().enumerate() {
        let (above, before) = (&rows[at], at.checked_sub(1).map(|before| (&rows[before], one[before])));
        let mut row = vec![at + 1];
        for (across, with) in other.iter().enumerate() {
            let replaced = above[across] + usize::from(letter != with);
            let swapped = before.and_then(|(row, last)| {
                let neighbour = across.checked_sub(1)?;
                (last == *with && other[neighbour] == *letter).then(|| row[neighbour] + 1)
            });
            let least = replaced.min(above[across + 1] + 1).min(row[across] + 1);
            row.push(swapped.map_or(least, |swapped| least.min(swapped)));
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn peers(names: &[&str]) -> Vec<ForeignCluster> {
        let peer = |name: &&str| {
            serde_json::from_value(json!({
                "metadata": {"name": name, "labels": {CLUSTER_ID: format!("{name}-id")}},
                "spec": {"foreignAuthUrl": "https://a.b"},
            }))
            .unwrap()
        };
        names.iter().map(peer).collect()
    }

    #[test]
    fn the_distance_counts_what_fingers_do_wrong() {
        for (one, other, expected) in [
            ("milan", "milan", 0),
            ("milna", "milan", 1),
            ("mlan", "milan", 1),
            ("milano", "milan", 1),
            ("", "ab", 2),
            ("rome", "milan", 5),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_name_that_is_unknown_is_answered_with_the_nearest() {
        let all = peers(&["naples", "milan", "rome-2", "rome-1"]);
        assert_eq!(meant("milna", &all), "did you mean milan?");
        assert_eq!(meant("rome", &all), "did you mean rome-1 or rome-2?");
        assert_eq!(meant("milan-id", &all), "that is a cluster ID, of ForeignCluster milan");
        assert_eq!(meant("x", &all), "there are: milan, naples, rome-1, rome-2");
        assert_eq!(meant("x", &[]), "this cluster has no peers: `liqoctl peer out-of-band` makes one");
        let many = peers(&["a1", "b2", "c3", "d4", "e5", "f6", "g7"]);
        let said = meant("xxxxxxx", &many);
        assert!(said.ends_with("and 2 more, which `kubectl get foreignclusters` shows"), "{said}");
    }

    #[test]
    fn what_no_object_can_be_called_is_refused() {
        assert!(checked("milan").is_ok() && checked("milan.example.org").is_ok());
        for name in ["Milan", "a/b", "", "..", "-a"] {
            let error = checked(name).unwrap_err().to_string();
            assert!(error.starts_with(&format!("CLUSTER {name:?} is no DNS label: ")), "{error}");
        }
    }

    #[test]
    fn of_several_for_one_cluster_the_oldest_is_named() {
        let mut all = peers(&["b", "a"]);
        for (peer, made) in all.iter_mut().zip(["2026-11-22T13:00:01Z", "2026-11-22T13:00:02Z"]) {
            peer.metadata.labels.as_mut().unwrap().insert(CLUSTER_ID.to_owned(), "1".to_owned());
            peer.metadata.creation_timestamp = serde_json::from_value(json!(made)).unwrap();
        }
        let error = only_one("1", &all).unwrap_err().to_string();
        let expected = "cluster 1 has several ForeignClusters: b a: the oldest, b, alone counts: `kubectl delete \
                        foreignclusters a`, and use b";
        assert_eq!(error, expected);
        assert!(only_one("2", &all).is_ok());
    }
}
