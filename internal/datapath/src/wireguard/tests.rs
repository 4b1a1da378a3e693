//! Two ends of sessions, without a network.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::SystemTime;

use liqo_model::ClusterId;
use proptest::prelude::*;
use tun_rs::GROTable;

use super::key::{KeyPair, PublicKey};
use super::noise::{Admission, Gate, Noise};
use super::peers::{PeerSettings, Peers};
use super::session::{Session, Step};
use super::tun::HEADROOM;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One end.
struct End {
    gate: Gate,
    session: Noise,
    out: Vec<u8>,
}

impl End {
    fn new(keys: &KeyPair, peer: PublicKey, index: u32) -> Self {
        let gate = Gate::new(keys);
        let session = Noise::new(keys, peer, index, &gate);
        Self { gate, session, out: vec![0; 4096] }
    }

    fn seal(&mut self, packet: &[u8]) -> Vec<u8> {
        let Step::Send(length) = self.session.seal(packet, &mut self.out) else { panic!("nothing to send") };
        self.out[..length].to_vec()
    }

    fn open(&mut self, message: &[u8]) -> (Step, Vec<u8>) {
        let step = self.session.open(HERE, message, &mut self.out);
        let length = match step {
            Step::Send(length) | Step::Deliver(length) => length,
            Step::Nothing | Step::Refuse => 0,
        };
        (step, self.out[..length].to_vec())
    }
}

fn keys(number: u8) -> KeyPair {
    KeyPair::of([number; 32])
}

fn packet(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut packet =
        vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 17, 0, 0, 10, 201, 0, 5, 10, 200, 0, 7];
    packet.extend_from_slice(payload);
    packet
}

/// Rome and milan with an established session, and the packet that made rome begin it.
fn connected() -> (End, End, Vec<u8>) {
    let (rome_keys, milan_keys) = (keys(1), keys(2));
    let mut rome = End::new(&rome_keys, milan_keys.public(), 7);
    let mut milan = End::new(&milan_keys, rome_keys.public(), 9);
    let first = packet(b"first");
    let initiation = rome.seal(&first);
    let admission = milan.gate.admit(HERE, &initiation, &mut [0; 256]);
    assert_eq!(admission, Admission::Peer(rome_keys.public()));
    let (_, response) = milan.open(&initiation);
    let admission = rome.gate.admit(HERE, &response, &mut [0; 256]);
    assert!(matches!(admission, Admission::Session(index) if index >> 8 == 7), "{admission:?}");
    let (_, keepalive) = rome.open(&response);
    assert_eq!(milan.open(&keepalive).0, Step::Nothing);
    let (_, waiting) = rome.open(&[]);
    (rome, milan, waiting)
}

#[test]
fn what_waited_for_the_handshake_arrives_and_both_ends_can_send() {
    let (mut rome, mut milan, waiting) = connected();
    assert_eq!(milan.open(&waiting).1, packet(b"first"));
    let answer = milan.seal(&packet(b"answer"));
    assert_eq!(rome.open(&answer).1, packet(b"answer"));
    assert!(rome.session.since_handshake().is_some() && milan.session.since_handshake().is_some());
}

#[test]
fn two_ends_that_begin_at_the_same_moment_agree() {
    let (rome_keys, milan_keys) = (keys(1), keys(2));
    let mut rome = End::new(&rome_keys, milan_keys.public(), 7);
    let mut milan = End::new(&milan_keys, rome_keys.public(), 9);
    // given two initiations that cross, and the answers to both
    let (from_rome, from_milan) = (rome.seal(&packet(b"from rome")), milan.seal(&packet(b"from milan")));
    let (_, to_rome) = milan.open(&from_rome);
    let (_, to_milan) = rome.open(&from_milan);
    let (_, by_rome) = rome.open(&to_rome);
    let (_, by_milan) = milan.open(&to_milan);
    // when each end has heard from the other, then what waited arrives
    assert_eq!((milan.open(&by_rome).0, rome.open(&by_milan).0), (Step::Nothing, Step::Nothing));
    let (_, waited) = rome.open(&[]);
    assert_eq!(milan.open(&waited).1, packet(b"from rome"));
    let (_, waited) = milan.open(&[]);
    assert_eq!(rome.open(&waited).1, packet(b"from milan"));
}

#[test]
fn a_message_counts_once_and_only_unchanged() {
    let (mut rome, mut milan, _) = connected();
    let message = rome.seal(&packet(b"payload"));
    let mut changed = message.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(milan.open(&changed).0, Step::Refuse);
    assert!(matches!(milan.open(&message).0, Step::Deliver(_)));
    assert_eq!(milan.open(&message).0, Step::Refuse);
}

#[test]
fn a_handshake_with_another_key_is_refused_at_the_gate() {
    let mut rome = End::new(&keys(1), keys(3).public(), 7);
    let milan = Gate::new(&keys(2));
    let initiation = rome.seal(&packet(b"x"));
    assert_eq!(milan.admit(HERE, &initiation, &mut [0; 256]), Admission::Refused);
    assert_eq!(milan.admit(HERE, b"noise", &mut [0; 256]), Admission::Refused);
}

#[test]
fn above_the_limit_a_sender_has_to_prove_its_address() {
    let mut rome = End::new(&keys(1), keys(2).public(), 7);
    let milan = Gate::new(&keys(2));
    let initiation = rome.seal(&packet(b"x"));
    let admissions: Vec<Admission> =
        (0..1000).map(|_| milan.admit(HERE, &initiation, &mut [0; 256])).collect();
    let proofs = admissions.iter().filter(|admission| matches!(admission, Admission::Prove(64))).count();
    assert_eq!(proofs, 500);
}

