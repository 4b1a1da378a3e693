//! What consumers are offered, and how it follows what is free.

use std::collections::BTreeMap;

use liqo_events::{
    Configured, Content, ControlPlaneSettings, Effect, Event, Facts, KubeletSettings, NamespaceFacts,
    NodeFacts, PodFacts, Recorded, RelistCompleted, Replication, ResourceOfferFacts, ResourceRequestFacts,
    Seq, Settings, ShareReported, SharingConfigured, Status, UnixMillis, WatchKey,
};
use liqo_model::{ClusterId, ClusterRef, Kind, ObjectKey};
use proptest::prelude::*;

use super::arbitrary::events;
use super::parties::{put_of, settings, settled, vanished};
use super::scenario::{Scenario, applied, namespace_key, peer_facts, peer_key};
use crate::{KubeletMachine, LiqoMachine, Machine, Monitored, Output, Promise, State, monitored, sharing};

const GPU: &str = "nvidia.com/gpu";

fn amounts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(resource, amount)| ((*resource).to_owned(), *amount)).collect()
}

fn node_key(name: &str) -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::Node, name)
}

fn machine_of(name: &str, allocatable: &[(&str, u64)], change: impl FnOnce(&mut NodeFacts)) -> Event {
    let mut facts = NodeFacts { ready: true, allocatable: amounts(allocatable), ..NodeFacts::default() };
    change(&mut facts);
    applied(node_key(name), "12", Facts::Node(facts))
}

fn machine(name: &str, allocatable: &[(&str, u64)]) -> Event {
    machine_of(name, allocatable, |_| {})
}

fn pod_key(name: &str) -> ObjectKey {
    ObjectKey::local(Kind::Pod, "shop", name)
}

fn pod(name: &str, node: &str, cpu_millis: u64, change: impl FnOnce(&mut PodFacts)) -> Event {
    let mut facts =
        PodFacts { phase: "Running".to_owned(), node: node.to_owned(), cpu_millis, ..PodFacts::default() };
    change(&mut facts);
    applied(pod_key(name), "40", Facts::Pod(facts))
}

fn of(consumer: &str) -> impl Fn(&mut PodFacts) {
    let origin = [("virtualkubelet.liqo.io/origin", consumer)].into();
    move |pod| pod.labels.clone_from(&origin)
}

fn configured(sharing_percentage: u8, labels: &[(&str, &str)]) -> Event {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let settings = ControlPlaneSettings { sharing_percentage, labels, ..settings() };
    Event::Configured(Configured { settings: Settings::ControlPlane(settings) })
}

fn rules(threshold_percent: u8) -> SharingConfigured {
    SharingConfigured { threshold_percent, ..SharingConfigured::default() }
}

fn tenant(consumer: &str) -> String {
    format!("liqo-tenant-{consumer}-1")
}

fn offer_key(consumer: &str) -> ObjectKey {
    ObjectKey::local(Kind::ResourceOffer, tenant(consumer), "rome")
}

fn request_key(consumer: &str) -> ObjectKey {
    ObjectKey::local(Kind::ResourceRequest, tenant(consumer), consumer)
}

fn request(consumer: &str, withdrawn: bool) -> Event {
    let replication = Replication {
        replicated: true,
        origin_id: consumer.into(),
        owners: vec![consumer.to_owned()],
        ..Replication::default()
    };
    let facts = ResourceRequestFacts {
        replication,
        cluster_id: consumer.into(),
        cluster_name: consumer.into(),
        offer_state: "Created".to_owned(),
        withdrawn,
        ..ResourceRequestFacts::default()
    };
    applied(request_key(consumer), "20", Facts::ResourceRequest(facts))
}

/// A consumer that is known, with its tenant namespace; it has asked for nothing yet.
fn known(consumer: &str) -> [Event; 2] {
    let namespace = NamespaceFacts { tenant_of: consumer.into(), ..NamespaceFacts::default() };
    [
        applied(namespace_key(&tenant(consumer)), "9", Facts::Namespace(namespace)),
        applied(peer_key(consumer), "10", Facts::ForeignCluster(peer_facts(consumer))),
    ]
}

