//! The view of a state that events made.

use liqo_domain::{LiqoMachine, Machine};
use liqo_events::{
    Applied, BodyDigest, Command, CommandFailed, CommandId, CommandIssued, Disposition, Effect, Event,
    IdentityChosen, LeaseGained, NamespaceMapFacts, OrphanNoticed, Recorded, Rejected, RemoteNamespaceChosen,
    Seq, Slot,
};
use liqo_model::ClusterName;

use super::*;

fn state(events: impl IntoIterator<Item = Event>) -> State {
    let mut state = State::default();
    for (seq, event) in (1..).zip(events) {
        let recorded = Recorded { seq: Seq(seq), recorded_at: UnixMillis(1000), caused_by: None, event };
        LiqoMachine::evolve(&mut state, &recorded);
    }
    state
}

fn applied(object: ObjectKey, facts: Facts) -> Event {
    Event::Applied(Applied {
        object,
        uid: "u".into(),
        resource_version: "41".into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts,
        coalesced: 0,
    })
}

fn foreign_cluster(conditions: Vec<Condition>) -> Event {
    let facts = ForeignClusterFacts {
        cluster_id: "milan-id".into(),
        cluster_name: "milan-name".into(),
        tenant_local: "liqo-tenant-milan".into(),
        conditions,
        ..ForeignClusterFacts::default()
    };
    applied(milan(), Facts::ForeignCluster(facts))
}

fn milan() -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::ForeignCluster, "milan")
}

fn named(name: &str) -> Event {
    IdentityChosen { id: "rome-id".into(), name: ClusterName::from(name) }.into()
}

#[test]
fn the_cluster_and_its_peers_are_told() {
    let condition =
        Condition { kind: "NetworkStatus".into(), status: "Established".into(), ..Condition::default() };
    let view = status(&state([
        named("rome"),
        LeaseGained { epoch: 7, continued: false }.into(),
        foreign_cluster(vec![condition]),
    ]));
    let told = ConditionStatus {
        kind: "NetworkStatus".into(),
        status: "Established".into(),
        reason: String::new(),
        message: String::new(),
        since: String::new(),
    };
    let expected = View::from([
        (
            "cluster".into(),
            Entry::Cluster(ClusterStatus {
                id: "rome-id".into(),
                name: "rome".into(),
                version: String::new(),
                epoch: 7,
                leader: true,
            }),
        ),
        (
            "peer/milan".into(),
            Entry::Peer(PeerStatus {
                id: "milan-id".into(),
                name: "milan-name".into(),
                tenant_namespace: "liqo-tenant-milan".into(),
                deleting: false,
                conditions: vec![told],
            }),
        ),
    ]);
    assert_eq!(view, expected);
}

#[test]
fn an_offloaded_namespace_is_told_with_the_name_that_was_chosen() {
    let key = ObjectKey::local(Kind::NamespaceOffloading, "shop", "offloading");
    let facts = OffloadingFacts { phase: "InProgress".into(), ..OffloadingFacts::default() };
    let chosen =
        RemoteNamespaceChosen { namespace: "shop".into(), uid: "u".into(), remote: "shop-rome".into() };
    let view = status(&state([applied(key, Facts::Offloading(facts)), chosen.into()]));
    let expected = OffloadingStatus {
        remote_namespace: "shop-rome".into(),
        phase: "InProgress".into(),
        deleting: false,
        peers: BTreeMap::new(),
    };
    assert_eq!(view.get("offloading/shop"), Some(&Entry::Offloading(expected)));
}

#[test]
fn what_is_held_what_fails_and_what_is_rejected_is_told() {
    let map = ObjectKey::local(Kind::NamespaceMap, "liqo-tenant-milan", "milan");
    let slot = Slot { object: milan(), part: "label".into() };
    let id = CommandId([1; 16]);
    let effect = Effect::LabelForeignCluster { uid: "u".into(), id: "milan-id".into() };
    let facts = NamespaceMapFacts {
        origin: true,
        desired: [("shop".into(), "shop-rome".into())].into(),
        ..NamespaceMapFacts::default()
    };
    let events: [Event; 6] = [
        foreign_cluster(vec![]),
        applied(map.clone(), Facts::NamespaceMap(facts)),
        OrphanNoticed { map: map.clone(), namespace: "shop".into(), generation: 2, held: true }.into(),
        CommandIssued { command: Command { id, slot, effect } }.into(),
        CommandFailed { id, attempt: 3, disposition: Disposition::Park, error: "forbidden".into() }.into(),
        Rejected { object: milan(), uid: "u".into(), reason: "no".into() }.into(),
    ];
    let state = state(events);
    let since = "1970-01-01T00:00:01.000Z".to_owned();
    let orphan =
        OrphanStatus { map, namespace: "shop".into(), since: since.clone(), held: true, released: false };
    let command = CommandStatus {
        object: milan(),
        effect: "LabelForeignCluster",
        since: since.clone(),
        attempts: 3,
        parked: true,
        error: "forbidden".into(),
    };
    let view = status(&state);
    assert_eq!(view.get("orphan/milan/shop"), Some(&Entry::Orphan(orphan)));
    assert_eq!(view.get("command/01010101010101010101010101010101"), Some(&Entry::Command(command)));
    let rejected = RejectedStatus { object: milan(), reason: "no".into(), since };
    assert_eq!(view.get("rejected/ForeignCluster/milan"), Some(&Entry::Rejected(rejected)));
    let told = counts(&state);
    assert_eq!((told["orphans held"], told["commands that fail"], told["rejected objects"]), (1, 1, 1));
}
