//! A segment: the link that nodes share. All nodes on the switch share one; a cluster behind NAT has its own.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use super::namespace::{create, exists, has_link, ip, remove};
use super::router::router_name;
use super::switch::SWITCH;
use crate::command::Call;
use crate::error::Result;
use crate::layout::Layout;
use crate::model::ClusterRecord;

/// A node's cable.
#[derive(Clone, Debug)]
pub(crate) struct NodeLink {
    /// The node's own namespace.
    pub namespace: PathBuf,
    /// The switch or the router.
    pub segment: PathBuf,
    /// The name of the segment's end.
    pub port: String,
}

impl NodeLink {
    pub(crate) fn of(layout: &Layout, record: &ClusterRecord, ordinal: usize) -> Self {
        Self {
            namespace: layout.netns(record.spec.name.node(ordinal).as_str()),
            segment: segment_of(layout, record),
            port: port(record.index, ordinal),
        }
    }
}

/// The port of a node. The dot ends the cluster's prefix, so a rule for `c1.*` never means cluster 11.
pub(super) fn port(index: u8, ordinal: usize) -> String {
    format!("c{index}.{ordinal}")
}

/// The namespace whose bridge joins the nodes of a cluster.
pub(crate) fn segment_of(layout: &Layout, record: &ClusterRecord) -> PathBuf {
    if record.spec.behind_nat { layout.netns(&router_name(&record.spec.name)) } else { layout.netns(SWITCH) }
}

/// Lines of `ip` that set up a segment's bridge; they may be run again.
pub(super) fn bridge_lines(address: Ipv4Addr, prefix: u8) -> String {
    format!(
        "link set br0 address {}\naddr replace {address}/{prefix} dev br0\nlink set br0 up\n",
        mac(address)
    )
}

/// The hardware address of the link that has this address. It is the same whenever the link is made again, so neighbours
/// that remember it are right: after a reboot of a node nobody waits half a minute for a stale entry to expire.
pub(super) fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// Plugs a node, with routes to the pods of its cluster's other nodes. A node that was plugged is unplugged first: what
/// it had in its namespace ends with it.
///
/// # Errors
/// [`crate::Error::Command`] when the kernel refuses.
pub(crate) async fn plug(layout: &Layout, record: &ClusterRecord, ordinal: usize) -> Result<()> {
    let link = NodeLink::of(layout, record, ordinal);
    unplug(&link).await?;
    create(&link.namespace).await?;
    let (port, namespace) = (&link.port, link.namespace.display());
    let mac = mac(record.addresses().node(ordinal).address);
    ip(
        &link.segment,
        &format!(
            "link add {port} type veth peer name eth0 address {mac} netns {namespace}\nlink set {port} master br0 up\n"
        ),
    )
    .await?;
    ip(&link.namespace, &node_lines(record, ordinal)).await
}

/// Removes a node's cable and namespace.
///
/// # Errors
/// [`crate::Error::Command`] when the kernel refuses.
pub(crate) async fn unplug(link: &NodeLink) -> Result<()> {
    if exists(&link.segment) && has_link(&link.segment, &link.port).await {
        ip(&link.segment, &format!("link del {}\n", link.port)).await?;
    }
    remove(&link.namespace)
}

/// Takes the carrier from a node's cable, until the node is plugged anew.
///
/// # Errors
/// [`crate::Error::Command`] when the kernel refuses.
pub(crate) async fn silence(link: &NodeLink) -> Result<()> {
    if is_plugged(link).await {
        ip(&link.segment, &format!("link set {} down\n", link.port)).await
    } else {
        Ok(())
    }
}

/// Whether a node's cable and namespace are there and the cable carries: a command that was killed between taking a node's
/// carrier and ending its processes leaves one that runs and is silent, which has to be booted again.
pub(crate) async fn is_plugged(link: &NodeLink) -> bool {
    if !exists(&link.namespace) || !exists(&link.segment) {
        return false;
    }
    // With `up`, a link that is down is no error but an empty answer.
    let shown =
        Call::new("ip", ["link", "show", "dev", &link.port, "up"]).in_network(&link.segment).run().await;
    shown.is_ok_and(|text| !text.trim().is_empty())
}

/// Removes the routes of a cluster's load balancer from its segment.
///
/// # Errors
/// [`crate::Error::Command`] when the kernel refuses.
pub(crate) async fn remove_balancer_routes(layout: &Layout, record: &ClusterRecord) -> Result<()> {
    let segment = segment_of(layout, record);
    if exists(&segment) {
        let pool = record.addresses().load_balancer_pool().to_string();
        Call::new("ip", ["route", "flush", "root", &pool]).in_network(&segment).run().await?;
    }
    Ok(())
}

fn node_lines(record: &ClusterRecord, ordinal: usize) -> String {
    let addresses = record.addresses();
    let own = addresses.node(ordinal);
    let mut lines = format!(
        "addr add {}/{} dev eth0\nlink set eth0 up\nroute add default via {}\n",
        own.address, own.prefix, own.gateway
    );
    for other in (0..record.spec.nodes).filter(|other| *other != ordinal) {
        if let Some(pods) = record.spec.node_pods(other) {
            let _ = writeln!(lines, "route add {pods} via {}", addresses.node(other).address);
        }
    }
    lines
}

/// The route to an address of the load balancer's, as a line of `ip`.
pub(crate) fn balancer_route(address: Ipv4Addr, node: Option<Ipv4Addr>) -> String {
    match node {
        Some(node) => format!("route replace {address} via {node}\n"),
        None => format!("route replace unreachable {address}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterSpec, Network};

    #[test]
    fn a_node_has_a_route_to_the_pods_of_each_other_node() {
        let mut spec = ClusterSpec::new("rome".parse().unwrap());
        spec.nodes = 3;
        let record = ClusterRecord { spec, index: 4, network: Network::default() };
        let lines = node_lines(&record, 1);
        assert!(lines.contains("addr add 172.30.4.2/16 dev eth0"), "{lines}");
        assert!(lines.contains("route add 10.200.0.0/24 via 172.30.4.1"), "{lines}");
        assert!(lines.contains("route add 10.200.2.0/24 via 172.30.4.3"), "{lines}");
        assert!(!lines.contains("10.200.1.0/24"), "{lines}");
    }

    #[test]
    fn the_prefix_of_a_cluster_is_no_prefix_of_another() {
        assert!(!port(11, 0).starts_with("c1."));
    }
}