/// A cluster with one node, which offers so many percent of what is free, and these consumers.
fn provider(percentage: u8, allocatable: &[(&str, u64)], consumers: &[&str]) -> Scenario {
    settled()
        .given([configured(percentage, &[]), machine("worker-b", allocatable)])
        .given(consumers.iter().flat_map(|consumer| known(consumer)))
        .acted()
}

type Told = (BTreeMap<String, u64>, BTreeMap<String, String>, u32);

/// What each consumer is being told: how much, under which labels, and how many others are told the same.
fn told(effects: &[Effect]) -> BTreeMap<String, Told> {
    let offers = put_of(effects).into_iter().filter_map(|content| match content {
        Content::Offer { remote, hard, labels, others, .. } => {
            Some((remote.to_string(), (hard.clone(), labels.clone(), *others)))
        }
        _ => None,
    });
    offers.collect()
}

/// How much of a resource one consumer is being told of.
fn amount(effects: &[Effect], resource: &str) -> Option<u64> {
    told(effects).into_values().next().and_then(|(hard, ..)| hard.get(resource).copied())
}

/// The offers are written, and the watch shows them; consumers use them.
fn shown(scenario: &mut Scenario, effects: &[Effect]) -> Vec<Effect> {
    let offers = told(effects);
    scenario.succeed("30");
    let mut after = Vec::new();
    for (consumer, (hard, labels, _)) in offers {
        let facts = ResourceOfferFacts {
            replication: Replication {
                origin: true,
                remote_id: consumer.as_str().into(),
                ..Replication::default()
            },
            cluster_id: "rome-id".into(),
            hard,
            labels,
            virtual_kubelet: "Created".to_owned(),
            ..ResourceOfferFacts::default()
        };
        after.extend(scenario.when(applied(offer_key(&consumer), "31", Facts::ResourceOffer(facts))));
    }
    after
}

/// The consumer asks, and has an offer.
fn served(scenario: &mut Scenario, consumer: &str) -> Vec<Effect> {
    let effects = scenario.when(request(consumer, false));
    let after = shown(scenario, &effects);
    assert_eq!(told(&after), BTreeMap::new());
    effects
}

#[test]
fn the_example_of_the_documentation() {
    let mut scenario = provider(90, &[("cpu", 100_000), (GPU, 1_000)], &["milan"]);
    let effects = served(&mut scenario, "milan");
    assert_eq!(amount(&effects, "cpu"), Some(90_000));
    // Nine tenths of one are none, and none is said.
    assert_eq!(amount(&effects, GPU), Some(0));
    let effects = scenario.when(pod("app", "worker-b", 50_000, |_| {}));
    assert_eq!(amount(&effects, "cpu"), Some(45_000));
    shown(&mut scenario, &effects);
    let effects = scenario.when(vanished(&pod_key("app"), "41"));
    shown(&mut scenario, &effects);
    let effects = scenario.when(machine("worker-c", &[("cpu", 100_000)]));
    assert_eq!(amount(&effects, "cpu"), Some(180_000));
}

#[test]
fn every_resource_is_a_share_of_what_is_free() {
    let has = [
        ("cpu", 4_000),
        ("memory", 8_000_123_456_000),
        (GPU, 4_000),
        ("pods", 110_000),
        ("hugepages-2Mi", 0),
    ];
    let mut scenario = provider(50, &has, &["milan"]);
    let all = |cpu, memory, gpu, pods| {
        amounts(&[("cpu", cpu), ("memory", memory), (GPU, gpu), ("pods", pods), ("hugepages-2Mi", 0)])
    };
    let effects = served(&mut scenario, "milan");
    assert_eq!(told(&effects)["milan"].0, all(2_000, 4_000_000_000_000, 2_000, 55_000));
    let effects = scenario.when(pod("train", "worker-b", 1_001, |pod| {
        pod.memory_bytes = 3_000_000_000;
        pod.requests = amounts(&[(GPU, 1_000), ("nobody.has/it", 5_000)]);
    }));
    assert_eq!(told(&effects)["milan"].0, all(1_499, 2_500_000_000_000, 1_000, 54_000));
}

