//! What the webhooks say: decision tables.

use liqo_events::{Event, Facts, NamespaceFacts, OffloadingFacts, PodStrategy, Requirement, SelectorTerm};
use liqo_model::{Kind, NamespaceName};

use super::scenario::{
    Scenario, applied, deleting, generation, list_of, lists, namespace, namespace_key, offloading,
    offloading_facts, offloading_key, started,
};
use crate::{
    Forbidden, NamespaceOrigin, PeerIdentity, Placement, State, Strategies, Undecided, foreign_cluster_label,
    foreign_cluster_violation, namespace_origin, offloading_violation, offloading_warning, pod_placement,
};

fn placement(state: &State) -> Placement {
    pod_placement(state, &NamespaceName::new("shop"))
}

fn after(events: impl IntoIterator<Item = Event>) -> Placement {
    placement(&Scenario::settled().given(events).state)
}

fn term(operator: &str) -> SelectorTerm {
    let requirement = Requirement {
        key: "region".to_owned(),
        operator: operator.to_owned(),
        values: vec!["eu".to_owned()],
    };
    SelectorTerm { expressions: vec![requirement], ..SelectorTerm::default() }
}

fn with(pods: PodStrategy, selector: Vec<SelectorTerm>) -> OffloadingFacts {
    OffloadingFacts { pods, selector, ..offloading_facts() }
}

fn undecided(why: Undecided) -> Placement {
    Placement::Undecided(why)
}

#[test]
fn admission_follows_the_strategy() {
    let eu = || vec![term("In")];
    for (facts, expected) in [
        (with(PodStrategy::Local, eu()), Placement::Local),
        (with(PodStrategy::Remote, vec![]), Placement::Remote { terms: vec![] }),
        (with(PodStrategy::Remote, eu()), Placement::Remote { terms: eu() }),
        (with(PodStrategy::LocalAndRemote, vec![]), Placement::LocalAndRemote { terms: vec![] }),
        (with(PodStrategy::LocalAndRemote, eu()), Placement::LocalAndRemote { terms: eu() }),
    ] {
        for labelled in [false, true] {
            let events = [namespace("shop", labelled), offloading(facts.clone())];
            assert_eq!(after(events), expected, "{facts:?} labelled {labelled}");
        }
        // The offloading counts before anybody has done anything for it, and before its namespace was seen.
        let fresh = OffloadingFacts { finalizer: false, ..facts };
        assert_eq!(after([offloading(fresh)]), expected);
    }
}

#[test]
fn admission_refuses_what_nobody_can_tell() {
    let malformed = |facts| applied(offloading_key("shop"), "30", facts);
    for (events, expected) in [
        (vec![namespace("shop", true)], undecided(Undecided::NoOffloading)),
        (vec![namespace("shop", false)], Placement::NotOffloaded),
        (vec![namespace("other", true)], undecided(Undecided::UnknownNamespace)),
        (
            // Whether it has the label is not known.
            vec![applied(namespace_key("shop"), "20", Facts::Malformed("metadata.labels".to_owned()))],
            undecided(Undecided::NoOffloading),
        ),
        (
            vec![malformed(Facts::Malformed("spec.podOffloadingStrategy is \"Moon\"".to_owned()))],
            undecided(Undecided::Unreadable("spec.podOffloadingStrategy is \"Moon\"".to_owned())),
        ),
        (
            vec![malformed(Facts::Oversized(70_000))],
            undecided(Undecided::Unreadable("it has 70000 bytes, which is too much".to_owned())),
        ),
        (
            vec![offloading(with(PodStrategy::Remote, vec![term("Near")]))],
            undecided(Undecided::InvalidSelector(
                "operator \"Near\" of \"region\" is none of Kubernetes".to_owned(),
            )),
        ),
        // Nobody looks at the selector.
        (vec![offloading(with(PodStrategy::Local, vec![term("Near")]))], Placement::Local),
    ] {
        assert_eq!(after(events.clone()), expected, "{events:?}");
    }
}

#[test]
fn admission_keeps_new_pods_while_an_offloading_ends() {
    let remote = Facts::Offloading(with(PodStrategy::Remote, vec![]));
    for facts in [remote, Facts::Malformed("spec".to_owned())] {
        let end = deleting(offloading_key("shop"), "31", facts);
        assert_eq!(after([namespace("shop", true), end]), Placement::Local);
    }
}

