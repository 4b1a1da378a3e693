//! Verdicts on ForeignClusters.

use liqo_events::{
    Applied, Condition, Effect, Event, Facts, ForeignClusterFacts, NamespaceFacts, UnixMillis,
};

use super::scenario::{
    Scenario, applied, applied_body, condition, deleting, namespace_key, peer_facts, peer_key, uid,
};
use crate::{LiqoMachine, Machine};

const TENANT: &str = "liqo-tenant-milan-ac89c5";

fn peer(name: &str, facts: ForeignClusterFacts) -> Event {
    applied(peer_key(name), "10", Facts::ForeignCluster(facts))
}

fn conditions(effects: &[Effect]) -> Vec<Condition> {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::WriteForeignClusterStatus { conditions, .. } => Some(conditions.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

fn verdict(effects: &[Effect]) -> (String, String) {
    conditions(effects).first().map(|one| (one.status.clone(), one.reason.clone())).unwrap_or_default()
}

#[test]
fn a_new_peer_gets_a_tenant_namespace_and_a_verdict() {
    let mut scenario = Scenario::settled();
    let effects = scenario.when(peer("milan", peer_facts("milan-id")));
    let verdict = condition(
        "ProcessForeignClusterStatus",
        "Success",
        "ForeignClusterProcessable",
        "the ForeignCluster can be worked with",
        scenario.state.objects.get(&peer_key("milan")).unwrap().seen_at.0,
    );
    assert_eq!(
        effects,
        vec![
            Effect::EnsureTenantNamespace { id: "milan-id".into() },
            Effect::WriteForeignClusterStatus {
                uid: uid(&peer_key("milan")),
                tenant_local: "".into(),
                tenant_remote: "".into(),
                conditions: vec![verdict],
            },
        ]
    );
}

#[test]
fn the_status_names_the_tenant_namespace_once_it_exists() {
    let mut scenario = Scenario::settled();
    scenario.when(peer("milan", peer_facts("milan-id")));
    let tenant = NamespaceFacts { tenant_of: "milan-id".into(), ..NamespaceFacts::default() };
    let effects = scenario.when(applied(namespace_key(TENANT), "11", Facts::Namespace(tenant)));
    assert!(matches!(
        effects.as_slice(),
        [Effect::WriteForeignClusterStatus { tenant_local, .. }] if tenant_local.as_str() == TENANT
    ));
}

#[test]
fn a_missing_label_is_put_on() {
    let mut scenario = Scenario::settled();
    let facts = ForeignClusterFacts { labelled_id: "".into(), ..peer_facts("milan-id") };
    let effects = scenario.when(peer("milan", facts));
    let label = Effect::LabelForeignCluster { uid: uid(&peer_key("milan")), id: "milan-id".into() };
    assert_eq!(effects.first(), Some(&label));
}

#[test]
fn our_own_id_is_refused() {
    let effects = Scenario::settled().when(peer("me", peer_facts("rome-id")));
    assert_eq!(verdict(&effects), ("Error".to_owned(), "LocalCluster".to_owned()));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::EnsureTenantNamespace { .. })));
}

#[test]
fn of_two_with_one_id_the_older_is_kept() {
    let mut scenario = Scenario::settled();
    let mut old = applied_body(peer_key("old"), "10", Facts::ForeignCluster(peer_facts("milan-id")));
    old.created_at = UnixMillis(1);
    let young =
        Applied { created_at: UnixMillis(2), ..applied_body(peer_key("a-young"), "11", old.facts.clone()) };
    scenario.when(Event::Applied(old));
    let effects = scenario.when(Event::Applied(young));
    assert_eq!(verdict(&effects), ("Error".to_owned(), "ClusterIDRepetition".to_owned()));
    assert!(conditions(&effects).first().unwrap().message.contains("ForeignCluster old"));
}

#[test]
fn a_proxy_that_is_no_url_is_refused() {
    let facts = ForeignClusterFacts { proxy_url: "proxy:8118".to_owned(), ..peer_facts("milan-id") };
    assert_eq!(
        verdict(&Scenario::settled().when(peer("milan", facts))),
        ("Error".to_owned(), "InvalidProxyURL".to_owned())
    );
}

#[test]
fn a_name_too_long_for_a_namespace_is_rejected_with_the_reason() {
    let mut scenario = Scenario::settled();
    let facts = ForeignClusterFacts { cluster_name: "m".repeat(60).into(), ..peer_facts("milan-id") };
    scenario.when(peer("milan", facts));
    let reason = &scenario.state.rejected.get(&peer_key("milan")).unwrap().body.reason;
    assert!(reason.contains("spec.clusterIdentity.clusterName"), "{reason}");
}

#[test]
fn conditions_of_others_and_times_of_old_ones_stay() {
    let network = condition("NetworkStatus", "Established", "TunnelEndpointAvailable", "", 5);
    let mine = condition("ProcessForeignClusterStatus", "Error", "LocalCluster", "x", 6);
    let facts = ForeignClusterFacts { conditions: vec![network.clone(), mine], ..peer_facts("milan-id") };
    let written = conditions(&Scenario::settled().when(peer("milan", facts)));
    assert_eq!(written.first(), Some(&network));
    assert_eq!(written.len(), 2);
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    let tenant = NamespaceFacts { tenant_of: "milan-id".into(), ..NamespaceFacts::default() };
    let mut scenario =
        Scenario::settled().given([applied(namespace_key(TENANT), "9", Facts::Namespace(tenant))]);
    let verdict = condition(
        "ProcessForeignClusterStatus",
        "Success",
        "ForeignClusterProcessable",
        "the ForeignCluster can be worked with",
        1,
    );
    let facts = ForeignClusterFacts {
        tenant_local: TENANT.into(),
        conditions: vec![verdict],
        ..peer_facts("milan-id")
    };
    assert_eq!(scenario.when(peer("milan", facts)), Vec::new());
}

#[test]
fn without_an_id_and_while_being_deleted_nothing_is_done() {
    let mut scenario = Scenario::settled();
    assert_eq!(scenario.when(peer("new", ForeignClusterFacts::default())), Vec::new());
    let going = deleting(peer_key("milan"), "12", Facts::ForeignCluster(peer_facts("milan-id")));
    assert_eq!(scenario.when(going), Vec::new());
    assert_eq!(LiqoMachine::resume(&scenario.state), Vec::new());
}
