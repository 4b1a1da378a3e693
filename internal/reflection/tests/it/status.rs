//! The status of a home pod across the lives of its remote pod.

use std::collections::BTreeMap;

use liqo_reflection::kinds::pod_status::{HomeStatus, Restarts, home_status, status_patch};
use liqo_reflection::{ReflectError, Why};
use serde_json::{Value, json};

use crate::tree::{common, with};
use crate::world::{MILAN, ROME, Remapped, World, recorded};

fn home() -> Value {
    json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "demo", "uid": "u1"}, "spec": {"restartPolicy": "Always"}})
}

fn remote_pod() -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "demo-rome", "uid": "r1", "labels": {
            "virtualkubelet.liqo.io/origin": ROME, "virtualkubelet.liqo.io/destination": MILAN,
        }},
        "spec": {"restartPolicy": "Always", "containers": [{"name": "c"}, {"name": "d"}]},
        "status": {"phase": "Running", "podIP": "10.200.1.7", "containerStatuses": [
            {"name": "c", "restartCount": 2}, {"name": "d", "restartCount": 0},
        ]},
    })
}

fn forge(home: &Value, remote: &Value, known: Option<&Restarts>) -> HomeStatus {
    home_status(home, Some(remote), known, &World::default().context()).unwrap()
}

#[track_caller]
fn status_of(forged: HomeStatus) -> (Value, Restarts) {
    match forged {
        HomeStatus::Status { status, restarts } => (status, restarts),
        other => panic!("{other:?}"),
    }
}

fn counts(status: &Value) -> Vec<u64> {
    let statuses = status["containerStatuses"].as_array().unwrap().iter();
    statuses.map(|status| status["restartCount"].as_u64().unwrap()).collect()
}

/// Surprise of the recordings: version 0.8.3 shows Succeeded and then Pending, and the home cluster makes a second
/// pod.
#[test]
fn a_remote_pod_that_somebody_deletes_is_a_restart_and_no_end() {
    let world = World { node_ip: "10.200.1.91".parse().unwrap(), ..World::default() };
    let sequence = recorded("restart.yaml");
    let mut home = sequence["home"].clone();
    let mut known = None;
    let mut phases = Vec::new();
    for remote in sequence["remote"].as_array().unwrap() {
        let forged = home_status(&home, Some(remote), known.as_ref(), &world.context()).unwrap();
        let (status, restarts) = status_of(forged);
        phases.push(status["phase"].as_str().unwrap().to_owned());
        (home["status"], known) = (status, Some(restarts));
    }
    assert_eq!(
        phases,
        ["Running", "Running", "Running", "Running", "Pending", "Pending", "Pending", "Running"]
    );
    let last = &sequence["last"]["status"];
    assert_eq!(common(&home["status"], last), with(last.clone(), &json!({"hostIP": "10.200.1.91"})));
    assert_eq!(counts(&home["status"]), [1]);
}

#[test]
fn whether_the_end_of_a_remote_pod_is_the_end_of_its_home_pod() {
    let deleted = json!({"metadata": {"deletionTimestamp": "2026-11-22T14:51:40Z"}});
    for (policy, phase, is_deleted, shown) in [
        ("Always", "Succeeded", true, "Running"),
        ("Always", "Failed", true, "Running"),
        ("OnFailure", "Failed", true, "Running"),
        ("OnFailure", "Succeeded", true, "Succeeded"),
        ("Never", "Succeeded", true, "Succeeded"),
        ("Never", "Failed", true, "Failed"),
        // Nobody deleted it: it was evicted, or it is done.
        ("Always", "Failed", false, "Failed"),
        ("OnFailure", "Failed", false, "Failed"),
        ("Never", "Succeeded", false, "Succeeded"),
        ("Always", "Pending", true, "Pending"),
        ("Always", "Unknown", false, "Unknown"),
    ] {
        let mut remote =
            with(remote_pod(), &json!({"spec": {"restartPolicy": policy}, "status": {"phase": phase}}));
        if is_deleted {
            remote = with(remote, &deleted);
        }
        let running = with(home(), &json!({"status": {"phase": "Running"}}));
        let (status, _) = status_of(forge(&running, &remote, None));
        assert_eq!(status["phase"], shown, "{policy} {phase} {is_deleted}");
        let (status, _) = status_of(forge(&with(running, &deleted), &remote, None));
        assert_eq!(status["phase"], phase, "a home pod that is deleted ends with it");
    }
    let never_started = with(remote_pod(), &with(deleted, &json!({"status": {"phase": "Failed"}})));
    assert_eq!(status_of(forge(&home(), &never_started, None)).0["phase"], "Pending");
}

