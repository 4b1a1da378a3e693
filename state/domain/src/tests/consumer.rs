//! What a cluster does that wants resources.

use liqo_events::{
    CommandFailed, Content, Disposition, Effect, Event, Facts, NodeFacts, PodFacts, ResourceOfferFacts,
    ResourceRequestFacts, Status, Switch,
};
use liqo_model::{Kind, ObjectKey};

use super::parties::{
    TENANT, binding, binding_key, deleted, identity, milan, our_request, our_request_key, peer, put_of,
    service, settled, their_offer, their_offer_key, token, vanished, worker,
};
use super::scenario::{Scenario, applied, deleting, map_facts, peer_key, uid};

fn authenticates(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Authenticate { .. }))
}

fn said(effects: &[Effect], kind: &str) -> String {
    let conditions = effects.iter().find_map(|effect| match effect {
        Effect::WriteForeignClusterStatus { conditions, .. } => Some(conditions.clone()),
        _ => None,
    });
    let found = conditions.unwrap_or_default().into_iter().find(|condition| condition.kind == kind);
    found.map(|one| format!("{} {} {}", one.status, one.reason, one.message)).unwrap_or_default()
}

fn request(facts: ResourceRequestFacts) -> Event {
    applied(our_request_key(), "20", Facts::ResourceRequest(facts))
}

fn offer(facts: ResourceOfferFacts) -> Event {
    applied(their_offer_key(), "21", Facts::ResourceOffer(facts))
}

fn linked(outgoing: Switch) -> Scenario {
    settled().given([token("8"), identity(), peer(milan(outgoing))])
}

#[test]
fn an_identity_is_asked_for_where_something_is_wanted() {
    let effects = settled().when(peer(milan(Switch::Yes)));
    let wanted = Effect::Authenticate {
        id: "milan-id".into(),
        name: "milan".into(),
        auth_url: "https://milan.example:443".to_owned(),
        skip_tls_verify: false,
        tenant: TENANT.into(),
        home: "rome-id".into(),
        home_name: "rome".into(),
    };
    assert!(effects.contains(&wanted), "{effects:?}");
    for outgoing in [Switch::No, Switch::Auto] {
        assert!(!authenticates(&settled().when(peer(milan(outgoing)))));
    }
    assert!(!authenticates(&settled().given([identity()]).when(peer(milan(Switch::Yes)))));
}

#[test]
fn a_refusal_is_said_and_another_token_is_tried() {
    for (disposition, expected) in [
        (Disposition::Park, "Error IdentityError wrong token"),
        (Disposition::Retry { after_millis: 1000 }, "Error AuthNotReachable wrong token"),
    ] {
        let mut scenario = settled();
        scenario.when(peer(milan(Switch::Yes)));
        let pending = scenario.state.outbox.iter().map(|(_, pending)| &pending.command);
        let id = pending.filter(|command| command.slot.part == "identity").map(|command| command.id).next();
        let failed =
            CommandFailed { id: id.unwrap(), attempt: 1, disposition, error: "wrong token".to_owned() };
        let effects = scenario.when(Event::CommandFailed(failed));
        assert_eq!(said(&effects, "AuthenticationStatus"), expected);
        let again = authenticates(&scenario.when(token("12")));
        assert_eq!(again, disposition == Disposition::Park);
    }
}

#[test]
fn resources_are_asked_for_with_an_identity() {
    let mut scenario = settled();
    assert_eq!(put_of(&scenario.when(peer(milan(Switch::Yes)))), Vec::<&Content>::new());
    let effects = scenario.when(identity());
    let content = put_of(&effects);
    assert!(matches!(
        content.as_slice(),
        [Content::ResourceRequest { auth_url, withdrawn_at: None, .. }] if auth_url == "https://172.18.1.2:30443"
    ));
    assert!(said(&effects, "AuthenticationStatus").starts_with("Established IdentityAccepted"));
    assert!(said(&effects, "OutgoingPeering").starts_with("None NoResourceRequest"));
}

#[test]
fn what_was_told_stays_while_it_is_true() {
    let mut scenario = linked(Switch::Yes).given([request(our_request())]).acted();
    // A node whose name comes first changes nothing, and the end of the one that was told does.
    assert_eq!(put_of(&scenario.when(worker("worker-a", "172.18.1.1"))), Vec::<&Content>::new());
    let effects = scenario.when(worker("worker-b", "172.18.1.9"));
    assert!(matches!(
        put_of(&effects).as_slice(),
        [Content::ResourceRequest { auth_url, .. }] if auth_url == "https://172.18.1.1:30443"
    ));
}

