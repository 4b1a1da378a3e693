//! What shadows stand for, and who gets a certificate.

use liqo_events::{
    BodyDigest, Effect, Event, Facts, Owner, PodFacts, Reflection, ShadowPodFacts, SigningRequestFacts,
    Status, Switch,
};
use liqo_model::{Kind, ObjectKey};

use super::parties::{TENANT, milan, peer, settled, vanished};
use super::scenario::{Scenario, applied, condition, deleting, uid};

fn key(kind: Kind) -> ObjectKey {
    ObjectKey::local(kind, "shop-milan", "web")
}

fn shadow(policy: &str, phase: &str) -> Event {
    let facts = ShadowPodFacts {
        reflection: Reflection { origin: "milan-id".into(), ..Reflection::default() },
        phase: phase.to_owned(),
        restart_policy: policy.to_owned(),
    };
    applied(key(Kind::ShadowPod), "20", Facts::ShadowPod(facts))
}

fn pod_facts(phase: &str) -> PodFacts {
    let owner =
        Owner { kind: "ShadowPod".to_owned(), name: "web".to_owned(), uid: uid(&key(Kind::ShadowPod)) };
    PodFacts { phase: phase.to_owned(), owner: Some(owner), ..PodFacts::default() }
}

fn pod(version: &str, phase: &str) -> Event {
    applied(key(Kind::Pod), version, Facts::Pod(pod_facts(phase)))
}

fn made(reachable: bool, kind: Kind) -> Effect {
    Effect::Materialize { from: key(kind), uid: uid(&key(kind)), content: BodyDigest::default(), reachable }
}

/// The pod was made and runs.
fn running(policy: &str) -> Scenario {
    let mut scenario = settled();
    scenario.when(shadow(policy, ""));
    scenario.succeed("21");
    scenario.when(pod("21", "Running"));
    scenario.when(shadow(policy, "Running"));
    scenario
}

#[test]
fn a_shadow_gets_a_pod_and_its_phase() {
    let mut scenario = settled();
    assert_eq!(scenario.when(shadow("Always", "")), [made(true, Kind::ShadowPod)]);
    scenario.succeed("21");
    let status = Status::ShadowPod("Pending".to_owned());
    let phase = Effect::PutStatus { uid: uid(&key(Kind::ShadowPod)), status };
    assert_eq!(scenario.when(pod("21", "Pending")), [phase]);
}

#[test]
fn a_pod_that_changes_by_itself_is_not_made_again() {
    let mut scenario = running("Always");
    let mut facts = pod_facts("Running");
    facts.node = "worker".to_owned();
    facts.status = BodyDigest([7; 16]);
    facts.content = BodyDigest([7; 16]);
    assert_eq!(scenario.when(applied(key(Kind::Pod), "30", Facts::Pod(facts.clone()))), []);
    // But somebody took its labels.
    facts.labels.insert("app", "other");
    let effects = scenario.when(applied(key(Kind::Pod), "31", Facts::Pod(facts)));
    assert_eq!(effects, [made(true, Kind::ShadowPod)]);
}

#[test]
fn a_pod_that_was_deleted_by_hand_is_made_again() {
    for phase in ["Running", "Succeeded", "Failed"] {
        let mut scenario = running("Always");
        assert_eq!(scenario.when(deleting(key(Kind::Pod), "30", Facts::Pod(pod_facts(phase)))), []);
        assert_eq!(scenario.when(vanished(&key(Kind::Pod), "31")), [made(true, Kind::ShadowPod)]);
    }
}

#[test]
fn terminal_is_terminal() {
    for (policy, phase) in [
        ("Never", "Succeeded"),
        ("Never", "Failed"),
        ("OnFailure", "Succeeded"),
        ("OnFailure", "Failed"),
        ("Always", "Failed"),
    ] {
        let mut scenario = running(policy);
        let status = Effect::PutStatus {
            uid: uid(&key(Kind::ShadowPod)),
            status: Status::ShadowPod(phase.to_owned()),
        };
        assert_eq!(scenario.when(pod("30", phase)), [status], "{policy} {phase}");
        scenario.when(shadow(policy, phase));
        assert_eq!(scenario.when(vanished(&key(Kind::Pod), "32")), [], "{policy} {phase}");
    }
}

#[test]
fn a_pod_of_somebody_else_is_left_alone() {
    let theirs = PodFacts { owner: None, ..pod_facts("Running") };
    let mut scenario = settled().given([applied(key(Kind::Pod), "10", Facts::Pod(theirs))]);
    assert_eq!(scenario.when(shadow("Always", "")), []);
}

#[test]
fn nothing_is_made_in_a_namespace_that_goes() {
    let namespace = super::scenario::namespace_key("shop-milan");
    let mut scenario = running("Always");
    scenario.when(deleting(namespace, "29", Facts::Namespace(Default::default())));
    assert_eq!(scenario.when(vanished(&key(Kind::Pod), "30")), []);
}

#[test]
fn endpoints_are_ready_while_the_consumer_can_be_reached() {
    let said = |network: &str, server: &str| {
        let mut facts = milan(Switch::No);
        facts.conditions = vec![
            condition("NetworkStatus", network, "", "", 1),
            condition("APIServerStatus", server, "", "", 1),
        ];
        peer(facts)
    };
    let slices = |effects: Vec<Effect>| -> Vec<Effect> {
        effects.into_iter().filter(|effect| matches!(effect, Effect::Materialize { .. })).collect()
    };
    let facts = Reflection { origin: "milan-id".into(), ..Reflection::default() };
    let slice = applied(key(Kind::ShadowEndpointSlice), "20", Facts::Reflected(facts));
    assert_eq!(settled().when(slice.clone()), []);
    let mut scenario = settled().given([said("Established", "Established")]).acted();
    let kind = Kind::ShadowEndpointSlice;
    assert_eq!(slices(scenario.when(slice)), [made(true, kind)]);
    assert_eq!(slices(scenario.when(said("Established", "Error"))), [made(false, kind)]);
    assert_eq!(slices(scenario.when(said("External", "Established"))), [made(true, kind)]);
    assert_eq!(slices(scenario.when(said("Established", "Established"))), []);
}

#[test]
fn a_kubelet_gets_a_certificate_for_its_own_node_alone() {
    let requester = format!("system:serviceaccount:{TENANT}:virtual-kubelet");
    let good = SigningRequestFacts {
        requester,
        signer: "kubernetes.io/kubelet-serving".to_owned(),
        decided: false,
        node: "liqo-milan".to_owned(),
    };
    let other_node = SigningRequestFacts { node: "worker".to_owned(), ..good.clone() };
    let other_signer =
        SigningRequestFacts { signer: "kubernetes.io/kube-apiserver-client".to_owned(), ..good.clone() };
    let other_tenant = SigningRequestFacts {
        requester: "system:serviceaccount:liqo-tenant-boston:virtual-kubelet".to_owned(),
        ..good.clone()
    };
    let decided = SigningRequestFacts { decided: true, ..good.clone() };
    let csr = ObjectKey::local_cluster_scoped(Kind::CertificateSigningRequest, "csr-1");
    for (facts, approved) in
        [(good, true), (other_node, false), (other_signer, false), (other_tenant, false), (decided, false)]
    {
        let mut scenario = settled().given([peer(milan(Switch::Yes))]).acted();
        let effects = scenario.when(applied(csr.clone(), "20", Facts::SigningRequest(facts)));
        let expected = if approved { vec![Effect::ApproveSigning { uid: uid(&csr) }] } else { Vec::new() };
        assert_eq!(effects, expected);
    }
}
