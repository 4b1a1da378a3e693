//! Reports that are news, and reports that are none.

use liqo_domain::{LiqoMachine, Machine};
use liqo_events::{
    Applied, BodyDigest, Event, Facts, PodFacts, Recorded, Seq, Started, SubnetsChosen, UnixMillis,
};
use liqo_model::{Kind, ObjectKey};

use super::*;

const GATEWAY: &str = "10.200.1.9";

fn record(state: &mut State, event: impl Into<Event>) {
    let recorded = Recorded { seq: Seq(1), recorded_at: UnixMillis(0), caused_by: None, event: event.into() };
    LiqoMachine::evolve(state, &recorded);
}

/// A cluster with a gateway and a peer.
fn cluster() -> State {
    let mut state = State::default();
    record(
        &mut state,
        Started {
            instance: "pod-1".into(),
            version: "test".to_owned(),
            namespace: "liqo".into(),
            cluster_name: "rome".into(),
            entropy: [0; 16],
        },
    );
    let pod = PodFacts {
        phase: "Running".to_owned(),
        pod_ips: vec![GATEWAY.to_owned()],
        labels: [("app.kubernetes.io/name".to_owned(), "gateway".to_owned())].into(),
        ready: true,
        ..PodFacts::default()
    };
    record(
        &mut state,
        Applied {
            object: ObjectKey::local(Kind::Pod, "liqo", "liqo-gateway-1"),
            uid: "u".into(),
            resource_version: "1".into(),
            generation: 1,
            created_at: UnixMillis(0),
            deleting: false,
            digest: BodyDigest::default(),
            facts: Facts::Pod(pod),
            coalesced: 0,
        },
    );
    let net = || "10.9.0.0/16".to_owned();
    record(
        &mut state,
        SubnetsChosen {
            peer: "milan-id".into(),
            pod_cidr: net(),
            external_cidr: net(),
            used_pod_cidr: net(),
            used_external_cidr: net(),
        },
    );
    state
}

fn saying(peer: &str, status: TunnelStatus, latency: u64) -> AgentReport {
    let latency_micros = (status == TunnelStatus::Connected).then_some(latency);
    let tunnel = TunnelReport { status, message: "as it is".to_owned(), latency_micros };
    AgentReport { address: GATEWAY.to_owned(), tunnels: [(peer.into(), tunnel)].into() }
}

fn event(connected: bool, round_trip_micros: u32, trouble: &str) -> TunnelReported {
    TunnelReported {
        peer: "milan-id".into(),
        gateway: GATEWAY.to_owned(),
        connected,
        round_trip_micros,
        trouble: trouble.to_owned(),
    }
}

#[test]
fn a_status_is_news_once_and_a_figure_when_it_is_another() {
    let mut state = cluster();
    for (report, expected) in [
        (saying("milan-id", TunnelStatus::Connecting, 0), Some((event(false, 0, ""), false))),
        (saying("milan-id", TunnelStatus::Connecting, 0), None),
        (saying("milan-id", TunnelStatus::Connected, 887), Some((event(true, 900, ""), false))),
        (saying("milan-id", TunnelStatus::Connected, 912), None),
        (saying("milan-id", TunnelStatus::Connected, 1600), Some((event(true, 2000, ""), true))),
        (saying("milan-id", TunnelStatus::Error, 0), Some((event(false, 0, "as it is"), false))),
    ] {
        let found = news(&state, &report);
        let expected: Vec<News> =
            expected.into_iter().map(|(report, is_figure)| News { report, is_figure }).collect();
        assert_eq!(found, expected, "{report:?}");
        found.into_iter().for_each(|one| record(&mut state, one.report));
    }
}

#[test]
fn only_the_active_gateway_counts_and_only_known_peers() {
    let state = cluster();
    let elsewhere =
        AgentReport { address: "10.200.7.7".to_owned(), ..saying("milan-id", TunnelStatus::Connected, 1) };
    assert_eq!(news(&state, &elsewhere), []);
    assert_eq!(news(&state, &saying("stranger", TunnelStatus::Connected, 1)), []);
}

#[test]
fn a_peer_that_is_not_mentioned_is_not_connected() {
    let mut state = cluster();
    record(&mut state, event(true, 900, ""));
    let nothing = AgentReport { address: GATEWAY.to_owned(), ..AgentReport::default() };
    assert_eq!(news(&state, &nothing), [News { report: event(false, 0, ""), is_figure: false }]);
}

#[tokio::test(start_paused = true)]
async fn figures_pass_once_a_minute_and_statuses_always() {
    let mut pace = Pace::default();
    let mut passed = |is_figure| {
        !pace.due(vec![News { report: event(true, 900, ""), is_figure }], Instant::now()).is_empty()
    };
    assert!(passed(true));
    assert!(!passed(true));
    assert!(passed(false));
    tokio::time::advance(FIGURE).await;
    assert!(passed(true));
    assert!(!passed(true));
}

#[test]
fn round_trips_have_one_digit() {
    for (micros, expected) in [
        (0, 100),
        (40, 100),
        (149, 100),
        (887, 900),
        (960, 1000),
        (1499, 1000),
        (12_345, 10_000),
        (u64::MAX, u32::MAX),
    ] {
        assert_eq!(rounded(micros), expected, "{micros}");
    }
}
