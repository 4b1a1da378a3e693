//! Views of the fabric as the agents read them.

use serde_json::json;

use super::*;

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn gateway() -> GatewayView {
    let peer = Peer {
        cluster_id: "b6625701".into(),
        cluster_name: "milan".into(),
        public_key: "ZFurr6veUC6eISO2lFXJTT9J+ovBpBhyO4oUFfFf70c=".to_owned(),
        endpoint: Endpoint { host: "172.18.2.1".to_owned(), port: 30426 },
        pod_cidr: net("10.201.0.0/16"),
        external_cidr: net("10.82.0.0/16"),
        local_pod_cidr: Some(net("10.201.0.0/16")),
        local_external_cidr: net("10.82.0.0/16"),
        mappings: [(Ipv4Addr::new(10, 82, 0, 2), Ipv4Addr::new(10, 80, 0, 1))].into(),
    };
    let settings = GatewaySettings {
        cluster_id: "7f081ef5".into(),
        pod_cidr: net("10.200.0.0/16"),
        mtu: 1340,
        listen_port: 5871,
        vxlan: Vxlan { vni: 18952, port: 4879 },
    };
    let node = OverlayNode { address: Ipv4Addr::new(172, 18, 1, 2), pod_cidrs: vec![net("10.200.1.0/24")] };
    GatewayView {
        settings: Some(settings),
        peers: [(peer.cluster_id.clone(), peer)].into(),
        nodes: [("rome-worker".to_owned(), node)].into(),
    }
}

fn sent(entries: View<serde_json::Value>) -> View<String> {
    entries.into_iter().map(|(key, json)| (key, json.to_string())).collect()
}

#[test]
fn entries_of_the_gateway_have_these_keys_and_members() {
    let expected = json!({
        "gateway": {
            "clusterId": "7f081ef5", "podCidr": "10.200.0.0/16", "mtu": 1340, "listenPort": 5871,
            "vxlan": {"vni": 18952, "port": 4879},
        },
        "node/rome-worker": {"address": "172.18.1.2", "podCidrs": ["10.200.1.0/24"]},
        "peer/b6625701": {
            "clusterId": "b6625701", "clusterName": "milan",
            "publicKey": "ZFurr6veUC6eISO2lFXJTT9J+ovBpBhyO4oUFfFf70c=",
            "endpoint": {"host": "172.18.2.1", "port": 30426},
            "podCidr": "10.201.0.0/16", "externalCidr": "10.82.0.0/16",
            "localPodCidr": "10.201.0.0/16", "localExternalCidr": "10.82.0.0/16",
            "mappings": {"10.82.0.2": "10.80.0.1"},
        },
    });
    assert_eq!(json!(gateway().entries()), expected);
    assert_eq!(GatewayView::read(&sent(gateway().entries())), (gateway(), Vec::new()));
}

#[test]
fn entries_of_a_node_have_these_keys_and_members() {
    let view = NodeView {
        settings: Some(NodeSettings {
            address: Ipv4Addr::new(172, 18, 1, 1),
            mtu: 1340,
            vxlan: Vxlan { vni: 18952, port: 4879 },
        }),
        gateway: Some(NodeGateway { address: Ipv4Addr::new(10, 200, 1, 9) }),
        peers: [(
            "b6625701".into(),
            NodePeer { pod_cidr: net("10.201.0.0/16"), external_cidr: net("10.82.0.0/16") },
        )]
        .into(),
    };
    let expected = json!({
        "gateway": {"address": "10.200.1.9"},
        "node": {"address": "172.18.1.1", "mtu": 1340, "vxlan": {"vni": 18952, "port": 4879}},
        "peer/b6625701": {"podCidr": "10.201.0.0/16", "externalCidr": "10.82.0.0/16"},
    });
    assert_eq!(json!(view.entries()), expected);
    assert_eq!(NodeView::read(&sent(view.entries())), (view, Vec::new()));
}

#[test]
fn one_bad_entry_does_not_spoil_the_others() {
    let mut entries = sent(gateway().entries());
    entries.insert("peer/broken".to_owned(), "{\"podCidr\": 7}".to_owned());
    entries.insert("weather".to_owned(), "not for us".to_owned());
    let (view, malformed) = GatewayView::read(&entries);
    assert_eq!(view, gateway());
    assert_eq!(malformed.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["peer/broken"]);
}

#[test]
fn members_of_later_versions_are_ignored() {
    let entry = "{\"address\": \"10.200.1.9\", \"zone\": \"north\"}".to_owned();
    let (view, malformed) = NodeView::read(&View::from([("gateway".to_owned(), entry)]));
    assert_eq!(malformed, []);
    assert_eq!(view.gateway, Some(NodeGateway { address: Ipv4Addr::new(10, 200, 1, 9) }));
}
