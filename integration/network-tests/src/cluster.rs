//! Clusters of three namespaces: a node, a pod on it, and the gateway, which is a pod on it too.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use liqo_datapath::{KeyPair, Position};
use liqo_projections::fabric::{
    Endpoint, GatewaySettings, GatewayView, NodeGateway, NodePeer, NodeSettings, NodeView, OverlayNode, Peer,
    Vxlan,
};
use tempfile::TempDir;

use crate::agent::{Agent, Order};
use crate::namespace::Namespace;

/// UDP port of nodes that leads to the gateway.
pub const NODE_PORT: u16 = 32200;
/// A Service of each cluster, which its node answers for.
pub const SERVICE: Ipv4Addr = Ipv4Addr::new(10, 80, 0, 1);
/// The same as the other cluster sees it.
pub const SERVICE_AS_SEEN: Ipv4Addr = Ipv4Addr::new(10, 82, 0, 2);

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 200, 1, 9);
const POD: Ipv4Addr = Ipv4Addr::new(10, 200, 0, 5);
const VXLAN: Vxlan = Vxlan { vni: 18952, port: 4879 };
const MTU: u16 = 1340;
const LISTEN_PORT: u16 = 5871;

/// Networks that both clusters use, and by which they name each other's.
const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 200, 0, 0), 16);
const PEER_PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 201, 0, 0), 16);
const EXTERNAL: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 82, 0, 0), 16);

/// A cluster.
pub struct Cluster {
    /// Name and ID.
    pub name: &'static str,
    /// The node's own namespace.
    pub node: Namespace,
    /// The gateway's.
    pub gateway: Namespace,
    /// A pod's.
    pub pod: Namespace,
    /// The gateway, while it runs.
    pub gateway_agent: Option<Agent>,
    /// The agent of the node, while it runs.
    pub node_agent: Option<Agent>,
    address: Ipv4Addr,
    keys: KeyPair,
    program: PathBuf,
    folder: TempDir,
    orders: u64,
}

impl Cluster {
    fn new(name: &'static str, number: u8, program: &Path) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let keys = KeyPair::of([number; 32]);
        for role in ["gateway", "node"] {
            std::fs::create_dir(folder.path().join(role))?;
        }
        std::fs::write(folder.path().join("gateway/privateKey"), keys.private_text())?;
        let cluster = Self {
            name,
            node: Namespace::new()?,
            gateway: Namespace::new()?,
            pod: Namespace::new()?,
            gateway_agent: None,
            node_agent: None,
            address: Ipv4Addr::new(172, 18, number, 1),
            keys,
            program: program.to_owned(),
            folder,
            orders: 0,
        };
        cluster.wire()?;
        Ok(cluster)
    }

    /// What a network plugin and kube-proxy do.
    fn wire(&self) -> io::Result<()> {
        let (pod, gateway) = (self.pod.pid(), self.gateway.pid());
        // Packets may not come in by another interface than they would be answered by, unless somebody says otherwise.
        let strict = "for f in all default; do echo 1 > /proc/sys/net/ipv4/conf/$f/rp_filter; done\n";
        self.node.run(&format!(
            "{strict}echo 1 > /proc/sys/net/ipv4/ip_forward
             ip link add pod0 type veth peer name eth0 netns {pod}
             ip link add gateway0 type veth peer name eth0 netns {gateway}
             ip addr add 10.200.0.1/24 dev pod0
             ip addr add 10.200.1.1/24 dev gateway0
             ip link set pod0 up
             ip link set gateway0 up
             nft -f - <<'END'
             table ip node {{
                 chain prerouting {{
                     type nat hook prerouting priority dstnat
                     ip daddr {SERVICE} tcp dport 443 dnat to {}:6443
                     iifname eth0 udp dport {NODE_PORT} dnat to {GATEWAY}:{LISTEN_PORT}
                 }}
                 chain postrouting {{
                     type nat hook postrouting priority srcnat
                     oifname eth0 ip saddr {PODS} masquerade
                 }}
             }}\nEND\n",
            self.address
        ))?;
        for (namespace, address, router) in
            [(&self.pod, POD, "10.200.0.1"), (&self.gateway, GATEWAY, "10.200.1.1")]
        {
            namespace.run(&format!(
                "{strict}ip addr add {address}/24 dev eth0\nip link set eth0 up\nip route add default via {router}\n"
            ))?;
        }
        Ok(())
    }