#[test]
fn what_cannot_be_told_is_said() {
    let mut scenario = settled().given([service("ClusterIP"), identity()]);
    let effects = scenario.when(peer(milan(Switch::Yes)));
    assert_eq!(put_of(&effects), Vec::<&Content>::new());
    let said = said(&effects, "OutgoingPeering");
    assert!(said.contains("liqo.io/override-address"), "{said}");
}

#[test]
fn a_request_gives_the_provider_its_rights() {
    let mut scenario = linked(Switch::Yes).acted();
    let effects = scenario.when(request(our_request()));
    assert!(matches!(
        put_of(&effects).as_slice(),
        [Content::PeerBinding { user, role, .. }]
            if user.as_str() == "milan-id" && role == "liqo-remote-peering-outgoing"
    ));
    assert!(said(&effects, "OutgoingPeering").starts_with("Pending ResourceRequestPending"));
}

#[test]
fn an_unanswered_request_is_deleted_and_an_answered_one_withdrawn() {
    let answered = ResourceRequestFacts { offer_state: "Created".to_owned(), ..our_request() };
    let over = ResourceRequestFacts {
        withdrawn: true,
        offer_withdrawn: true,
        offer_state: "None".to_owned(),
        ..our_request()
    };
    for (facts, gone) in [(our_request(), true), (answered, false), (over, true)] {
        let mut scenario = linked(Switch::Yes).given([request(facts), binding("outgoing")]).acted();
        let effects = scenario.when(peer(milan(Switch::No)));
        let expected = if gone { vec![uid(&our_request_key()).to_string()] } else { Vec::new() };
        assert_eq!(deleted(&effects), expected);
        let withdrawn = put_of(&effects);
        assert_eq!(
            matches!(withdrawn.as_slice(), [Content::ResourceRequest { withdrawn_at: Some(_), .. }]),
            !gone
        );
    }
}

#[test]
fn a_deleted_foreign_cluster_takes_its_request_back_before_it_goes() {
    let facts = ResourceRequestFacts { offer_state: "Created".to_owned(), ..our_request() };
    let mut scenario = linked(Switch::Yes).given([request(facts), binding("outgoing")]).acted();
    let going = deleting(peer_key("milan"), "30", Facts::ForeignCluster(milan(Switch::Yes)));
    let effects = scenario.when(going);
    assert!(matches!(put_of(&effects).as_slice(), [Content::ResourceRequest { withdrawn_at: Some(_), .. }]));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::SetFinalizer { .. })), "{effects:?}");
}

#[test]
fn an_offer_is_held_before_it_is_used() {
    let mut scenario = linked(Switch::Yes).given([request(our_request()), binding("outgoing")]).acted();
    let fresh = ResourceOfferFacts { kubelet_finalizer: false, ..their_offer() };
    let effects = scenario.when(offer(fresh));
    assert_eq!(put_of(&effects), Vec::<&Content>::new());
    assert!(matches!(
        effects.first(),
        Some(Effect::SetFinalizer { finalizer, present: true, .. }) if finalizer == "liqo.io/virtualkubelet"
    ));
    let effects = scenario.when(offer(their_offer()));
    assert!(matches!(
        put_of(&effects).as_slice(),
        [Content::KubeletAccount { .. }, Content::KubeletBinding { .. }, Content::VirtualKubelet { offer, .. }]
            if offer == "milan"
    ));
    let deployment = ObjectKey::local(Kind::Deployment, TENANT, "virtual-kubelet");
    let effects = scenario.when(applied(deployment, "31", Facts::Presence));
    let created =
        Status::ResourceOffer { phase: "Accepted".to_owned(), virtual_kubelet: "Created".to_owned() };
    assert!(effects.contains(&Effect::PutStatus { uid: uid(&their_offer_key()), status: created }));
}

#[test]
fn nothing_is_made_of_an_offer_that_nobody_asked_for_or_that_is_forged() {
    let mut unasked = linked(Switch::No).acted();
    let fresh = ResourceOfferFacts { kubelet_finalizer: false, ..their_offer() };
    assert_eq!(put_of(&unasked.when(offer(fresh.clone()))), Vec::<&Content>::new());
    let mut scenario = linked(Switch::Yes).given([request(our_request()), binding("outgoing")]).acted();
    let elsewhere = ObjectKey::local(Kind::ResourceOffer, "liqo-tenant-boston", "milan");
    assert_eq!(scenario.when(applied(elsewhere, "21", Facts::ResourceOffer(fresh))), Vec::new());
}

