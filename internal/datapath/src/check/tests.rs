//! The connection check against messages that two Go gateways sent each other, and its verdicts over time.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::Duration;

use jiff::Timestamp;
use liqo_model::ClusterId;
use serde::Deserialize;

use super::*;

/// Payloads of Go 0.8.3 as seen on the tunnels' interfaces, with the addresses as they were there.
const RECORDED: &str = include_str!("recorded.jsonl");

const ROME: &str = "7f081ef5-ce34-40d7-94fc-46a331394d56";
const MILAN: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";

#[derive(Deserialize)]
struct Recorded {
    src: SocketAddrV4,
    dst: SocketAddrV4,
    payload: String,
}

fn recorded() -> Vec<Recorded> {
    RECORDED.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn start() -> Timestamp {
    "2026-11-22T15:04:16.200000000Z".parse().unwrap()
}

/// So many milliseconds after [`start`], by both clocks.
fn after(millis: u64) -> Now {
    let monotonic = Duration::from_millis(millis);
    Now { wall: start() + monotonic, monotonic }
}

fn milan_address() -> Ipv4Addr {
    Ipv4Addr::new(10, 82, 0, 1)
}

fn rome() -> Checker {
    let mut checker = Checker::default();
    checker.set_peers(&[(ClusterId::from(MILAN), milan_address())].into(), after(0));
    checker
}

fn health(checker: &Checker) -> Health {
    checker.health()[&ClusterId::from(MILAN)]
}

/// What Go answers: the object decoded and encoded again, which cuts the zeros at the end of the time.
fn go_pong(ping: &[u8]) -> Vec<u8> {
    let message = Message::parse(ping).unwrap();
    let text = message.time_stamp.trim_end_matches('Z');
    let cut = text.trim_end_matches('0').trim_end_matches('.');
    Message { time_stamp: format!("{cut}Z"), ..message }.pong().encode()
}

/// One question and its answer after `millis`.
fn exchange(checker: &mut Checker, at: u64, millis: u64) {
    let due = checker.tick(after(at));
    assert_eq!(due.len(), 1);
    let (to, ping) = &due[0];
    assert_eq!(*to, SocketAddrV4::new(milan_address(), PORT));
    assert_eq!(checker.received(*to, &go_pong(ping), after(at + millis)), None);
}

#[test]
fn recorded_questions_get_the_recorded_answers() {
    let recorded = recorded();
    let pings: Vec<_> = recorded.iter().filter(|packet| packet.payload.contains("PING")).collect();
    assert!(pings.len() > 10);
    for ping in pings {
        let answer = rome().received(ping.src, ping.payload.as_bytes(), after(0)).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let pong = recorded
            .iter()
            .find(|packet| packet.payload == answer && (packet.src, packet.dst) == (ping.dst, ping.src));
        assert!(pong.is_some(), "nobody answered {} like that: {answer}", ping.payload);
    }
}

#[test]
fn our_questions_have_the_recorded_form() {
    for packet in recorded() {
        let message = Message::parse(packet.payload.as_bytes()).unwrap();
        assert!([ROME, MILAN].contains(&message.cluster_id.as_str()));
        let asked = message.at().unwrap();
        assert_eq!(String::from_utf8(message.encode()).unwrap(), packet.payload);
        if message.message_type == MessageType::Ping {
            let ours = Message::ping(&message.cluster_id, asked);
            assert_eq!((ours.message_type, ours.at()), (message.message_type, Some(asked)));
            assert_eq!(ours.cluster_id, message.cluster_id);
        }
    }
}

#[test]
fn members_may_come_in_any_order_and_with_others() {
    let text = r#"{"timeStamp":"2026-11-22T16:04:16.2+01:00","extra":1,"msgType":"PONG","clusterID":"x"}"#;
    let message = Message::parse(text.as_bytes()).unwrap();
    assert_eq!(message.at(), Some(start()));
    for broken in ["", "{}", "[]", r#"{"clusterID":"x","msgType":"PUNG","timeStamp":""}"#, "\u{0}\u{1}"] {
        assert_eq!(Message::parse(broken.as_bytes()), None, "{broken:?}");
    }
}

#[test]
fn a_peer_that_answers_is_connected_and_its_round_trip_known() {
    let mut checker = rome();
    assert_eq!(health(&checker), Health { status: Status::Connecting, round_trip: None });
    exchange(&mut checker, 0, 7);
    let connected = Health { status: Status::Connected, round_trip: Some(Duration::from_millis(7)) };
    assert_eq!(health(&checker), connected);
    assert_eq!(checker.tick(after(1999)), []);
    assert_eq!(checker.next_tick(), Some(Duration::from_secs(2)));
    exchange(&mut checker, 2000, 9);
    assert_eq!(health(&checker).round_trip, Some(Duration::from_millis(9)));
}

#[test]
fn a_peer_that_never_answers_is_an_error_after_ten_seconds() {
    let mut checker = rome();
    checker.tick(after(10_000));
    assert_eq!(health(&checker).status, Status::Connecting);
    checker.tick(after(10_001));
    assert_eq!(health(&checker), Health { status: Status::Error, round_trip: None });
}

#[test]
fn a_peer_that_falls_silent_is_an_error_and_comes_back_with_one_answer() {
    let mut checker = rome();
    exchange(&mut checker, 0, 100);
    checker.tick(after(10_200));
    assert_eq!(health(&checker).status, Status::Connected);
    checker.tick(after(10_201));
    assert_eq!(health(&checker).status, Status::Error);
    exchange(&mut checker, 12_200, 3);
    let connected = Health { status: Status::Connected, round_trip: Some(Duration::from_millis(3)) };
    assert_eq!(health(&checker), connected);
}

#[test]
fn only_the_peer_itself_can_answer_and_only_once() {
    let mut checker = rome();
    let (to, ping) = checker.tick(after(0)).remove(0);
    let pong = go_pong(&ping);
    // From another address, for another cluster, for a question that was not asked.
    checker.received(SocketAddrV4::new(Ipv4Addr::new(10, 83, 0, 1), PORT), &pong, after(1));
    checker.received(to, &Message::ping(ROME, after(0).wall).pong().encode(), after(1));
    checker.received(to, &Message::ping(MILAN, after(1).wall).pong().encode(), after(1));
    assert_eq!(health(&checker).status, Status::Connecting);
    checker.received(to, &pong, after(4));
    assert_eq!(health(&checker).round_trip, Some(Duration::from_millis(4)));
    checker.received(to, &pong, after(900));
    assert_eq!(health(&checker).round_trip, Some(Duration::from_millis(4)));
}

#[test]
fn an_answer_that_was_overtaken_does_not_count() {
    let mut checker = rome();
    let (to, first) = checker.tick(after(0)).remove(0);
    let (_, second) = checker.tick(after(2000)).remove(0);
    checker.received(to, &go_pong(&second), after(2005));
    checker.received(to, &go_pong(&first), after(2006));
    assert_eq!(health(&checker).round_trip, Some(Duration::from_millis(5)));
}

#[test]
fn a_wall_clock_that_jumps_changes_no_verdict() {
    let mut checker = rome();
    let (to, ping) = checker.tick(after(0)).remove(0);
    let hour_back = Now { wall: start() - Duration::from_secs(3600), monotonic: Duration::from_millis(6) };
    checker.received(to, &go_pong(&ping), hour_back);
    let connected = Health { status: Status::Connected, round_trip: Some(Duration::from_millis(6)) };
    assert_eq!(health(&checker), connected);
}

#[test]
fn a_peer_that_moves_begins_anew_and_one_that_stays_does_not() {
    let mut checker = rome();
    exchange(&mut checker, 0, 5);
    let mut peers = BTreeMap::from([(ClusterId::from(MILAN), milan_address())]);
    peers.insert("turin".into(), Ipv4Addr::new(10, 83, 0, 1));
    checker.set_peers(&peers, after(100));
    assert_eq!(health(&checker).status, Status::Connected);
    assert_eq!(checker.next_tick(), Some(Duration::from_millis(100)));
    peers.insert(MILAN.into(), Ipv4Addr::new(10, 84, 0, 1));
    checker.set_peers(&peers, after(200));
    assert_eq!(health(&checker).status, Status::Connecting);
    checker.set_peers(&BTreeMap::new(), after(300));
    assert_eq!((checker.next_tick(), checker.health().len()), (None, 0));
}

#[test]
fn after_a_long_pause_one_question_is_due() {
    let mut checker = rome();
    checker.tick(after(0));
    assert_eq!(checker.tick(after(60_000)).len(), 1);
    assert_eq!(checker.tick(after(60_001)), []);
}