#[test]
fn admission_waits_for_the_lists_of_the_present_life() {
    let state = |events: Vec<Event>| Scenario::default().given(events).state;
    let known = vec![started(), generation(1), namespace("shop", true), offloading(offloading_facts())];
    assert_eq!(placement(&state(known.clone())), undecided(Undecided::NotListed(Kind::NamespaceOffloading)));
    let half = [known.clone(), vec![list_of(Kind::NamespaceOffloading, 1)]].concat();
    assert_eq!(placement(&state(half)), undecided(Undecided::NotListed(Kind::Namespace)));
    let listed = [known, lists(1)].concat();
    assert_eq!(placement(&state(listed.clone())), Placement::LocalAndRemote { terms: vec![] });
    // The cluster was restored: what was known is of another one.
    let restored = [listed, vec![generation(2)]].concat();
    assert_eq!(placement(&state(restored)), undecided(Undecided::NotListed(Kind::NamespaceOffloading)));
}

#[test]
fn admission_waits_only_for_what_others_may_know() {
    for (placement, soon) in [
        (Placement::NotOffloaded, true),
        (undecided(Undecided::NotListed(Kind::Namespace)), true),
        (undecided(Undecided::UnknownNamespace), true),
        (undecided(Undecided::NoOffloading), true),
        (undecided(Undecided::Unreadable(String::new())), false),
        (undecided(Undecided::InvalidSelector(String::new())), false),
        (Placement::Local, false),
        (Placement::Remote { terms: vec![] }, false),
        (Placement::LocalAndRemote { terms: vec![] }, false),
    ] {
        assert_eq!(placement.may_change_soon(), soon, "{placement:?}");
    }
}

#[test]
fn admission_knows_whose_a_namespace_is() {
    let of = |consumer: &str| {
        Facts::Namespace(NamespaceFacts { remote_cluster: consumer.into(), ..NamespaceFacts::default() })
    };
    for (facts, expected) in [
        (None, NamespaceOrigin::Missing),
        (Some(of("")), NamespaceOrigin::Local),
        (Some(of("rome-id")), NamespaceOrigin::Consumer("rome-id".into())),
        (Some(Facts::Malformed("metadata.labels".to_owned())), NamespaceOrigin::Local),
    ] {
        let events = facts.map(|facts| applied(namespace_key("shop"), "20", facts));
        let state = Scenario::settled().given(events).state;
        assert_eq!(namespace_origin(&state, &NamespaceName::new("shop")), expected);
    }
}

#[test]
fn admission_of_offloadings() {
    let old = Strategies { mapping: "DefaultName", pods: "LocalAndRemote" };
    let same_name = Strategies { mapping: "EnforceSameName", ..old };
    let remote = Strategies { pods: "Remote", ..old };
    let field = "spec.namespaceMappingStrategy";
    assert_eq!(offloading_violation("offloading", None, same_name), None);
    assert_eq!(offloading_violation("other", None, old), Some(Forbidden::OffloadingName));
    assert_eq!(offloading_violation("offloading", Some(old), remote), None);
    let refused = offloading_violation("offloading", Some(old), same_name);
    assert!(matches!(refused, Some(Forbidden::Fixed { field: fixed, .. }) if fixed == field), "{refused:?}");

    for (before, now, warned) in [
        (None, remote, false),
        (Some(old), old, false),
        (Some(remote), old, false),
        (Some(remote), remote, false),
        (Some(old), remote, true),
        (Some(remote), Strategies { pods: "Local", ..old }, true),
    ] {
        assert_eq!(offloading_warning(before, now).is_some(), warned, "{before:?} {now:?}");
    }
}

#[test]
fn admission_of_foreign_clusters() {
    let known = PeerIdentity { peering_type: "OutOfBand", cluster_id: "id", cluster_name: "milan" };
    let unknown = PeerIdentity { cluster_id: "", cluster_name: "", ..known };
    let field = |old, new| match foreign_cluster_violation(old, new) {
        Some(Forbidden::Fixed { field, .. }) => field,
        other => {
            assert_eq!(other, None);
            ""
        }
    };
    for (old, new, expected) in [
        (known, known, ""),
        (unknown, known, ""),
        (unknown, unknown, ""),
        (known, unknown, "spec.clusterIdentity.clusterID"),
        (known, PeerIdentity { cluster_id: "other", ..known }, "spec.clusterIdentity.clusterID"),
        (known, PeerIdentity { cluster_name: "rome", ..known }, "spec.clusterIdentity.clusterName"),
        (known, PeerIdentity { peering_type: "InBand", ..known }, "spec.peeringType"),
        (unknown, PeerIdentity { peering_type: "InBand", ..known }, "spec.peeringType"),
    ] {
        assert_eq!(field(old, new), expected, "{old:?} {new:?}");
    }

    assert_eq!(foreign_cluster_label("", None), None);
    assert_eq!(foreign_cluster_label("", Some("other")), None);
    assert_eq!(foreign_cluster_label("id", Some("id")), None);
    assert_eq!(foreign_cluster_label("id", None), Some("id"));
    assert_eq!(foreign_cluster_label("id", Some("other")), Some("id"));
}
