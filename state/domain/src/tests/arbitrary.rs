//! Arbitrary events over a few names, so that they meet each other.

use liqo_events::{
    Applied, BodyDigest, Command, CommandFailed, CommandId, CommandIssued, CommandSucceeded,
    CommandSuperseded, Configured, ControlPlaneSettings, CursorMoved, Deadline, DeadlinePassed, Disposition,
    Effect, Event, Facts, GenerationChanged, IdentityFacts, LeaseGained, LeaseLost, NamespaceFacts,
    OrphanNoticed, OrphanReleased, PeerTokenFacts, Proof, Reflection, RelistCompleted, Replication, Seq,
    Settings, ShareReported, SharingConfigured, Slot, Switch, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey, ResourceVersion};
use proptest::prelude::*;

use crate::replication::REPLICATED;

use super::scenario::{
    generation, identity_facts, identity_key, list_of, map_facts, map_key, namespace_key, offloading_facts,
    offloading_key, peer_facts, peer_key, started,
};

pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(event(), 0..80)
}

/// How offers are made, and what a monitor says of milan.
fn sharing() -> impl Strategy<Value = Event> {
    let amounts = prop::option::of((0..9_000_u64).prop_map(|cpu| [("cpu".to_owned(), cpu)].into()));
    prop_oneof![
        (0..20_u8, any::<bool>(), prop::option::of(0..3_000_u64)).prop_map(
            |(threshold_percent, monitored, limit)| {
                let limits = limit.map(|cpu| ("milan-id".into(), [("cpu".to_owned(), cpu)].into()));
                let limits = limits.into_iter().collect();
                Event::SharingConfigured(SharingConfigured { threshold_percent, monitored, limits })
            }
        ),
        amounts.prop_map(|amounts| Event::ShareReported(ShareReported { peer: "milan-id".into(), amounts })),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => applied().prop_map(Event::Applied),
        3 => vanished(),
        1 => Just(started()),
        1 => (1..4_u64).prop_map(generation),
        3 => (kind(), 1..4_u64).prop_map(|(kind, generation)| list_of(kind, generation)),
        1 => (kind(), version()).prop_map(|(kind, resource_version)| {
            let watch = WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() };
            Event::CursorMoved(CursorMoved { watch, resource_version })
        }),
        1 => (1..9_u64, any::<bool>())
            .prop_map(|(epoch, continued)| Event::LeaseGained(LeaseGained { epoch, continued })),
        1 => (1..9_u64).prop_map(|epoch| Event::LeaseLost(LeaseLost { epoch })),
        1 => (1..4_u64, any::<bool>()).prop_map(|(generation, held)| {
            let (map, namespace) = (map_key("milan"), "shop".into());
            Event::OrphanNoticed(OrphanNoticed { map, namespace, generation, held })
        }),
        1 => Just(Event::OrphanReleased(OrphanReleased { map: map_key("milan"), namespace: "shop".into() })),
        1 => Just(Event::DeadlinePassed(DeadlinePassed {
            deadline: Deadline::Orphan { map: map_key("milan"), namespace: "shop".into() },
        })),
        6 => command_event(),
        12 => peering_facts().prop_flat_map(|(object, facts)| applied_of(object, facts)).prop_map(Event::Applied),
        3 => peering_facts().prop_map(|(object, _)| Event::Vanished(Vanished {
            uid: format!("{object}-1").into(),
            object,
            resource_version: "30".into(),
            proof: Proof::Deleted,
        })),
        3 => prop::sample::select(peer_lists()),
        1 => any::<bool>().prop_map(|incoming| {
            let settings = ControlPlaneSettings { incoming, sharing_percentage: 50, ..Default::default() };
            Event::Configured(Configured { settings: Settings::ControlPlane(settings) })
        }),
        2 => sharing(),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

/// Lists of the peer's side.
pub(super) fn peer_lists() -> Vec<Event> {
    let cluster = ClusterRef::Remote("milan-id".into());
    let life = GenerationChanged {
        cluster: cluster.clone(),
        uid: "there".into(),
        generation: 1,
        reason: "first contact".to_owned(),
    };
    let lists = REPLICATED.map(|kind| {
        let watch = WatchKey { cluster: cluster.clone(), kind, selector: format!("namespace={THERE}") };
        let (resource_version, objects, differences) = ("5".into(), 0, 0);
        Event::RelistCompleted(RelistCompleted {
            watch,
            resource_version,
            generation: 1,
            objects,
            differences,
        })
    });
    [Event::GenerationChanged(life)].into_iter().chain(lists).collect()
}

fn version() -> impl Strategy<Value = ResourceVersion> {
    (1..40_u32).prop_map(|number| ResourceVersion::new(number.to_string()))
}

fn facts() -> impl Strategy<Value = (ObjectKey, Facts)> {
    prop_oneof![
        Just((identity_key(), Facts::ClusterIdentity(identity_facts()))),
        (prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["rome-id", "x-id"]))
            .prop_map(|(name, id)| (peer_key(name), Facts::ForeignCluster(peer_facts(id)))),
        (0..3_u8, any::<bool>()).prop_map(|(outgoing, held)| {
            let mut facts = peer_facts("milan-id");
            facts.outgoing = [Switch::Auto, Switch::No, Switch::Yes][usize::from(outgoing)];
            facts.finalizers = held.then(|| "crdReplicator.liqo.io".to_owned()).into_iter().collect();
            (peer_key("milan"), Facts::ForeignCluster(facts))
        }),
        any::<bool>().prop_map(|scheduling_enabled| {
            let facts = liqo_events::NamespaceFacts { scheduling_enabled, ..Default::default() };
            (namespace_key("shop"), Facts::Namespace(facts))
        }),
        any::<bool>().prop_map(|finalizer| {
            let facts = liqo_events::OffloadingFacts { finalizer, ..offloading_facts() };
            (offloading_key("shop"), Facts::Offloading(facts))
        }),
        (any::<bool>(), any::<bool>()).prop_map(|(desired, current)| {
            let facts = map_facts("milan", desired.then_some("shop-r"), current.then_some("Accepted"));
            (map_key("milan"), Facts::NamespaceMap(facts))
        }),
        Just((
            ObjectKey::local_cluster_scoped(Kind::Node, "liqo-milan"),
            Facts::Node(liqo_events::NodeFacts {
                is_virtual: true,
                remote_cluster: "milan-id".into(),
                ..Default::default()
            }),
        )),
        Just((peer_key("a"), Facts::Malformed("spec.foreignAuthUrl is missing".to_owned()))),
        Just((offloading_key("shop"), Facts::Oversized(99_999))),
    ]
}