#[test]
fn what_others_use_is_not_offered() {
    for (what, event, expected) in [
        ("a pod of nobody", pod("a", "worker-b", 1_000, |_| {}), Some(1_500)),
        ("a pod of another consumer", pod("a", "worker-b", 1_000, of("boston")), Some(1_500)),
        ("its own pod", pod("a", "worker-b", 1_000, of("milan")), None),
        ("one that starts", pod("a", "worker-b", 1_000, |pod| pod.phase = "Pending".to_owned()), Some(1_500)),
        ("one that waits for a node", pod("a", "", 1_000, |_| {}), None),
        ("one that has ended", pod("a", "worker-b", 1_000, |pod| pod.phase = "Succeeded".to_owned()), None),
        ("one on a virtual node", pod("a", "liqo-paris", 1_000, |_| {}), None),
        ("one on a node that nobody knows", pod("a", "worker-x", 1_000, |_| {}), None),
        (
            "one that says that it runs elsewhere",
            pod("a", "worker-b", 1_000, |pod| {
                pod.labels = [("liqo.io/shadowPod", "true")].into();
            }),
            Some(1_500),
        ),
    ] {
        let mut scenario = provider(50, &[("cpu", 4_000)], &["milan"]).given([machine_of(
            "liqo-paris",
            &[("cpu", 9_000)],
            |node| node.is_virtual = true,
        )]);
        assert_eq!(amount(&served(&mut scenario, "milan"), "cpu"), Some(2_000), "{what}");
        assert_eq!(amount(&scenario.when(event), "cpu"), expected, "{what}");
    }
}

#[test]
fn a_node_counts_with_what_runs_on_it() {
    let has = [("cpu", 4_000)];
    let mut scenario = provider(100, &has, &["milan"]).given([
        machine("worker-c", &has),
        pod("mine", "worker-c", 1_000, of("milan")),
        pod("other", "worker-c", 500, |_| {}),
    ]);
    assert_eq!(amount(&served(&mut scenario, "milan"), "cpu"), Some(7_500));
    let effects = scenario.when(machine_of("worker-c", &has, |node| node.ready = false));
    assert_eq!(amount(&effects, "cpu"), Some(4_000));
    shown(&mut scenario, &effects);
    // A pod that goes meanwhile is not given back twice.
    assert_eq!(told(&scenario.when(vanished(&pod_key("other"), "41"))), BTreeMap::new());
    let effects = scenario.when(machine("worker-c", &[("cpu", 6_000)]));
    assert_eq!(amount(&effects, "cpu"), Some(10_000));
    shown(&mut scenario, &effects);
    let effects = scenario.when(vanished(&node_key("worker-c"), "42"));
    assert_eq!(amount(&effects, "cpu"), Some(4_000));
}

#[test]
fn what_is_overcommitted_counts_as_used_up_and_takes_nothing_along() {
    let mut scenario = provider(50, &[("cpu", 4_000), ("memory", 8_000_000_000_000)], &["milan"]);
    served(&mut scenario, "milan");
    let effects = scenario.when(pod("big", "worker-b", 9_000, |_| {}));
    assert_eq!(told(&effects)["milan"].0, amounts(&[("cpu", 0), ("memory", 4_000_000_000_000)]));
    shown(&mut scenario, &effects);
    let effects = scenario.when(pod("big", "worker-b", 3_999, |_| {}));
    assert_eq!(amount(&effects, "cpu"), None, "half a millicore is none");
    let effects = scenario.when(vanished(&pod_key("big"), "41"));
    assert_eq!(amount(&effects, "cpu"), Some(2_000));
}