    /// What the gateway is to do.
    pub fn gateway_view(&self, peer: &Self) -> GatewayView {
        let settings = GatewaySettings {
            cluster_id: self.name.into(),
            pod_cidr: PODS,
            mtu: MTU,
            listen_port: LISTEN_PORT,
            vxlan: VXLAN,
        };
        let node = OverlayNode {
            address: self.address,
            pod_cidrs: ["10.200.0.0/24", "10.200.1.0/24"]
                .iter()
                .filter_map(|cidr| cidr.parse().ok())
                .collect(),
        };
        let peer = Peer {
            cluster_id: peer.name.into(),
            cluster_name: peer.name.into(),
            public_key: peer.keys.public().to_string(),
            endpoint: Endpoint { host: peer.address.to_string(), port: NODE_PORT },
            pod_cidr: PEER_PODS,
            external_cidr: EXTERNAL,
            local_pod_cidr: Some(PEER_PODS),
            local_external_cidr: EXTERNAL,
            mappings: [(SERVICE_AS_SEEN, SERVICE)].into(),
        };
        GatewayView {
            settings: Some(settings),
            peers: [(peer.cluster_id.clone(), peer)].into(),
            nodes: [(format!("{}-node", self.name), node)].into(),
        }
    }

    /// What the node is to do.
    pub fn node_view(&self, peer: &Self) -> NodeView {
        let settings = NodeSettings { address: self.address, mtu: MTU, vxlan: VXLAN };
        let networks = NodePeer { pod_cidr: PEER_PODS, external_cidr: EXTERNAL };
        NodeView {
            settings: Some(settings),
            gateway: Some(NodeGateway { address: GATEWAY }),
            peers: BTreeMap::from([(peer.name.into(), networks)]),
        }
    }

    /// Starts the gateway, without an order.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_gateway(&mut self) -> io::Result<&mut Agent> {
        let mut command = self.gateway.command(&self.program.to_string_lossy());
        command.args(["gateway", &GATEWAY.to_string()]).arg(self.folder.path().join("gateway"));
        Ok(self.gateway_agent.insert(Agent::start(command)?))
    }

    /// Starts the agent of the node, without an order.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_node(&mut self) -> io::Result<&mut Agent> {
        let mut command = self.node.command(&self.program.to_string_lossy());
        command.arg("node").arg(self.folder.path().join("node"));
        Ok(self.node_agent.insert(Agent::start(command)?))
    }

    /// Orders the gateway to do this.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn order_gateway(&mut self, view: &GatewayView) -> io::Result<()> {
        let order = self.order(view.entries());
        self.gateway_agent.as_mut().ok_or(io::ErrorKind::NotConnected)?.order(&order)
    }

    /// Orders the agent of the node to do this.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn order_node(&mut self, view: &NodeView) -> io::Result<()> {
        let order = self.order(view.entries());
        self.node_agent.as_mut().ok_or(io::ErrorKind::NotConnected)?.order(&order)
    }

    fn order(&mut self, view: BTreeMap<String, serde_json::Value>) -> Order {
        self.orders += 1;
        Order { at: Some(Position { epoch: 1, seq: self.orders }), view }
    }

    /// The gateway's process.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn gateway(&mut self) -> io::Result<&mut Agent> {
        self.gateway_agent.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The node agent's process.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn node(&mut self) -> io::Result<&mut Agent> {
        self.node_agent.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// Two clusters whose nodes have one link between them.
pub struct Pair {
    /// One.
    pub rome: Cluster,
    /// The other.
    pub milan: Cluster,
}

impl Pair {
    /// Makes both, with agents by `program`, and gives them their orders.
    ///
    /// # Errors
    ///
    /// When something cannot be made.
    pub fn start(program: &Path) -> io::Result<Self> {
        let mut pair =
            Self { rome: Cluster::new("rome", 1, program)?, milan: Cluster::new("milan", 2, program)? };
        let milan = pair.milan.node.pid();
        pair.rome.node.run(&format!("ip link add eth0 type veth peer name eth0 netns {milan}\n"))?;
        for cluster in [&pair.rome, &pair.milan] {
            cluster
                .node
                .run(&format!("ip addr add {}/16 dev eth0\nip link set eth0 up\n", cluster.address))?;
        }
        for cluster in [&mut pair.rome, &mut pair.milan] {
            cluster.start_gateway()?;
            cluster.start_node()?;
        }
        pair.order()?;
        Ok(pair)
    }

    /// Gives both clusters the orders that connect them.
    ///
    /// # Errors
    ///
    /// When an agent does not run.
    pub fn order(&mut self) -> io::Result<()> {
        let (rome, milan) = (&mut self.rome, &mut self.milan);
        rome.order_gateway(&rome.gateway_view(milan))?;
        rome.order_node(&rome.node_view(milan))?;
        milan.order_gateway(&milan.gateway_view(rome))?;
        milan.order_node(&milan.node_view(rome))
    }

    /// Waits until each sees the other and all nodes know the way.
    ///
    /// # Errors
    ///
    /// When that takes too long.
    pub fn connected(&mut self) -> io::Result<()> {
        for (cluster, peer) in [(&mut self.rome, "milan"), (&mut self.milan, "rome")] {
            cluster.node()?.wait_for("a view that is carried out", |report| {
                report.applied.is_some() && report.problems.is_empty()
            })?;
            cluster.gateway()?.wait_for("a connected peer", |report| {
                report.peers.get(peer).is_some_and(|peer| peer.status == "Connected")
            })?;
        }
        Ok(())
    }
}