#[test]
fn a_withdrawn_offer_is_drained_before_the_kubelet_goes() {
    let deployment = ObjectKey::local(Kind::Deployment, TENANT, "virtual-kubelet");
    let mut scenario = linked(Switch::Yes)
        .given([
            request(our_request()),
            binding("outgoing"),
            offer(their_offer()),
            applied(deployment.clone(), "31", Facts::Presence),
        ])
        .acted();
    let draining = ResourceOfferFacts {
        withdrawn: true,
        node_finalizer: true,
        phase: "Accepted".to_owned(),
        virtual_kubelet: "Created".to_owned(),
        ..their_offer()
    };
    let effects = scenario.when(offer(draining.clone()));
    assert_eq!(deleted(&effects), Vec::<String>::new());
    let status =
        Status::ResourceOffer { phase: "Accepted".to_owned(), virtual_kubelet: "Deleting".to_owned() };
    assert!(effects.contains(&Effect::PutStatus { uid: uid(&their_offer_key()), status }));
    let effects = scenario.when(offer(ResourceOfferFacts { node_finalizer: false, ..draining }));
    assert_eq!(deleted(&effects), [uid(&deployment).to_string()]);
}

#[test]
fn a_virtual_kubelet_keeps_its_rights_until_its_pod_is_gone() {
    let pod = ObjectKey::local(Kind::Pod, TENANT, "virtual-kubelet-a");
    let account = ObjectKey::local(Kind::ServiceAccount, TENANT, "virtual-kubelet");
    let deployment = ObjectKey::local(Kind::Deployment, TENANT, "virtual-kubelet");
    let on = |node: &str| {
        let labels = [("app.kubernetes.io/name".to_owned(), "virtual-kubelet".to_owned())].into();
        Facts::Pod(PodFacts { node: node.to_owned(), labels, ..PodFacts::default() })
    };
    let node = |ready| {
        let facts = NodeFacts { ready, ..NodeFacts::default() };
        applied(ObjectKey::local_cluster_scoped(Kind::Node, "worker"), "40", Facts::Node(facts))
    };
    let ending = || {
        linked(Switch::No)
            .given([
                node(true),
                applied(account.clone(), "30", Facts::Presence),
                applied(deployment.clone(), "31", Facts::Presence),
                applied(pod.clone(), "32", on("worker")),
            ])
            .acted()
    };
    let goes = |effects: &[Effect]| deleted(effects).contains(&uid(&account).to_string());
    let mut scenario = ending();
    assert!(!goes(&scenario.when(vanished(&deployment, "50"))));
    assert!(goes(&scenario.when(vanished(&pod, "51"))));
    let mut scenario = ending();
    assert!(!goes(&scenario.when(vanished(&deployment, "50"))));
    assert!(goes(&scenario.when(node(false))), "its node may never end it");
}

#[test]
fn a_virtual_node_gets_its_map_and_goes_after_it() {
    let node = ObjectKey::local_cluster_scoped(Kind::Node, "liqo-milan");
    let facts = |finalizer| {
        let facts = NodeFacts {
            is_virtual: true,
            remote_cluster: "milan-id".into(),
            finalizer,
            ..Default::default()
        };
        Facts::Node(facts)
    };
    let mut scenario = linked(Switch::Yes)
        .given([request(our_request()), binding("outgoing"), offer(their_offer())])
        .acted();
    let effects = scenario.when(applied(node.clone(), "40", facts(false)));
    assert!(matches!(effects.first(), Some(Effect::SetFinalizer { present: true, .. })), "{effects:?}");
    let effects = scenario.when(applied(node.clone(), "41", facts(true)));
    assert!(matches!(put_of(&effects).as_slice(), [Content::NamespaceMap { .. }]), "{effects:?}");
    let map = ObjectKey::local(Kind::NamespaceMap, TENANT, "milan-ac89c5");
    let mut of_milan = map_facts("milan", None, None);
    of_milan.replication = super::parties::sent();
    scenario.when(applied(map.clone(), "42", Facts::NamespaceMap(of_milan.clone())));
    let effects = scenario.when(deleting(node.clone(), "43", facts(true)));
    assert_eq!(deleted(&effects), [uid(&map).to_string()]);
    scenario.when(deleting(map.clone(), "44", Facts::NamespaceMap(of_milan)));
    let gone = vanished(&map, "45");
    let effects = scenario.when(gone);
    assert!(matches!(
        effects.first(),
        Some(Effect::SetFinalizer { finalizer, present: false, .. })
            if finalizer == "virtualnode-controller.liqo.io/finalizer"
    ));
}

#[test]
fn rights_stay_while_copies_of_the_peer_are_here() {
    let outgoing = uid(&binding_key("outgoing")).to_string();
    let mut scenario = linked(Switch::No).given([offer(their_offer()), binding("outgoing")]).acted();
    assert!(!deleted(&scenario.when(peer(milan(Switch::Auto)))).contains(&outgoing));
    let effects = scenario.when(vanished(&their_offer_key(), "50"));
    assert!(deleted(&effects).contains(&outgoing), "{effects:?}");
}
