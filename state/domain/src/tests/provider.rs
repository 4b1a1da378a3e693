//! What a cluster does that others want resources of.

use liqo_events::{
    Configured, Content, ControlPlaneSettings, Effect, Event, Facts, ResourceOfferFacts,
    ResourceRequestFacts, Settings, Status, Switch,
};
use liqo_model::{Kind, ObjectKey};

use super::parties::{
    binding, deleted, milan, our_offer, our_offer_key, peer, put_of, settings, settled, their_request,
    their_request_key, token, vanished,
};
use super::scenario::{Scenario, applied, peer_facts, peer_key, uid};

fn request(facts: ResourceRequestFacts) -> Event {
    applied(their_request_key(), "20", Facts::ResourceRequest(facts))
}

fn offer(facts: ResourceOfferFacts) -> Event {
    applied(our_offer_key(), "21", Facts::ResourceOffer(facts))
}

fn status_of(effects: &[Effect]) -> Option<(String, bool)> {
    effects.iter().find_map(|effect| match effect {
        Effect::PutStatus { status: Status::ResourceRequest { offer_state, offer_withdrawn_at }, .. } => {
            Some((offer_state.clone(), offer_withdrawn_at.is_some()))
        }
        _ => None,
    })
}

/// milan is known and has asked.
fn asked() -> Scenario {
    settled().given([peer(milan(Switch::Auto)), request(their_request()), binding("incoming")]).acted()
}

#[test]
fn who_asks_gets_a_foreign_cluster() {
    let effects = settled().when(request(their_request()));
    let expected = Content::ForeignCluster {
        id: "milan-id".into(),
        name: "milan".into(),
        auth_url: "https://milan.example:443".to_owned(),
    };
    assert_eq!(put_of(&effects), [&expected]);
    // Who is not known yet is not refused.
    assert_eq!(status_of(&effects), None);
}

#[test]
fn a_taken_name_is_made_unique() {
    let other = applied(peer_key("milan"), "5", Facts::ForeignCluster(peer_facts("another-id")));
    let effects = settled().given([other]).acted().when(request(their_request()));
    assert!(matches!(
        put_of(&effects).as_slice(),
        [Content::ForeignCluster { name, .. }] if name.as_str() == "milan-ac89c5"
    ));
}

#[test]
fn a_withdrawn_or_forged_request_makes_nobody_known() {
    let withdrawn = ResourceRequestFacts { withdrawn: true, ..their_request() };
    let forged = ResourceRequestFacts { cluster_id: "boston-id".into(), ..their_request() };
    for facts in [withdrawn, forged] {
        assert_eq!(put_of(&settled().when(request(facts))), Vec::<&Content>::new());
    }
    let elsewhere = ObjectKey::local(Kind::ResourceRequest, "liqo-tenant-boston", "milan");
    assert_eq!(settled().when(applied(elsewhere, "20", Facts::ResourceRequest(their_request()))), Vec::new());
}

#[test]
fn who_is_known_gets_an_offer_and_a_right_and_is_asked_for_an_identity() {
    let mut scenario = settled().given([peer(milan(Switch::Auto)), token("8")]).acted();
    let effects = scenario.when(request(their_request()));
    let contents = put_of(&effects);
    assert!(matches!(
        contents.as_slice(),
        [Content::PeerBinding { role, .. }, Content::Offer { hard, .. }]
            if role == "liqo-remote-peering-incoming" && *hard == our_offer().hard
    ));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Authenticate { .. })));
    let effects = scenario.when(offer(our_offer()));
    assert_eq!(status_of(&effects), Some(("Created".to_owned(), false)));
}

#[test]
fn who_is_not_welcome_is_told_so() {
    let refused = ControlPlaneSettings { incoming: false, ..settings() };
    for (incoming, settings) in [(Switch::No, settings()), (Switch::Auto, refused)] {
        let configured = Configured { settings: Settings::ControlPlane(settings) };
        let mut facts = milan(Switch::Auto);
        facts.incoming = incoming;
        let mut scenario = settled().given([Event::Configured(configured), peer(facts)]).acted();
        let effects = scenario.when(request(their_request()));
        assert!(!put_of(&effects).iter().any(|content| matches!(content, Content::Offer { .. })));
        assert_eq!(status_of(&effects), Some(("None".to_owned(), true)));
    }
}

#[test]
fn an_offer_that_is_used_is_withdrawn_and_another_one_deleted() {
    for (kubelet, gone) in [("Created", false), ("Deleting", false), ("None", true), ("", true)] {
        let facts = ResourceOfferFacts { virtual_kubelet: kubelet.to_owned(), ..our_offer() };
        let mut scenario = asked().given([offer(facts)]).acted();
        let effects = scenario.when(request(ResourceRequestFacts { withdrawn: true, ..their_request() }));
        let expected = if gone { vec![uid(&our_offer_key()).to_string()] } else { Vec::new() };
        assert_eq!(deleted(&effects), expected, "{kubelet}");
        let withdrawn = put_of(&effects);
        let withdrawn =
            matches!(withdrawn.as_slice(), [Content::ResourceOffer { withdrawn_at: Some(_), .. }]);
        assert_eq!(withdrawn, !gone, "{kubelet}");
    }
}

#[test]
fn the_consumer_is_told_when_the_offer_is_gone() {
    let mut scenario = asked().given([offer(our_offer())]).acted();
    let withdrawn =
        ResourceRequestFacts { withdrawn: true, offer_state: "Created".to_owned(), ..their_request() };
    assert_eq!(status_of(&scenario.when(request(withdrawn))), None);
    scenario.succeed("22");
    let effects = scenario.when(vanished(&our_offer_key(), "23"));
    assert_eq!(status_of(&effects), Some(("None".to_owned(), true)));
}

#[test]
fn a_request_that_never_had_an_offer_is_answered_too() {
    let mut scenario = settled().given([peer(milan(Switch::Auto))]).acted();
    let effects = scenario.when(request(ResourceRequestFacts { withdrawn: true, ..their_request() }));
    assert_eq!(status_of(&effects), Some(("None".to_owned(), true)));
}

#[test]
fn an_offer_that_was_withdrawn_goes_before_there_is_another() {
    let facts = ResourceOfferFacts { withdrawn: true, virtual_kubelet: "Deleting".to_owned(), ..our_offer() };
    let mut scenario = asked().given([offer(facts.clone())]).acted();
    let unused = ResourceOfferFacts { virtual_kubelet: "None".to_owned(), ..facts };
    let effects = scenario.when(offer(unused));
    assert_eq!(deleted(&effects), [uid(&our_offer_key()).to_string()]);
    scenario.succeed("24");
    let effects = scenario.when(vanished(&our_offer_key(), "25"));
    assert!(matches!(put_of(&effects).as_slice(), [Content::Offer { .. }]));
}

#[test]
fn who_came_by_itself_and_wants_nothing_any_more_is_forgotten() {
    for (discovery, gone) in [("IncomingPeering", true), ("Manual", false)] {
        let mut facts = milan(Switch::Auto);
        facts.discovery_type = discovery.to_owned();
        let mut scenario =
            settled().given([peer(facts), request(their_request()), binding("incoming")]).acted();
        let effects = scenario.when(vanished(&their_request_key(), "30"));
        let gone_now = deleted(&effects).contains(&uid(&peer_key("milan")).to_string());
        assert_eq!(gone_now, gone, "{discovery}");
    }
}
