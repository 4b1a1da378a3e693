//! The line of each kind of event.

use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, CommandFailed, CommandId, CommandIssued,
    CommandSucceeded, CommandSuperseded, Condition, ContainerFacts, ContainerPhase, CursorMoved, Deadline,
    DeadlinePassed, Disposition, Effect, Event, Facts, ForeignClusterFacts, GenerationChanged,
    IdentityChosen, LeaseGained, LeaseLost, NamespaceFacts, NamespaceMapFacts, NodeFacts, OffloadingFacts,
    OrphanNoticed, OrphanReleased, PodFacts, Proof, Rejected, RelistCompleted, RemoteNamespaceChosen, Seq,
    Slot, Started, Switch, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use super::summary;

const ID: CommandId = CommandId([0xab; 16]);
const HEX: &str = "abababababababababababababababab";

fn milan() -> ObjectKey {
    ObjectKey::local_cluster_scoped(Kind::ForeignCluster, "milan")
}

fn map() -> ObjectKey {
    ObjectKey::local(Kind::NamespaceMap, "liqo-tenant-milan", "milan")
}

fn watch() -> WatchKey {
    WatchKey { cluster: ClusterRef::Local, kind: Kind::ForeignCluster, selector: String::new() }
}

fn applied(facts: Facts) -> Applied {
    Applied {
        object: milan(),
        uid: "u".into(),
        resource_version: "41".into(),
        generation: 1,
        created_at: UnixMillis(0),
        deleting: false,
        digest: BodyDigest::default(),
        facts,
        coalesced: 0,
    }
}

fn seen(facts: Facts) -> String {
    summary(&applied(facts).into())
}

fn issued(effect: Effect) -> String {
    let slot = Slot { object: milan(), part: "status".into() };
    summary(&CommandIssued { command: Command { id: ID, slot, effect } }.into())
}

fn condition() -> Condition {
    Condition { kind: "NetworkStatus".into(), status: "Established".into(), ..Condition::default() }
}

#[test]
fn observations_of_the_process_and_its_watches() {
    let started = Started {
        instance: "pod-1".into(),
        version: "0.1.0".into(),
        entropy: [0; 16],
        namespace: "liqo".into(),
        cluster_name: "rome".into(),
    };
    let moved = CursorMoved { watch: watch(), resource_version: "7".into() };
    let relisted = RelistCompleted {
        watch: watch(),
        resource_version: "7".into(),
        generation: 1,
        objects: 2,
        differences: 1,
    };
    let changed = GenerationChanged {
        cluster: ClusterRef::Remote("milan-id".into()),
        uid: "u".into(),
        generation: 2,
        reason: "its uid changed".into(),
    };
    let cases: [(Event, &str); 8] = [
        (started.into(), "process started: version 0.1.0, instance pod-1"),
        (moved.into(), "watch local:ForeignCluster is at version 7"),
        (relisted.into(), "watch local:ForeignCluster listed anew: 2 objects, 1 difference"),
        (changed.into(), "cluster milan-id is in generation 2: its uid changed"),
        (LeaseGained { epoch: 3, continued: false }.into(), "lease gained: epoch 3"),
        (LeaseGained { epoch: 3, continued: true }.into(), "lease renewed after a restart: epoch 3"),
        (LeaseLost { epoch: 3 }.into(), "lease of epoch 3 lost: this process acts no more"),
        (
            DeadlinePassed { deadline: Deadline::Orphan { map: map(), namespace: "shop".into() } }.into(),
            "time to look again whether NamespaceMap/liqo-tenant-milan/milan still needs shop",
        ),
    ];
    for (event, line) in cases {
        assert_eq!(summary(&event), line);
    }
}

#[test]
fn observations_of_objects() {
    let cluster = ForeignClusterFacts {
        cluster_id: "milan-id".into(),
        outgoing: Switch::Yes,
        conditions: vec![condition()],
        ..ForeignClusterFacts::default()
    };
    let node = NodeFacts { is_virtual: true, remote_cluster: "milan-id".into(), ..NodeFacts::default() };
    let pod = PodFacts {
        phase: "Running".into(),
        node: "n1".into(),
        containers: vec![ContainerFacts { phase: ContainerPhase::Running, ..ContainerFacts::default() }],
        ..PodFacts::default()
    };
    let identity = ClusterIdentityFacts { id: "rome-id".into(), name: "rome".into() };
    let map = NamespaceMapFacts { remote_cluster: "milan-id".into(), ..NamespaceMapFacts::default() };
    let cases = [
        (Facts::Presence, ""),
        (Facts::Malformed("spec.x is no number".into()), ": cannot be read: spec.x is no number"),
        (Facts::Oversized(9000), ": its projection takes 9000 bytes, more than a record may have"),
        (Facts::ClusterIdentity(identity), ": rome (rome-id)"),
        (
            Facts::ForeignCluster(cluster),
            ": ID milan-id, out-of-band, outgoing Yes, incoming Auto, NetworkStatus=Established",
        ),
        (Facts::Namespace(NamespaceFacts::default()), ": scheduling to peers off"),
        (
            Facts::Offloading(OffloadingFacts::default()),
            ": DefaultName, pods LocalAndRemote, 0 selector terms, no phase",
        ),
        (Facts::NamespaceMap(map), ": peer milan-id, 0 namespaces wanted, 0 mapped"),
        (Facts::Node(node), ": stands for peer milan-id"),
        (Facts::Pod(pod), ": Running, on n1, 1 of 1 containers run"),
    ];
    for (facts, words) in cases {
        assert_eq!(seen(facts), format!("ForeignCluster/milan seen at version 41{words}"));
    }
    let flood = Applied { deleting: true, coalesced: 4, ..applied(Facts::Presence) };
    assert_eq!(
        summary(&flood.into()),
        "ForeignCluster/milan seen at version 41, being deleted, stands for 4 earlier updates"
    );
}