fn settings(key: u8, network: &str) -> PeerSettings {
    PeerSettings { key: keys(key).public(), networks: vec![network.parse().unwrap()] }
}

#[test]
fn sessions_go_on_while_their_keys_stay() {
    let mut number = 0_u32;
    let mut chance = || {
        number += 1;
        number << 8
    };
    let peers = Peers::new(keys(1));
    let (milan, turin) = (ClusterId::from("milan"), ClusterId::from("turin"));
    let one = BTreeMap::from([(milan.clone(), settings(2, "10.201.0.0/16"))]);
    assert!(peers.set(&keys(1), one.clone(), &mut chance));
    let index = |address: [u8; 4]| peers.table().owner(Ipv4Addr::from(address)).map(|peer| peer.index);
    assert_eq!((index([10, 201, 0, 5]), index([10, 202, 0, 5])), (Some(1), None));
    // Nothing new, another peer, another network: milan's session stays.
    assert!(!peers.set(&keys(1), one.clone(), &mut chance));
    let mut two = one.clone();
    two.insert(turin, settings(3, "10.202.0.0/16"));
    two.insert(milan.clone(), settings(2, "10.203.0.0/16"));
    assert!(peers.set(&keys(1), two, &mut chance));
    assert_eq!(
        (index([10, 203, 0, 5]), index([10, 202, 0, 5]), index([10, 201, 0, 5])),
        (Some(1), Some(2), None)
    );
    // Another key of the peer, then of our own.
    assert!(peers.set(
        &keys(1),
        BTreeMap::from([(milan.clone(), settings(4, "10.201.0.0/16"))]),
        &mut chance
    ));
    assert_eq!(index([10, 201, 0, 5]), Some(3));
    assert!(peers.set(&keys(5), BTreeMap::from([(milan, settings(4, "10.201.0.0/16"))]), &mut chance));
    assert_eq!(index([10, 201, 0, 5]), Some(4));
}

#[test]
fn an_endpoint_follows_the_peer_until_something_new_is_said() {
    let peers = Peers::new(keys(1));
    let milan = ClusterId::from("milan");
    peers.set(&keys(1), BTreeMap::from([(milan.clone(), settings(2, "10.201.0.0/16"))]), || 256);
    let at = |last: u8, port| SocketAddrV4::new(Ipv4Addr::new(172, 18, 2, last), port);
    let endpoint = || peers.figures(SystemTime::now())[&milan].endpoint;
    assert_eq!(endpoint(), None);
    peers.configure(&milan, at(1, 5871), false);
    assert_eq!(endpoint(), Some(at(1, 5871)));
    // The peer speaks from behind a translation: it is answered there, whatever is said again.
    peers.table().by_index(256).unwrap().endpoint.set(at(1, 40000));
    peers.configure(&milan, at(1, 5871), false);
    assert_eq!(endpoint(), Some(at(1, 40000)));
    peers.configure(&milan, at(2, 5871), false);
    assert_eq!(endpoint(), Some(at(2, 5871)));
    peers.table().by_index(256).unwrap().endpoint.set(at(1, 40000));
    peers.configure(&milan, at(2, 5871), true);
    assert_eq!(endpoint(), Some(at(2, 5871)));
}

#[test]
fn keys_are_read_as_the_secret_holds_them() {
    let folder = tempfile::tempdir().unwrap();
    assert!(KeyPair::read(folder.path()).is_err());
    std::fs::write(folder.path().join("privateKey"), keys(1).private_text() + "\n").unwrap();
    assert_eq!(KeyPair::read(folder.path()).unwrap().public(), keys(1).public());
    assert_eq!(PublicKey::parse(&keys(1).public().to_string()).unwrap(), keys(1).public());
    for broken in ["", "AAAA", "not base64 at all"] {
        assert!(PublicKey::parse(broken).is_err(), "{broken:?}");
    }
}

#[test]
fn the_public_key_follows_from_the_private_one() {
    // Alice's keys of RFC 7748, section 6.1.
    let private = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
    let public = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("privateKey"), private).unwrap();
    assert_eq!(KeyPair::read(folder.path()).unwrap().public().to_string(), public);
}

proptest! {
    /// A peer may put any bytes into the tunnel; what joins packets before they are written must bear all of them.
    #[test]
    fn packets_of_a_hostile_peer_can_be_joined(
        packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..120), 1..12),
        plausible in any::<bool>(),
    ) {
        let mut packets: Vec<Vec<u8>> = packets.into_iter().map(|bytes| {
            let mut packet = vec![0; HEADROOM];
            packet.extend(bytes);
            if plausible {
                // A header of TCP over IPv4 whose length is right, so that the joiner looks deeper.
                let length = u16::try_from(packet.len() - HEADROOM).unwrap().to_be_bytes();
                for (index, byte) in [(0, 0x45), (2, length[0]), (3, length[1]), (6, 0x40), (9, 6)] {
                    if let Some(place) = packet.get_mut(HEADROOM + index) {
                        *place = byte;
                    }
                }
            }
            packet
        }).collect();
        let _ = GROTable::new().apply_gro(&mut packets, HEADROOM, true);
    }
}