const TENANT: &str = "liqo-tenant-milan-ac89c5";
const THERE: &str = "liqo-tenant-rome";

fn replication(own: bool, finalizer: bool, spec: u8) -> Replication {
    let id = |is: bool| if is { "milan-id" } else { "" };
    Replication {
        origin: own,
        replicated: !own,
        remote_id: id(own).into(),
        origin_id: id(!own).into(),
        finalizer,
        spec: BodyDigest([spec; 16]),
        status: BodyDigest([spec; 16]),
        ..Replication::default()
    }
}

/// What a peering with milan is made of.
fn peering_facts() -> impl Strategy<Value = (ObjectKey, Facts)> {
    let exchanged = (any::<bool>(), any::<bool>(), 0..2_u8, any::<bool>(), any::<bool>());
    let made = prop::sample::select(vec![
        ObjectKey::local(Kind::Deployment, TENANT, "virtual-kubelet"),
        ObjectKey::local(Kind::ServiceAccount, TENANT, "virtual-kubelet"),
        ObjectKey::local_cluster_scoped(Kind::ClusterRoleBinding, "liqo-virtual-kubelet-milan-ac89c5"),
        ObjectKey::local(Kind::RoleBinding, TENANT, "liqo-binding-liqo-remote-peering-outgoing"),
        ObjectKey::local(Kind::RoleBinding, "shop-milan", TENANT),
    ]);
    prop_oneof![
        2 => exchanged.prop_map(request),
        2 => (any::<bool>(), any::<bool>(), 0..2_u8, any::<bool>(), any::<bool>()).prop_map(offer),
        1 => (any::<bool>(), any::<bool>(), 0..2_u8).prop_map(copied_map),
        1 => made.prop_map(|key| (key, Facts::Presence)),
        2 => (0..5_u8, any::<bool>()).prop_map(|(which, flag)| one_of_many(which, flag)),
        2 => (0..4_u8, any::<bool>()).prop_map(|(which, flag)| shadow(which, flag)),
    ]
}

