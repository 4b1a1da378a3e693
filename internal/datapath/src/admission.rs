//! Which peers the gateway can serve together. Pure.
//!
//! The control plane gives every peer networks of its own. Should it ever not, one peer must not take what another one or
//! the cluster itself has: the peer that comes later in the order of IDs is refused, and said so.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use liqo_model::ClusterId;
use liqo_projections::fabric::{GatewaySettings, Peer};

use crate::wireguard::PublicKey;

/// Link-local addresses, among them the ends of all tunnels.
const LINK_LOCAL: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16);
/// Addresses of the overlay.
const OVERLAY: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(240, 0, 0, 0), 8);
/// Characters of the longest ID; a UUID has 36. Names of chains contain it.
const LONGEST_ID: usize = 63;

/// Peers that can be served, and why others cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admitted<'a> {
    pub(crate) peers: BTreeMap<&'a ClusterId, (&'a Peer, PublicKey)>,
    pub(crate) refused: BTreeMap<ClusterId, String>,
}

/// Admits peers. `local` is the address of the gateway's pod.
pub(crate) fn admit<'a>(
    settings: &GatewaySettings,
    local: Ipv4Addr,
    peers: &'a BTreeMap<ClusterId, Peer>,
) -> Admitted<'a> {
    let mut admitted = Admitted::default();
    let mut taken = vec![
        (settings.pod_cidr, "the pods of this cluster".to_owned()),
        (local.into(), "the gateway itself".to_owned()),
        (LINK_LOCAL, "the tunnel".to_owned()),
        (OVERLAY, "the overlay".to_owned()),
    ];
    for (id, peer) in peers {
        match examine(settings, id, peer, &taken) {
            Ok(key) if admitted.peers.values().any(|(_, known)| *known == key) => {
                admitted.refused.insert(id.clone(), "another peer has the same public key".to_owned());
            }
            Ok(key) => {
                taken.extend(
                    [peer.pod_cidr, peer.external_cidr].map(|network| (network, format!("peer {id}"))),
                );
                admitted.peers.insert(id, (peer, key));
            }
            Err(reason) => drop(admitted.refused.insert(id.clone(), reason)),
        }
    }
    admitted
}

fn examine(
    settings: &GatewaySettings,
    id: &ClusterId,
    peer: &Peer,
    taken: &[(Ipv4Net, String)],
) -> Result<PublicKey, String> {
    let text = id.as_str();
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if *id != peer.cluster_id || !is_plain || text.len() > LONGEST_ID {
        return Err(format!(
            "its ID {text:?} is not made of at most {LONGEST_ID} letters, digits and hyphens"
        ));
    }
    let key = PublicKey::parse(&peer.public_key).map_err(|error| error.to_string())?;
    let ours = settings.pod_cidr;
    if let Some(named) = peer.local_pod_cidr.filter(|named| named.prefix_len() != ours.prefix_len()) {
        return Err(format!("it names our network {ours} {named}, which is of another size"));
    }
    if overlap(peer.pod_cidr, peer.external_cidr) {
        return Err(format!("its networks {} and {} overlap", peer.pod_cidr, peer.external_cidr));
    }
    let named = peer.local_pod_cidr.unwrap_or(ours);
    if overlap(named, peer.local_external_cidr) {
        return Err(format!("it names our networks {named} and {}, which overlap", peer.local_external_cidr));
    }
    for network in [peer.pod_cidr, peer.external_cidr] {
        if let Some((other, whose)) = taken.iter().find(|(other, _)| overlap(network, *other)) {
            return Err(format!("its network {network} overlaps {other} of {whose}"));
        }
    }
    Ok(key)
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

#[cfg(test)]
mod tests {
    use liqo_projections::fabric::{Endpoint, Vxlan};

    use super::*;
    use crate::wireguard::KeyPair;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn settings() -> GatewaySettings {
        GatewaySettings {
            cluster_id: "rome".into(),
            pod_cidr: net("10.200.0.0/16"),
            mtu: 1340,
            listen_port: 5871,
            vxlan: Vxlan { vni: 18952, port: 4879 },
        }
    }

    fn peer(id: &str, key: u8, pods: &str, external: &str) -> Peer {
        Peer {
            cluster_id: id.into(),
            cluster_name: id.into(),
            public_key: KeyPair::of([key; 32]).public().to_string(),
            endpoint: Endpoint { host: "172.18.2.1".to_owned(), port: 5871 },
            pod_cidr: net(pods),
            external_cidr: net(external),
            local_pod_cidr: Some(net("10.201.0.0/16")),
            local_external_cidr: net("10.82.0.0/16"),
            mappings: BTreeMap::new(),
        }
    }

    fn milan() -> Peer {
        peer("milan", 1, "10.201.0.0/16", "10.82.0.0/16")
    }

    /// Why the second of two peers is refused.
    fn refusal(other: Peer) -> Option<String> {
        let peers = [milan(), other].map(|peer| (peer.cluster_id.clone(), peer)).into();
        let admitted = admit(&settings(), Ipv4Addr::new(10, 199, 1, 9), &peers);
        assert!(admitted.peers.contains_key(&ClusterId::from("milan")), "{admitted:?}");
        admitted.refused.values().next().cloned()
    }

    #[test]
    fn peers_with_networks_of_their_own_are_served_together() {
        // Also when both give us the same name.
        assert_eq!(refusal(peer("turin", 2, "10.202.0.0/16", "10.83.0.0/16")), None);
    }

    #[test]
    fn what_somebody_else_has_is_refused() {
        for (pods, external, reason) in [
            (
                "10.201.7.0/24",
                "10.83.0.0/16",
                "its network 10.201.7.0/24 overlaps 10.201.0.0/16 of peer milan",
            ),
            ("10.202.0.0/16", "10.80.0.0/12", "its network 10.80.0.0/12 overlaps 10.82.0.0/16 of peer milan"),
            (
                "10.200.0.0/24",
                "10.83.0.0/16",
                "its network 10.200.0.0/24 overlaps 10.200.0.0/16 of the pods of this cluster",
            ),
            (
                "10.199.0.0/16",
                "10.83.0.0/16",
                "its network 10.199.0.0/16 overlaps 10.199.1.9/32 of the gateway itself",
            ),
            ("0.0.0.0/0", "10.83.0.0/16", "its networks 0.0.0.0/0 and 10.83.0.0/16 overlap"),
            (
                "10.202.0.0/16",
                "169.254.1.0/24",
                "its network 169.254.1.0/24 overlaps 169.254.0.0/16 of the tunnel",
            ),
            ("240.1.0.0/16", "10.83.0.0/16", "its network 240.1.0.0/16 overlaps 240.0.0.0/8 of the overlay"),
        ] {
            assert_eq!(refusal(peer("turin", 2, pods, external)).as_deref(), Some(reason));
        }
    }

    #[test]
    fn what_cannot_be_translated_or_named_is_refused() {
        let good = || peer("turin", 2, "10.202.0.0/16", "10.83.0.0/16");
        for (peer, part) in [
            (Peer { public_key: "short".to_owned(), ..good() }, "base64"),
            (Peer { public_key: milan().public_key, ..good() }, "same public key"),
            (Peer { local_pod_cidr: Some(net("10.201.0.0/17")), ..good() }, "another size"),
            (Peer { local_pod_cidr: Some(net("10.82.0.0/16")), ..good() }, "overlap"),
            (Peer { cluster_id: "turin; flush ruleset".into(), ..good() }, "its ID"),
        ] {
            let reason = refusal(peer).unwrap();
            assert!(reason.contains(part), "{reason}");
        }
    }
}