#[test]
fn small_changes_are_told_unless_there_is_a_threshold() {
    let has = [("cpu", 4_000)];
    let mut scenario = provider(50, &has, &["milan"]);
    served(&mut scenario, "milan");
    assert_eq!(amount(&scenario.when(pod("a", "worker-b", 2, |_| {})), "cpu"), Some(1_999));
    let mut scenario = provider(50, &has, &["milan"]).given([Event::SharingConfigured(rules(5))]);
    served(&mut scenario, "milan");
    // Five percent of two cores are 100 millicores, that is 200 of pods.
    assert_eq!(amount(&scenario.when(pod("a", "worker-b", 150, |_| {})), "cpu"), None);
    assert_eq!(amount(&scenario.when(pod("b", "worker-b", 100, |_| {})), "cpu"), Some(1_875));
    // That is being told; this comes close enough to it.
    assert_eq!(amount(&scenario.when(pod("c", "worker-b", 50, |_| {})), "cpu"), None);
    // Another resource, or one less, is no small change.
    let effects = scenario.when(machine("worker-b", &[("cpu", 4_000), (GPU, 1_000)]));
    assert_eq!(amount(&effects, GPU), Some(0));
    shown(&mut scenario, &effects);
    let effects = scenario.when(machine("worker-b", &has));
    assert_eq!(told(&effects)["milan"].0.get(GPU), None);
}

#[test]
fn offers_of_all_consumers_follow_settings_that_change() {
    let mut scenario =
        provider(50, &[("cpu", 4_000)], &["milan", "boston"]).given([Event::SharingConfigured(rules(5))]);
    served(&mut scenario, "milan");
    served(&mut scenario, "boston");
    let region = [("region", "eu")];
    // Less than the threshold, and yet told: it was said on purpose.
    let effects = scenario.when(configured(49, &region));
    let labels: BTreeMap<String, String> = [("region".to_owned(), "eu".to_owned())].into();
    let of = |cpu, others| (amounts(&[("cpu", cpu)]), labels.clone(), others);
    let expected = ["boston", "milan"].map(|consumer| (consumer.to_owned(), of(1_960, 1)));
    assert_eq!(told(&effects), expected.into());
    // Nobody is peered again: nothing but the offers is written.
    assert!(put_of(&effects).iter().all(|content| matches!(content, Content::Offer { .. })), "{effects:?}");
    assert_eq!(told(&shown(&mut scenario, &effects)), BTreeMap::new());
    // From now on the threshold holds again.
    assert_eq!(told(&scenario.when(pod("a", "worker-b", 100, |_| {}))), BTreeMap::new());
    let effects = scenario.when(Event::SharingConfigured(rules(0)));
    assert_eq!(told(&effects)["milan"].0, amounts(&[("cpu", 1_911)]));
    let effects = scenario.when(configured(49, &[]));
    assert_eq!(told(&effects)["milan"], (amounts(&[("cpu", 1_911)]), BTreeMap::new(), 1));
}

#[test]
fn a_consumer_has_no_more_than_its_limit() {
    let has = [("cpu", 4_000), (GPU, 4_000)];
    let limits: [(ClusterId, _); 2] = [
        ("".into(), amounts(&[("cpu", 1_500), (GPU, 1_000), ("nobody.has/it", 1)])),
        ("milan".into(), amounts(&[("cpu", 1_800)])),
    ];
    let limited = SharingConfigured { limits: limits.into(), ..rules(0) };
    let mut scenario = provider(50, &has, &["milan", "boston"]).given([Event::SharingConfigured(limited)]);
    let offered = |effects: &[Effect], consumer: &str| told(effects)[consumer].0.clone();
    let effects = served(&mut scenario, "milan");
    assert_eq!(offered(&effects, "milan"), amounts(&[("cpu", 1_800), (GPU, 1_000)]));
    let effects = served(&mut scenario, "boston");
    assert_eq!(offered(&effects, "boston"), amounts(&[("cpu", 1_500), (GPU, 1_000)]));
    // What is not there is not offered because the limit would allow it.
    let effects = scenario.when(pod("a", "worker-b", 3_000, |_| {}));
    assert_eq!(offered(&effects, "milan"), amounts(&[("cpu", 500), (GPU, 1_000)]));
}

