//! Arbitrary events over a few names, so that they meet each other.

use liqo_events::{
    Applied, BodyDigest, Command, CommandFailed, CommandId, CommandIssued, CommandSucceeded,
    CommandSuperseded, CursorMoved, Deadline, DeadlinePassed, Disposition, Effect, Event, Facts, LeaseGained,
    LeaseLost, OrphanNoticed, OrphanReleased, Proof, Seq, Slot, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey, ResourceVersion};
use proptest::prelude::*;

use super::scenario::{
    generation, identity_facts, identity_key, list_of, map_facts, map_key, namespace_key, offloading_facts,
    offloading_key, peer_facts, peer_key, started,
};

pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(event(), 0..80)
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
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::ConfigMap,
        Kind::Namespace,
        Kind::Node,
        Kind::ForeignCluster,
        Kind::NamespaceOffloading,
        Kind::NamespaceMap,
    ])
}

fn version() -> impl Strategy<Value = ResourceVersion> {
    (1..40_u32).prop_map(|number| ResourceVersion::new(number.to_string()))
}

fn facts() -> impl Strategy<Value = (ObjectKey, Facts)> {
    prop_oneof![
        Just((identity_key(), Facts::ClusterIdentity(identity_facts()))),
        (prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["rome-id", "x-id"]))
            .prop_map(|(name, id)| (peer_key(name), Facts::ForeignCluster(peer_facts(id)))),
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

fn applied() -> impl Strategy<Value = Applied> {
    (facts(), version(), 0..3_u8, any::<bool>(), 0..3_i64).prop_map(
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
