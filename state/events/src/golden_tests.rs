//! Golden bytes: what was written once has to be read for ever.
//!
//! Each line of `golden/v1.txt` is the number of a kind, the payload in hexadecimal and the event as JSON. A new event or
//! variant gets a new line at the end; a line that is there never changes.

use std::collections::BTreeSet;
use std::fmt::Write;

use liqo_model::{ClusterRef, Kind, NamespaceName, ObjectKey};

use crate::codec::{decode_payload, encode_payload};
use crate::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, CommandFailed, CommandId, CommandIssued,
    CommandSucceeded, CommandSuperseded, Condition, ContainerFacts, ContainerPhase, CursorMoved, Deadline,
    DeadlinePassed, Disposition, Effect, Event, Facts, ForeignClusterFacts, GenerationChanged,
    IdentityChosen, LeaseGained, LeaseLost, MappingFacts, MappingStrategy, NamespaceFacts, NamespaceMapFacts,
    NodeFacts, OffloadingFacts, OrphanNoticed, OrphanReleased, Owner, PeeringType, PodFacts, PodStrategy,
    Proof, Rejected, RelistCompleted, RemoteNamespaceChosen, Requirement, SelectorTerm, Seq, Slot, Started,
    Switch, UnixMillis, Vanished, WatchKey,
};

mod samples_of_enrolment;
mod samples_of_peering;
mod samples_of_sharing;

const GOLDEN: &str = include_str!("golden/v1.txt");

#[test]
fn old_bytes_are_read_and_written_as_they_were() {
    let mut now = String::new();
    for event in samples() {
        let payload: String = encode_payload(&event).unwrap().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let _ = writeln!(now, "{} {payload} {}", event.kind(), serde_json::to_string(&event).unwrap());
    }
    // Differences are easier to read a line at a time.
    for (number, (golden, now)) in GOLDEN.lines().zip(now.lines()).enumerate() {
        assert_eq!(now, golden, "line {} of golden/v1.txt", number + 1);
    }
    assert_eq!(now.lines().count(), GOLDEN.lines().count(), "append what is new:\n{now}");
}

#[test]
fn golden_payloads_decode_to_the_events_they_were_made_of() {
    for (line, event) in GOLDEN.lines().zip(samples()) {
        let mut parts = line.split(' ');
        let kind: u16 = parts.next().unwrap().parse().unwrap();
        let payload = bytes(parts.next().unwrap());
        assert_eq!(decode_payload(Seq(1), kind, &payload), Ok(event));
    }
}

#[test]
fn every_kind_of_event_and_of_facts_has_a_golden_line() {
    let kinds: BTreeSet<u16> = samples().iter().map(Event::kind).collect();
    assert_eq!(kinds, Event::KINDS.iter().copied().collect());
    let facts = samples().iter().filter(|event| matches!(event, Event::Applied(_))).count();
    let later = samples_of_sharing::pods().len() + samples_of_enrolment::facts().len();
    assert_eq!(facts, all_facts().len() + later + 1);
}