fn message(effects: &[Effect], consumer: &str) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::WriteForeignClusterStatus { uid, conditions, .. }
            if *uid == super::scenario::uid(&peer_key(consumer)) =>
        {
            let incoming = conditions.iter().find(|condition| condition.kind == "IncomingPeering");
            incoming.map(|condition| condition.message.clone())
        }
        _ => None,
    })
}

/// The statuses of ForeignClusters are written, and the watch shows them.
fn settle_status(scenario: &mut Scenario, effects: &[Effect]) {
    scenario.succeed("32");
    for effect in effects {
        let Effect::WriteForeignClusterStatus { uid, conditions, tenant_local, .. } = effect else {
            continue;
        };
        let of = |consumer: &&&str| *uid == super::scenario::uid(&peer_key(consumer));
        let Some(consumer) = ["milan", "boston", "paris"].iter().find(of) else { continue };
        let mut facts = peer_facts(consumer);
        facts.conditions.clone_from(conditions);
        facts.tenant_local = tenant_local.clone();
        scenario.when(applied(peer_key(consumer), "33", Facts::ForeignCluster(facts)));
    }
}

#[test]
fn it_is_said_when_several_are_promised_the_same() {
    let mut scenario = provider(100, &[("cpu", 1_000)], &["milan", "boston", "paris"]);
    let alone = scenario.when(request("milan", false));
    assert_eq!(told(&alone)["milan"], (amounts(&[("cpu", 1_000)]), BTreeMap::new(), 0));
    let after = shown(&mut scenario, &alone);
    let accepted = "the request in namespace liqo-tenant-milan-1 was accepted, and its offer is used";
    assert_eq!(message(&after, "milan").as_deref(), Some(accepted));
    let shared =
        format!("{accepted}; other consumers are offered the same free capacity, nothing of it is set aside");
    for (consumer, others) in [("boston", 1), ("paris", 2)] {
        let effects = scenario.when(request(consumer, false));
        assert_eq!(told(&effects)[consumer].2, others);
        let after = shown(&mut scenario, &effects);
        // That it is so is said once; how many they are is in the figures, and why an offer is what it is.
        let first = message(&after, "milan");
        assert_eq!(first.as_deref(), Some(shared.as_str()).filter(|_| others == 1));
        assert_eq!(message(&after, consumer), Some(shared.replace("milan", consumer)));
        settle_status(&mut scenario, &after);
    }
    let promise = |state: &State| sharing(state).resources["cpu"];
    assert_eq!(sharing(&scenario.state).consumers, 3);
    assert_eq!(promise(&scenario.state), Promise { free: 1_000, promised: 3_000 });
    // What a consumer uses is no promise any more, and is not free for others.
    let effects = scenario.when(pod("a", "worker-b", 400, of("milan")));
    shown(&mut scenario, &effects);
    assert_eq!(promise(&scenario.state), Promise { free: 600, promised: 1_800 });
}

fn reported(peer: &str, of: Option<&[(&str, u64)]>) -> Event {
    Event::ShareReported(ShareReported { peer: peer.into(), amounts: of.map(amounts) })
}

fn monitor() -> Event {
    Event::SharingConfigured(SharingConfigured { monitored: true, ..rules(5) })
}

fn set(of: &[&str]) -> std::collections::BTreeSet<ClusterId> {
    of.iter().map(|name| ClusterId::new(*name)).collect()
}

#[test]
fn a_monitor_says_what_each_consumer_may_have() {
    let mut scenario = provider(50, &[("cpu", 4_000)], &["milan", "boston"]).given([monitor()]);
    // Nothing is offered before it has spoken.
    assert_eq!(told(&scenario.when(request("milan", false))), BTreeMap::new());
    assert_eq!(monitored(&scenario.state), Monitored { consumers: set(&["milan"]), known: set(&[]) });
    let effects = scenario.when(reported("milan", Some(&[("cpu", 9_000), (GPU, 500)])));
    // It divides what there is, so nothing is promised twice; and its amounts are taken as they are.
    assert_eq!(told(&effects)["milan"], (amounts(&[("cpu", 9_000), (GPU, 500)]), BTreeMap::new(), 0));
    shown(&mut scenario, &effects);
    // Pods and nodes change nothing; small changes are not told, others are.
    assert_eq!(told(&scenario.when(pod("a", "worker-b", 3_000, |_| {}))), BTreeMap::new());
    assert_eq!(told(&scenario.when(reported("milan", Some(&[("cpu", 8_900), (GPU, 500)])))), BTreeMap::new());
    let effects = scenario.when(reported("milan", Some(&[("cpu", 8_000)])));
    assert_eq!(told(&effects)["milan"].0, amounts(&[("cpu", 8_000)]));
    shown(&mut scenario, &effects);
    // Another consumer is another matter.
    assert_eq!(told(&scenario.when(reported("boston", Some(&[("cpu", 1_000)])))), BTreeMap::new());
    assert_eq!(monitored(&scenario.state).known, set(&["boston", "milan"]));
}