#[test]
fn a_home_pod_that_has_ended_stays_ended() {
    let known = Restarts { remote_uid: "r1".into(), before: BTreeMap::new() };
    let other = Restarts { remote_uid: "r0".into(), before: BTreeMap::new() };
    let remote = |phase: &str| with(remote_pod(), &json!({"status": {"phase": phase, "message": "late"}}));
    for phase in ["Succeeded", "Failed"] {
        let ended = with(home(), &json!({"status": {"phase": phase}}));
        for now in ["Pending", "Running", "Unknown"] {
            assert_eq!(forge(&ended, &remote(now), Some(&known)), HomeStatus::Keep(Why::Completed));
            assert_eq!(forge(&ended, &remote(now), None), HomeStatus::Keep(Why::Completed));
            assert_eq!(forge(&ended, &remote(now), Some(&other)), HomeStatus::RunsAgain);
        }
        assert_eq!(forge(&ended, &remote(phase), Some(&other)), HomeStatus::Keep(Why::Completed));
        // What the kubelet says of an end after it still arrives.
        assert_eq!(status_of(forge(&ended, &remote(phase), Some(&known))).0["message"], "late");
        assert_eq!(status_of(forge(&ended, &remote(phase), None)).0["message"], "late");
    }
}

#[test]
fn restarts_never_become_fewer() {
    let shown = |c: u64, d: u64| {
        let statuses = json!([{"name": "c", "restartCount": c}, {"name": "d", "restartCount": d}]);
        with(home(), &json!({"status": {"phase": "Running", "containerStatuses": statuses}}))
    };
    let map = |c: u64, d: u64| -> BTreeMap<String, u64> {
        [("c", c), ("d", d)].into_iter().filter(|(_, n)| *n > 0).map(|(k, n)| (k.to_owned(), n)).collect()
    };
    for (home, known, expected, before) in [
        // The same remote pod.
        (shown(2, 0), Some(("r1", map(0, 0))), [2, 0], map(0, 0)),
        (shown(4, 1), Some(("r1", map(2, 1))), [4, 1], map(2, 1)),
        // Another one: each container has restarted once more than home shows.
        (shown(5, 3), Some(("r0", map(1, 0))), [8, 4], map(6, 4)),
        (home(), Some(("r0", map(0, 0))), [3, 1], map(1, 1)),
        (home(), Some(("r0", map(4, 0))), [7, 1], map(5, 1)),
        // Not known: what home shows was counted before.
        (home(), None, [2, 0], map(0, 0)),
        (shown(5, 0), None, [5, 0], map(3, 0)),
        (shown(2, 0), None, [2, 0], map(0, 0)),
        (shown(1, 2), None, [2, 2], map(0, 2)),
    ] {
        let known = known.map(|(uid, before)| Restarts { remote_uid: uid.into(), before });
        let (status, restarts) = status_of(forge(&home, &remote_pod(), known.as_ref()));
        assert_eq!(counts(&status), expected, "{known:?}");
        assert_eq!(restarts, Restarts { remote_uid: "r1".into(), before });
    }
}

#[test]
fn containers_before_and_beside_the_app_keep_their_counts() {
    let remote = with(
        remote_pod(),
        &json!({"status": {
            "initContainerStatuses": [{"name": "c", "restartCount": 1}], "ephemeralContainerStatuses": [{"name": "e"}],
        }}),
    );
    let known = Restarts { remote_uid: "r0".into(), before: BTreeMap::new() };
    let (status, _) = status_of(forge(&home(), &remote, Some(&known)));
    assert_eq!(status["initContainerStatuses"], remote["status"]["initContainerStatuses"]);
    assert_eq!(status["ephemeralContainerStatuses"], remote["status"]["ephemeralContainerStatuses"]);
}