#[test]
fn an_end_says_how_it_is_known() {
    let gone = |proof| {
        summary(&Vanished { object: milan(), uid: "u".into(), resource_version: "9".into(), proof }.into())
    };
    assert_eq!(gone(Proof::Deleted), "ForeignCluster/milan is gone: the watch saw its deletion");
    assert_eq!(
        gone(Proof::AbsentFromList { generation: 2 }),
        "ForeignCluster/milan is gone: a complete list of cluster generation 2 lacks it"
    );
}

#[test]
fn choices() {
    let cases: [(Event, &str); 5] = [
        (
            IdentityChosen { id: "rome-id".into(), name: "rome".into() }.into(),
            "local identity chosen: rome (rome-id)",
        ),
        (
            RemoteNamespaceChosen { namespace: "shop".into(), uid: "u".into(), remote: "shop-rome".into() }
                .into(),
            "remote name of namespace shop chosen: shop-rome",
        ),
        (
            Rejected { object: milan(), uid: "u".into(), reason: "spec.x is wrong".into() }.into(),
            "ForeignCluster/milan rejected: spec.x is wrong",
        ),
        (
            OrphanNoticed { map: map(), namespace: "shop".into(), generation: 2, held: true }.into(),
            "NamespaceMap/liqo-tenant-milan/milan: no offloading wants the mapping of shop; kept until it is released by hand",
        ),
        (
            OrphanReleased { map: map(), namespace: "shop".into() }.into(),
            "NamespaceMap/liqo-tenant-milan/milan: mapping of shop let go by hand",
        ),
    ];
    for (event, line) in cases {
        assert_eq!(summary(&event), line);
    }
}

#[test]
fn commands_say_what_should_be_so() {
    let uid = || "u".into();
    let status = Effect::WriteForeignClusterStatus {
        uid: uid(),
        tenant_local: "t".into(),
        tenant_remote: "".into(),
        conditions: vec![],
    };
    let offloading = Effect::WriteOffloadingStatus {
        uid: uid(),
        remote_name: "r".into(),
        phase: "Ready".into(),
        observed_generation: 1,
        conditions: [].into(),
    };
    let map = |remote| Effect::MapNamespace { uid: uid(), namespace: "shop".into(), remote, cause: Seq(5) };
    let finalizer = |present| Effect::SetFinalizer { uid: uid(), finalizer: "f".into(), present };
    let cases = [
        (Effect::WriteIdentity { id: "i".into(), name: "rome".into() }, "write identity rome (i)"),
        (Effect::LabelForeignCluster { uid: uid(), id: "i".into() }, "label it with cluster ID i"),
        (Effect::EnsureTenantNamespace { id: "i".into() }, "have the tenant namespace of i"),
        (status, "write its status: no conditions"),
        (finalizer(true), "have finalizer f"),
        (finalizer(false), "drop finalizer f"),
        (Effect::SetScheduling { uid: uid(), enabled: true }, "switch scheduling to peers on"),
        (Effect::SetScheduling { uid: uid(), enabled: false }, "switch scheduling to peers off"),
        (map(Some("r".into())), "map namespace shop to r"),
        (map(None), "take the mapping of namespace shop away, because of event 5"),
        (offloading, "write its status: phase Ready, 0 peers"),
        (Effect::Relist { watch: watch() }, "list watch local:ForeignCluster anew"),
    ];
    for (effect, words) in cases {
        assert_eq!(issued(effect), format!("command {HEX}: ForeignCluster/milan#status: {words}"));
    }
}

#[test]
fn outcomes_say_what_happens_now() {
    let slot = Slot { object: milan(), part: "status".into() };
    let succeeded = |resource_version: &str, destructive| {
        let slot = slot.clone();
        CommandSucceeded { id: ID, slot, effect: 0, resource_version: resource_version.into(), destructive }
            .into()
    };
    let failed = |disposition| CommandFailed { id: ID, attempt: 2, disposition, error: "409".into() }.into();
    let cases: [(Event, &str); 7] = [
        (succeeded("42", false), "done: ForeignCluster/milan#status at version 42"),
        (succeeded("", true), "done: ForeignCluster/milan#status; something in the peer was removed"),
        (CommandSuperseded { id: ID, reason: "it changed".into() }.into(), "pointless: it changed"),
        (failed(Disposition::Retry { after_millis: 250 }), "failed, attempt 2, again in 250 ms: 409"),
        (failed(Disposition::Retry { after_millis: 61_500 }), "failed, attempt 2, again in 61.5 s: 409"),
        (failed(Disposition::Park), "failed, attempt 2, waits until its object changes: 409"),
        (DeadlinePassed { deadline: Deadline::Retry(ID) }.into(), "again"),
    ];
    for (event, words) in cases {
        let line = if let Event::DeadlinePassed(_) = event {
            format!("time to try command {HEX} {words}")
        } else {
            format!("command {HEX} {words}")
        };
        assert_eq!(summary(&event), line);
    }
}