#[test]
fn what_the_monitor_said_last_stands_until_it_is_forgotten() {
    let mut scenario = provider(50, &[("cpu", 4_000)], &["milan"]).given([monitor()]);
    scenario.when(request("milan", false));
    let effects = scenario.when(reported("milan", Some(&[("cpu", 3_000)])));
    shown(&mut scenario, &effects);
    let restarted = LiqoMachine::compact(&scenario.state);
    let mut again = State::default();
    restarted.iter().for_each(|event| LiqoMachine::evolve(&mut again, event));
    assert_eq!(again, scenario.state);
    // Also when nobody knows any more what it was: the offer itself says it.
    assert_eq!(told(&scenario.when(reported("milan", None))), BTreeMap::new());
    assert_eq!(told(&scenario.when(pod("a", "worker-b", 3_000, |_| {}))), BTreeMap::new());
    assert!(!LiqoMachine::is_news(&scenario.state, &reported("milan", None)));
    // Without a monitor the share of what is free counts again.
    let effects = scenario.when(Event::SharingConfigured(rules(5)));
    assert_eq!(told(&effects)["milan"].0, amounts(&[("cpu", 500)]));
    assert!(!LiqoMachine::is_news(&scenario.state, &reported("milan", Some(&[("cpu", 1)]))));
    assert_eq!(monitored(&scenario.state), Monitored::default());
}

#[test]
fn a_consumer_that_wants_nothing_any_more_is_to_be_forgotten() {
    let mut scenario = provider(50, &[("cpu", 4_000)], &["milan"]).given([monitor()]);
    scenario.when(request("milan", false));
    scenario.when(reported("milan", Some(&[("cpu", 3_000)])));
    scenario.when(request("milan", true));
    assert_eq!(monitored(&scenario.state), Monitored { consumers: set(&[]), known: set(&["milan"]) });
    scenario.when(reported("milan", None));
    assert_eq!(monitored(&scenario.state), Monitored::default());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_account_is_what_the_objects_say(
        loads in proptest::collection::vec((0..4_usize, 0..4_usize, 0..4_u64, 0..4_usize), 0..60),
        others in events(),
    ) {
        let nodes = ["worker-b", "worker-c", "liqo-paris", ""];
        let mut scenario = Scenario::default().given(others);
        for (what, node, cpu, of_whom) in loads {
            let name = format!("p{cpu}");
            scenario.record(match what {
                0 => machine_of(nodes[node % 3], &[("cpu", cpu * 1_000)], |facts| {
                    facts.ready = of_whom > 0;
                    facts.is_virtual = of_whom == 3;
                }),
                1 if of_whom == 0 => vanished(&node_key(nodes[node % 3]), "90"),
                1 => vanished(&pod_key(&name), "90"),
                _ => pod(&name, nodes[node], cpu * 100, |pod| {
                    of(["", "milan", "boston", "paris"][of_whom])(pod);
                    if of_whom == 2 {
                        pod.requests = amounts(&[(GPU, 1_000 * cpu)]);
                    }
                }),
            }, None);
        }
        let mut summed = State::default();
        LiqoMachine::compact(&scenario.state).iter().for_each(|event| LiqoMachine::evolve(&mut summed, event));
        prop_assert_eq!(&summed.derived.account, &scenario.state.derived.account);
    }
}