#[test]
fn a_typical_event_is_small() {
    // Two KiB is the bound that the design gives to a projection; what is usual has to stay far below it.
    for event in samples() {
        assert!(encode_payload(&event).unwrap().len() < 512, "{event:?}");
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn samples() -> Vec<Event> {
    let first = all_facts().into_iter().map(applied).chain(observed()).chain(decided()).chain(done());
    let later = samples_of_sharing::pods().into_iter().chain(samples_of_sharing::others());
    let last = samples_of_enrolment::facts().into_iter().chain(samples_of_enrolment::commands());
    first.chain(later).chain(last).chain([given_up()]).collect()
}

/// Came later than the other switches.
fn given_up() -> Event {
    let outgoing = Switch::GivenUp;
    applied(Facts::ForeignCluster(ForeignClusterFacts { outgoing, ..ForeignClusterFacts::default() }))
}

fn object() -> ObjectKey {
    ObjectKey {
        cluster: ClusterRef::Remote("milan-id".into()),
        kind: Kind::NamespaceMap,
        namespace: "liqo-tenant-milan-ac89c5".to_owned(),
        name: "milan-ac89c5".to_owned(),
    }
}

fn applied(facts: Facts) -> Event {
    Event::Applied(Applied {
        object: ObjectKey::local_cluster_scoped(Kind::ForeignCluster, "milan"),
        uid: "u-1".into(),
        resource_version: "4711".into(),
        generation: 3,
        created_at: UnixMillis(1_700_000_000_000),
        deleting: true,
        digest: BodyDigest([0xab; 16]),
        facts,
        coalesced: 2,
    })
}

fn all_facts() -> Vec<Facts> {
    vec![
        Facts::Presence,
        Facts::Malformed("spec.foreignAuthUrl is missing".to_owned()),
        Facts::Oversized(40_000),
        Facts::ClusterIdentity(ClusterIdentityFacts { id: "rome-id".into(), name: "rome".into() }),
        Facts::ForeignCluster(peer()),
        Facts::Namespace(NamespaceFacts {
            scheduling_enabled: true,
            tenant_of: "milan-id".into(),
            remote_cluster: "rome-id".into(),
            managed_by: "liqo-tenant-rome-f4b52b/milan-ac89c5".to_owned(),
        }),
        Facts::Offloading(offloading()),
        Facts::NamespaceMap(map()),
        Facts::Node(NodeFacts {
            is_virtual: true,
            remote_cluster: "milan-id".into(),
            labels: [("region".to_owned(), "eu".to_owned())].into(),
            addresses: vec![("InternalIP".to_owned(), "172.30.1.1".to_owned())],
            pod_cidrs: vec!["10.200.1.0/24".to_owned()],
            allocatable: [("cpu".to_owned(), 2000)].into(),
            ready: true,
            unschedulable: true,
            finalizer: true,
            settings: "0123456789abcdef".to_owned(),
        }),
        Facts::Pod(pod()),
    ]
    .into_iter()
    .chain(samples_of_peering::facts())
    .collect()
}

fn condition() -> Condition {
    Condition {
        kind: "NetworkStatus".to_owned(),
        status: "Established".to_owned(),
        reason: "TunnelEndpointAvailable".to_owned(),
        message: "m".to_owned(),
        since: UnixMillis(5),
    }
}

fn peer() -> ForeignClusterFacts {
    ForeignClusterFacts {
        cluster_id: "milan-id".into(),
        cluster_name: "milan".into(),
        auth_url: "https://milan.example".to_owned(),
        proxy_url: "http://proxy.example:8118".to_owned(),
        peering_type: PeeringType::InBand,
        outgoing: Switch::Yes,
        incoming: Switch::No,
        skip_tls_verify: true,
        labelled_id: "milan-id".into(),
        discovery_type: "Manual".to_owned(),
        finalizers: vec!["crdReplicator.liqo.io".to_owned()],
        tenant_local: "liqo-tenant-milan-ac89c5".into(),
        tenant_remote: "liqo-tenant-rome-f4b52b".into(),
        conditions: vec![condition()],
    }
}

fn offloading() -> OffloadingFacts {
    let requirement = |key: &str| Requirement {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: vec!["eu".to_owned()],
    };
    OffloadingFacts {
        mapping: MappingStrategy::EnforceSameName,
        pods: PodStrategy::Remote,
        selector: vec![SelectorTerm {
            expressions: vec![requirement("region")],
            fields: vec![requirement("metadata.name")],
        }],
        finalizer: true,
        remote_name: "shop-rome-f4b52b".into(),
        phase: "Ready".to_owned(),
        observed_generation: 3,
        conditions: [("milan-ac89c5".to_owned(), vec![condition()])].into(),
    }
}

fn map() -> NamespaceMapFacts {
    NamespaceMapFacts {
        remote_cluster: "milan-id".into(),
        origin: true,
        replication: samples_of_peering::replication(),
        finalizer: true,
        desired: [(NamespaceName::from("shop"), NamespaceName::from("shop-r"))].into(),
        current: [(
            "shop".to_owned(),
            MappingFacts { remote: "shop-r".into(), phase: "Accepted".to_owned() },
        )]
        .into(),
    }
}

fn pod() -> PodFacts {
    let container = |phase| ContainerFacts {
        name: "web".to_owned(),
        ready: true,
        restarts: 1,
        phase,
        reason: "Error".to_owned(),
    };
    PodFacts {
        node: "n1".to_owned(),
        phase: "Running".to_owned(),
        reason: "r".to_owned(),
        containers: vec![
            container(ContainerPhase::Waiting),
            container(ContainerPhase::Running),
            container(ContainerPhase::Terminated(-1)),
        ],
        pod_ips: vec!["10.200.1.2".to_owned()],
        host_ip: "172.30.1.1".to_owned(),
        cpu_millis: 1500,
        memory_bytes: 1 << 30,
        owner: Some(Owner { kind: "ReplicaSet".to_owned(), name: "web-1".to_owned(), uid: "u-2".into() }),
        labels: [("app".to_owned(), "web".to_owned())].into(),
        ready: true,
        content: BodyDigest([1; 16]),
        status: BodyDigest([2; 16]),
        reflection: Some(Box::new(samples_of_peering::reflection())),
        requests: Default::default(),
    }
}

fn watch() -> WatchKey {
    WatchKey { cluster: ClusterRef::Local, kind: Kind::Pod, selector: "a=b".to_owned() }
}

fn observed() -> Vec<Event> {
    let (map, namespace): (ObjectKey, NamespaceName) = (object(), "shop".into());
    vec![
        Event::Started(Started {
            instance: "pod-1".into(),
            version: "0.1.0".to_owned(),
            namespace: "liqo".into(),
            cluster_name: "rome".into(),
            entropy: [7; 16],
        }),
        Event::Vanished(Vanished {
            object: object(),
            uid: "u-1".into(),
            resource_version: "9".into(),
            proof: Proof::Deleted,
        }),
        Event::Vanished(Vanished {
            object: object(),
            uid: "u-1".into(),
            resource_version: "9".into(),
            proof: Proof::AbsentFromList { generation: 2 },
        }),
        Event::CursorMoved(CursorMoved { watch: watch(), resource_version: "10".into() }),
        Event::RelistCompleted(RelistCompleted {
            watch: watch(),
            resource_version: "11".into(),
            generation: 2,
            objects: 300,
            differences: 1,
        }),
        Event::GenerationChanged(GenerationChanged {
            cluster: ClusterRef::Local,
            uid: "ks".into(),
            generation: 2,
            reason: "restored".to_owned(),
        }),
        Event::DeadlinePassed(DeadlinePassed { deadline: Deadline::Retry(CommandId([1; 16])) }),
        Event::DeadlinePassed(DeadlinePassed {
            deadline: Deadline::Orphan { map: map.clone(), namespace: namespace.clone() },
        }),
        Event::LeaseGained(LeaseGained { epoch: 1_700_000_000, continued: true }),
        Event::LeaseLost(LeaseLost { epoch: 7 }),
        Event::OrphanReleased(OrphanReleased { map, namespace }),
    ]
    .into_iter()
    .chain(samples_of_peering::observed())
    .collect()
}

fn effects() -> Vec<Effect> {
    vec![
        Effect::WriteIdentity { id: "rome-id".into(), name: "rome".into() },
        Effect::LabelForeignCluster { uid: "u".into(), id: "milan-id".into() },
        Effect::EnsureTenantNamespace { id: "milan-id".into() },
        Effect::WriteForeignClusterStatus {
            uid: "u".into(),
            tenant_local: "t".into(),
            tenant_remote: "r".into(),
            conditions: vec![condition()],
        },
        Effect::SetFinalizer { uid: "u".into(), finalizer: "f".to_owned(), present: true },
        Effect::SetScheduling { uid: "u".into(), enabled: true },
        Effect::MapNamespace {
            uid: "u".into(),
            namespace: "shop".into(),
            remote: Some("r".into()),
            cause: Seq(300),
        },
        Effect::MapNamespace { uid: "u".into(), namespace: "shop".into(), remote: None, cause: Seq(300) },
        Effect::WriteOffloadingStatus {
            uid: "u".into(),
            remote_name: "r".into(),
            phase: "Ready".to_owned(),
            observed_generation: 3,
            conditions: [("milan".to_owned(), vec![condition()])].into(),
        },
        Effect::Relist { watch: watch() },
    ]
    .into_iter()
    .chain(samples_of_peering::effects())
    .collect()
}

fn decided() -> Vec<Event> {
    let issued = effects().into_iter().map(|effect| {
        let slot = Slot { object: object(), part: "status".to_owned() };
        Event::CommandIssued(CommandIssued { command: Command { id: CommandId([2; 16]), slot, effect } })
    });
    let choices = vec![
        Event::IdentityChosen(IdentityChosen { id: "rome-id".into(), name: "rome".into() }),
        Event::RemoteNamespaceChosen(RemoteNamespaceChosen {
            namespace: "shop".into(),
            uid: "u".into(),
            remote: "r".into(),
        }),
        Event::Rejected(Rejected { object: object(), uid: "u".into(), reason: "why".to_owned() }),
        Event::OrphanNoticed(OrphanNoticed {
            map: object(),
            namespace: "shop".into(),
            generation: 2,
            held: true,
        }),
    ];
    let choices = choices.into_iter().chain(samples_of_peering::choices());
    choices.chain(issued).collect()
}

fn done() -> Vec<Event> {
    let failed = |disposition| {
        Event::CommandFailed(CommandFailed {
            id: CommandId([3; 16]),
            attempt: 4,
            disposition,
            error: "503".to_owned(),
        })
    };
    vec![
        Event::CommandSucceeded(CommandSucceeded {
            id: CommandId([3; 16]),
            slot: Slot { object: object(), part: "label".to_owned() },
            effect: u64::MAX,
            resource_version: "12".into(),
            destructive: true,
        }),
        Event::CommandSuperseded(CommandSuperseded { id: CommandId([3; 16]), reason: "gone".to_owned() }),
        failed(Disposition::Retry { after_millis: 500 }),
        failed(Disposition::Park),
    ]
}