#[test]
fn addresses_are_those_that_home_reaches() {
    let (status, _) = status_of(forge(&home(), &remote_pod(), None));
    let expected = json!({
        "podIP": "10.201.1.7", "podIPs": [{"ip": "10.201.1.7"}], "hostIP": "10.200.0.176", "hostIPs": [{"ip": "10.200.0.176"}],
    });
    assert_eq!(common(&status, &expected), expected);
    let two =
        json!({"status": {"podIPs": [{"ip": "10.200.1.7"}, {"ip": "fd00::7"}], "hostIP": "172.18.2.2"}});
    assert_eq!(common(&status_of(forge(&home(), &with(remote_pod(), &two), None)).0, &expected), expected);
    let off = World { addresses: None, ..World::default() };
    let without = with(remote_pod(), &json!({"status": {"podIP": null}}));
    for (remote, world) in [(&without, World::default()), (&remote_pod(), off)] {
        let (status, _) = status_of(home_status(&home(), Some(remote), None, &world.context()).unwrap());
        assert_eq!((status.get("podIP"), status.get("podIPs")), (None, None));
    }
}

#[test]
fn an_address_that_is_not_the_peers_is_an_error() {
    let status = |world: &World, address: &str| {
        let remote = with(remote_pod(), &json!({"status": {"podIP": address}}));
        home_status(&home(), Some(&remote), None, &world.context()).unwrap_err()
    };
    let outside = status(&World::default(), "192.168.0.1");
    assert!(
        matches!(&outside, ReflectError::PlaceAddress { field, .. } if field == "status.podIP"),
        "{outside}"
    );
    assert!(matches!(status(&World::default(), "x"), ReflectError::ReadObject { .. }));
    let unknown = World { addresses: Some(Remapped { is_known: false }), ..World::default() };
    assert!(matches!(status(&unknown, "10.200.1.7"), ReflectError::TranslateAddresses { .. }));
}

#[test]
fn a_pod_of_somebody_else_or_of_another_life_shows_nothing() {
    let keep =
        |remote: Option<&Value>| home_status(&home(), remote, None, &World::default().context()).unwrap();
    assert_eq!(keep(None), HomeStatus::Keep(Why::NoRemotePod));
    let theirs = with(remote_pod(), &json!({"metadata": {"labels": null}}));
    assert_eq!(keep(Some(&theirs)), HomeStatus::Keep(Why::NotOurs));
    let earlier = with(remote_pod(), &json!({"metadata": {"annotations": {"liqo.io/home-uid": "u0"}}}));
    assert_eq!(keep(Some(&earlier)), HomeStatus::Keep(Why::OtherLife));
    let own = with(remote_pod(), &json!({"metadata": {"annotations": {"liqo.io/home-uid": "u1"}}}));
    assert!(matches!(keep(Some(&own)), HomeStatus::Status { .. }));
}

#[test]
fn what_belongs_to_one_cluster_stays_there_and_unknown_fields_travel() {
    let remote = with(
        remote_pod(),
        &json!({"status": {
            "observedGeneration": 7, "nominatedNodeName": "milan-worker", "resize": "x", "resourceClaimStatuses": [], "qosClass": "Burstable",
            "fromTheFuture": {"a": 1},
            "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 7}],
        }}),
    );
    let home = with(
        home(),
        &json!({
            "spec": {"readinessGates": [{"conditionType": "example.com/lb"}]},
            "status": {"qosClass": "Guaranteed", "observedGeneration": 2, "message": "old", "conditions": [
                {"type": "Ready", "status": "False"}, {"type": "example.com/lb", "status": "True"}, {"type": "gone", "status": "True"},
            ]},
        }),
    );
    let (status, _) = status_of(forge(&home, &remote, None));
    let expected = json!({
        "phase": "Running", "podIP": "10.201.1.7", "podIPs": [{"ip": "10.201.1.7"}],
        "hostIP": "10.200.0.176", "hostIPs": [{"ip": "10.200.0.176"}],
        "containerStatuses": [{"name": "c", "restartCount": 2}, {"name": "d", "restartCount": 0}],
        "observedGeneration": 2, "qosClass": "Guaranteed", "fromTheFuture": {"a": 1},
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "example.com/lb", "status": "True"}],
    });
    assert_eq!(status, expected);
    let patch = status_patch(&home, &status).unwrap();
    assert_eq!(patch["status"]["message"], json!(null));
    assert_eq!(
        status_patch(&with(home, &json!({"status": status})), &status).map(|patch| patch["status"].clone()),
        Some(json!({"message": null}))
    );
    let shown = json!({"metadata": {"name": "p"}, "status": expected});
    assert_eq!(status_patch(&shown, &status), None);
}
