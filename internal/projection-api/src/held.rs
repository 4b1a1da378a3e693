//! What is held of a peer until an administrator lets go of it.

use std::collections::BTreeSet;

use liqo_domain::{Object, State};
use liqo_events::{Facts, OrphanReleased};
use liqo_model::{ClusterId, Kind, ObjectKey};

use crate::ReleaseError;

/// Names that an error lists: as many as fit on a line or two.
const MOST_NAMES: usize = 10;

/// The peer that a text names, and the words that let go of everything that is held of it.
///
/// # Errors
///
/// [`ReleaseError::Unknown`], [`ReleaseError::Unclear`].
pub(crate) fn held(state: &State, peer: &str) -> Result<(ClusterId, Vec<OrphanReleased>), ReleaseError> {
    let id = id_of(state, peer)?;
    let of_peer = |map: &ObjectKey| state.objects.get(map).and_then(cluster_of) == Some(&id);
    let words = state
        .orphans
        .iter()
        .filter(|((map, _), orphan)| orphan.held && orphan.released.is_none() && of_peer(map))
        .map(|((map, namespace), _)| OrphanReleased { map: map.clone(), namespace: namespace.clone() })
        .collect();
    Ok((id, words))
}

/// By the ID itself, or by the name of a ForeignCluster or of a NamespaceMap, which outlives it.
fn id_of(state: &State, peer: &str) -> Result<ClusterId, ReleaseError> {
    let known = || state.local(Kind::ForeignCluster).chain(state.local(Kind::NamespaceMap));
    let ids = || known().filter_map(|(key, object)| Some((key.name.as_str(), cluster_of(object)?)));
    if let Some((_, id)) = ids().find(|(_, id)| !id.is_empty() && id.as_str() == peer) {
        return Ok(id.clone());
    }
    let named = || ids().filter(|(name, _)| *name == peer).map(|(_, id)| id);
    let clear: BTreeSet<&ClusterId> = named().filter(|id| !id.is_empty()).collect();
    let unclear = |why| Err(ReleaseError::Unclear { peer: peer.to_owned(), why });
    match Vec::from_iter(clear).as_slice() {
        [id] => Ok((*id).clone()),
        [first, second, ..] => unclear(format!("it stands for {first} and {second}")),
        [] if named().next().is_some() => unclear("its ID is not known yet".to_owned()),
        [] => {
            let known = names(ids().map(|(name, _)| name).collect());
            Err(ReleaseError::Unknown { peer: peer.to_owned(), known })
        }
    }
}

/// The peer that an object is about.
fn cluster_of(object: &Object) -> Option<&ClusterId> {
    match &object.facts {
        Facts::ForeignCluster(facts) => Some(&facts.cluster_id),
        Facts::NamespaceMap(facts) => Some(&facts.remote_cluster),
        _ => None,
    }
}

fn names(names: BTreeSet<&str>) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let shown: Vec<&str> = names.into_iter().take(MOST_NAMES).collect();
    match (shown.as_slice(), more) {
        ([], _) => "none".to_owned(),
        (shown, 0) => shown.join(", "),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use liqo_domain::{LiqoMachine, Machine};
    use liqo_events::{
        Applied, BodyDigest, Event, ForeignClusterFacts, NamespaceMapFacts, OrphanNoticed, Recorded, Seq,
        UnixMillis,
    };

    use super::*;

    fn state(events: impl IntoIterator<Item = Event>) -> State {
        let mut state = State::default();
        for (event, seq) in events.into_iter().zip(1..) {
            let recorded = Recorded { seq: Seq(seq), recorded_at: UnixMillis(0), caused_by: None, event };
            LiqoMachine::evolve(&mut state, &recorded);
        }
        state
    }

    fn applied(object: ObjectKey, facts: Facts) -> Event {
        Event::Applied(Applied {
            object,
            uid: "u".into(),
            resource_version: "1".into(),
            generation: 1,
            created_at: UnixMillis(0),
            deleting: false,
            digest: BodyDigest::default(),
            facts,
            coalesced: 0,
        })
    }

    fn peer(name: &str, id: &str) -> Event {
        let facts = ForeignClusterFacts { cluster_id: id.into(), ..ForeignClusterFacts::default() };
        applied(ObjectKey::local_cluster_scoped(Kind::ForeignCluster, name), Facts::ForeignCluster(facts))
    }

    fn map_key(name: &str) -> ObjectKey {
        ObjectKey::local(Kind::NamespaceMap, "tenant", name)
    }

    /// A map of a peer with these namespaces.
    fn map(name: &str, id: &str, namespaces: &[&str]) -> Event {
        let desired = namespaces.iter().map(|name| ((*name).into(), "remote".into())).collect();
        let facts = NamespaceMapFacts {
            remote_cluster: id.into(),
            origin: true,
            desired,
            ..NamespaceMapFacts::default()
        };
        applied(map_key(name), Facts::NamespaceMap(facts))
    }

    fn orphan(map: &str, namespace: &str, held: bool) -> Event {
        let (map, namespace) = (map_key(map), namespace.into());
        Event::OrphanNoticed(OrphanNoticed { map, namespace, generation: 2, held })
    }

    fn word(map: &str, namespace: &str) -> OrphanReleased {
        OrphanReleased { map: map_key(map), namespace: namespace.into() }
    }

    #[test]
    fn everything_that_is_held_of_one_peer_is_let_go_of_and_nothing_else() {
        let state = state([
            peer("milan", "milan-id"),
            map("milan", "milan-id", &["shop", "bank", "post", "done"]),
            map("rome", "rome-id", &["shop"]),
            orphan("milan", "shop", true),
            orphan("milan", "bank", true),
            orphan("milan", "post", false),
            orphan("milan", "done", true),
            Event::OrphanReleased(word("milan", "done")),
            orphan("rome", "shop", true),
        ]);
        let milan = Ok(("milan-id".into(), vec![word("milan", "bank"), word("milan", "shop")]));
        assert_eq!(held(&state, "milan"), milan);
        assert_eq!(held(&state, "milan-id"), milan);
        // Its ForeignCluster is gone; its map is not.
        assert_eq!(held(&state, "rome"), Ok(("rome-id".into(), vec![word("rome", "shop")])));
    }

    #[test]
    fn a_name_that_says_nothing_clear_is_refused() {
        let state = state([
            peer("milan", "milan-id"),
            peer("new", ""),
            peer("twice", "one-id"),
            map("twice", "two-id", &[]),
        ]);
        for (name, said) in [
            (
                "",
                "no peer is called \"\": give its cluster ID, or the name of its ForeignCluster; known are milan, new, twice",
            ),
            ("Milan", "no peer is called \"Milan\""),
            ("new", "the name \"new\" does not say which cluster is meant, its ID is not known yet"),
            (
                "twice",
                "the name \"twice\" does not say which cluster is meant, it stands for one-id and two-id",
            ),
        ] {
            let refused = held(&state, name).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
        assert_eq!(held(&state, "two-id"), Ok(("two-id".into(), Vec::new())));
        let nobody = held(&State::default(), "milan").unwrap_err().to_string();
        assert!(nobody.ends_with("known are none"), "{nobody}");
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let peers: Vec<String> = (10..25).map(|number| format!("p{number}")).collect();
        let told = names(peers.iter().map(String::as_str).collect());
        assert_eq!(told, "p10, p11, p12, p13, p14, p15, p16, p17, p18, p19 and 5 more");
    }
}