fn request((own, withdrawn, spec, finalizer, there): (bool, bool, u8, bool, bool)) -> (ObjectKey, Facts) {
    let (id, name) = if own { ("rome-id", "rome") } else { ("milan-id", "milan") };
    let mut key = ObjectKey::local(Kind::ResourceRequest, TENANT, name);
    let mut facts = liqo_events::ResourceRequestFacts {
        replication: replication(own, finalizer, spec),
        cluster_id: id.into(),
        cluster_name: name.into(),
        auth_url: "https://milan.example:443".to_owned(),
        withdrawn,
        offer_state: if spec == 0 { "None" } else { "Created" }.to_owned(),
        offer_withdrawn: finalizer && withdrawn,
    };
    if own && there {
        key.cluster = ClusterRef::Remote("milan-id".into());
        key.namespace = THERE.to_owned();
        facts.replication = Replication { origin_id: "rome-id".into(), ..replication(false, false, spec) };
    }
    (key, Facts::ResourceRequest(facts))
}

fn offer((own, withdrawn, spec, finalizer, used): (bool, bool, u8, bool, bool)) -> (ObjectKey, Facts) {
    let (id, name) = if own { ("rome-id", "rome") } else { ("milan-id", "milan") };
    let facts = liqo_events::ResourceOfferFacts {
        replication: replication(own, finalizer, spec),
        cluster_id: id.into(),
        withdrawn,
        virtual_kubelet: if used { "Created" } else { "None" }.to_owned(),
        kubelet_finalizer: !own && finalizer,
        node_finalizer: !own && used,
        ..Default::default()
    };
    (ObjectKey::local(Kind::ResourceOffer, TENANT, name), Facts::ResourceOffer(facts))
}

fn copied_map((finalizer, mapped, spec): (bool, bool, u8)) -> (ObjectKey, Facts) {
    let mut facts = map_facts("milan", None, mapped.then_some("Accepted"));
    facts.origin = false;
    facts.finalizer = finalizer;
    facts.replication = replication(false, false, spec);
    facts.desired = (spec == 1).then(|| ("market".into(), "shop-milan".into())).into_iter().collect();
    (ObjectKey::local(Kind::NamespaceMap, TENANT, "rome"), Facts::NamespaceMap(facts))
}

fn one_of_many(which: u8, flag: bool) -> (ObjectKey, Facts) {
    let tenant = NamespaceFacts { tenant_of: "milan-id".into(), ..Default::default() };
    let remote_cluster = "milan-id".into();
    let managed_by = if flag { format!("{TENANT}/rome") } else { String::new() };
    let extended = NamespaceFacts { remote_cluster, managed_by, ..Default::default() };
    let identity =
        IdentityFacts { peer: "milan-id".into(), remote_namespace: THERE.into(), ..Default::default() };
    let token = PeerTokenFacts { peer: "milan-id".into() };
    let node = liqo_events::NodeFacts {
        ready: flag,
        allocatable: [("cpu".to_owned(), 4000)].into(),
        addresses: vec![("InternalIP".to_owned(), "172.18.1.1".to_owned())],
        ..Default::default()
    };
    let secret = |name| ObjectKey::local(Kind::Secret, TENANT, name);
    match which {
        0 => (namespace_key(TENANT), Facts::Namespace(tenant)),
        1 => (namespace_key("shop-milan"), Facts::Namespace(extended)),
        2 => (secret("liqo-identity-1"), Facts::Identity(identity)),
        3 => (secret("remote-token"), Facts::PeerToken(token)),
        _ => (ObjectKey::local_cluster_scoped(Kind::Node, "worker"), Facts::Node(node)),
    }
}