/// What the virtual kubelet of milan wants to be done after each of these events.
fn wanted_of_kubelet(events: impl IntoIterator<Item = Event>) -> Vec<Vec<Effect>> {
    let settings = KubeletSettings {
        remote: "milan-id".into(),
        tenant: "liqo-tenant-milan".into(),
        node: "liqo-milan".to_owned(),
        ..KubeletSettings::default()
    };
    let listed = |kind| {
        Event::RelistCompleted(RelistCompleted {
            watch: WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() },
            resource_version: "5".into(),
            generation: 0,
            objects: 0,
            differences: 0,
        })
    };
    let configured = Event::Configured(Configured { settings: Settings::Kubelet(settings) });
    let before = [configured, listed(Kind::Node), listed(Kind::ResourceOffer)];
    let (mut state, mut wanted) = (State::default(), Vec::new());
    for (seq, event) in (1..).zip(before.into_iter().chain(events)) {
        let recorded = Recorded { seq: Seq(seq), recorded_at: UnixMillis(0), caused_by: None, event };
        KubeletMachine::evolve(&mut state, &recorded);
        let outputs = KubeletMachine::decide(&state, &recorded).into_iter();
        let effects = outputs.filter_map(|output| match output {
            Output::Do(command) => Some(command.effect),
            Output::Record(_) => None,
        });
        wanted.push(effects.collect());
    }
    wanted.split_off(3)
}

fn offer_of_milan(hard: &[(&str, u64)], labels: &[(&str, &str)]) -> Event {
    let facts = ResourceOfferFacts {
        replication: Replication { replicated: true, ..Replication::default() },
        cluster_id: "milan-id".into(),
        hard: amounts(hard),
        labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..ResourceOfferFacts::default()
    };
    let key = ObjectKey::local(Kind::ResourceOffer, "liqo-tenant-milan", "milan");
    applied(key, "20", Facts::ResourceOffer(facts))
}

fn virtual_node(change: impl FnOnce(&mut NodeFacts)) -> Event {
    machine_of("liqo-milan", &[("cpu", 4_000), (GPU, 1_000)], |node| {
        node.is_virtual = true;
        node.remote_cluster = "milan-id".into();
        change(node);
    })
}

#[test]
fn the_virtual_node_follows_the_offer_also_in_what_it_does_not_name_any_more() {
    let offered = [&[("cpu", 4_000), (GPU, 1_000)][..], &[("cpu", 3_000)], &[("cpu", 3_000), (GPU, 0)]];
    let offers = offered.map(|hard| offer_of_milan(hard, &[]));
    let wanted = wanted_of_kubelet([virtual_node(|_| {})].into_iter().chain(offers));
    for (effects, hard) in wanted[1..].iter().zip(offered) {
        let told = effects.iter().find_map(|effect| match effect {
            Effect::PutStatus { status: Status::VirtualNode { resources, .. }, .. } => {
                Some(resources.clone())
            }
            _ => None,
        });
        assert_eq!(told, Some(amounts(hard)));
    }
}

#[test]
fn the_virtual_node_loses_the_labels_that_the_offer_has_lost() {
    let labels = |effects: &[Effect]| {
        put_of(effects).into_iter().find_map(|content| match content {
            Content::VirtualNode { labels, settings, .. } => Some((labels.clone(), settings.clone())),
            _ => None,
        })
    };
    let region: BTreeMap<String, String> = [("region".to_owned(), "eu".to_owned())].into();
    let before = [virtual_node(|_| {}), offer_of_milan(&[], &[("region", "eu")])];
    let (told, settings) = labels(&wanted_of_kubelet(before.clone())[1]).unwrap();
    assert_eq!(told, region);
    let labelled = virtual_node(|node| {
        node.labels = region.into();
        node.settings = settings;
    });
    let wanted = wanted_of_kubelet(before.into_iter().chain([labelled, offer_of_milan(&[], &[])]));
    assert_eq!(labels(&wanted[2]), None);
    assert_eq!(labels(&wanted[3]), Some((BTreeMap::new(), String::new())));
}