fn shadow(which: u8, flag: bool) -> (ObjectKey, Facts) {
    let reflection = Reflection { origin: "milan-id".into(), ..Default::default() };
    let phase = if flag { "Running" } else { "Succeeded" }.to_owned();
    let key = |kind| ObjectKey::local(kind, "shop-milan", "web");
    let uid = format!("{}-1", key(Kind::ShadowPod)).into();
    let owner = liqo_events::Owner { kind: "ShadowPod".to_owned(), name: "web".to_owned(), uid };
    let pod = liqo_events::PodFacts { phase: phase.clone(), owner: Some(owner), ..Default::default() };
    let shadow = liqo_events::ShadowPodFacts { reflection: reflection.clone(), phase, ..Default::default() };
    match which {
        0 => (key(Kind::Pod), Facts::Pod(pod)),
        1 => (key(Kind::ShadowPod), Facts::ShadowPod(shadow)),
        2 => (key(Kind::ShadowEndpointSlice), Facts::Reflected(reflection)),
        _ => (key(Kind::EndpointSlice), Facts::Reflected(reflection)),
    }
}

fn applied() -> impl Strategy<Value = Applied> {
    facts().prop_flat_map(|(object, facts)| applied_of(object, facts))
}

fn applied_of(object: ObjectKey, facts: Facts) -> impl Strategy<Value = Applied> {
    (Just((object, facts)), version(), 0..3_u8, any::<bool>(), 0..3_i64).prop_map(
        |((object, facts), resource_version, life, deleting, generation)| Applied {
            uid: format!("{object}-{life}").into(),
            object,
            resource_version,
            generation,
            created_at: UnixMillis(i64::from(life)),
            deleting,
            digest: BodyDigest([life; 16]),
            facts,
            coalesced: u32::from(life),
        },
    )
}

fn vanished() -> impl Strategy<Value = Event> {
    let proof = prop_oneof![
        Just(Proof::Deleted),
        (1..4_u64).prop_map(|generation| Proof::AbsentFromList { generation }),
    ];
    (facts(), 0..3_u8, version(), proof).prop_map(|((object, _), life, resource_version, proof)| {
        Event::Vanished(Vanished { uid: format!("{object}-{life}").into(), object, resource_version, proof })
    })
}

fn command() -> impl Strategy<Value = Command> {
    (0..6_u8, facts(), 0..2_u8).prop_map(|(id, (object, _), part)| Command {
        id: CommandId([id; 16]),
        effect: Effect::MapNamespace {
            uid: "u".into(),
            namespace: "shop".into(),
            remote: (part == 0).then(|| "r".into()),
            cause: Seq(1),
        },
        slot: Slot { object, part: format!("part-{part}") },
    })
}

fn command_event() -> impl Strategy<Value = Event> {
    let disposition = prop_oneof![
        Just(Disposition::Park),
        (0..5_u64).prop_map(|after_millis| Disposition::Retry { after_millis }),
    ];
    let id = (0..6_u8).prop_map(|id| CommandId([id; 16]));
    prop_oneof![
        3 => command().prop_map(|command| Event::CommandIssued(CommandIssued { command })),
        2 => (command(), version()).prop_map(|(command, resource_version)| {
            Event::CommandSucceeded(CommandSucceeded {
                id: command.id,
                slot: command.slot,
                effect: crate::effect_hash(&command.effect),
                resource_version,
                destructive: false,
            })
        }),
        1 => id.clone().prop_map(|id| {
            Event::CommandSuperseded(CommandSuperseded { id, reason: "gone".to_owned() })
        }),
        2 => (id.clone(), disposition, 1..4_u32).prop_map(|(id, disposition, attempt)| {
            Event::CommandFailed(CommandFailed { id, attempt, disposition, error: "503".to_owned() })
        }),
        1 => id.prop_map(|id| Event::DeadlinePassed(DeadlinePassed { deadline: Deadline::Retry(id) })),
    ]
}
