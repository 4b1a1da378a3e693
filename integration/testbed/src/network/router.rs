//! The masquerading router before a cluster behind NAT.

use super::namespace::{create, exists, has_link, ip, nft, remove};
use super::segment::{bridge_lines, mac};
use super::switch::{SWITCH, settings};
use crate::error::Result;
use crate::layout::Layout;
use crate::model::{AddressPlan, ClusterName, ClusterRecord};

/// The ports that the router passes on to the control plane: the API server and NodePorts, over TCP. Nothing over UDP:
/// whoever wants a tunnel to this cluster must be called by it.
const FORWARDED: &str = "6443, 30000-32767";

/// The name of the router's namespace.
pub(crate) fn router_name(cluster: &ClusterName) -> String {
    format!("{cluster}-router")
}

/// The router's port of the switch.
pub(super) fn uplink_port(index: u8) -> String {
    format!("c{index}.r")
}

/// Makes the router of a cluster, as far as that is not done.
///
/// # Errors
/// [`crate::Error::Command`] when the kernel refuses.
pub(crate) async fn ensure_router(layout: &Layout, record: &ClusterRecord) -> Result<()> {
    let namespace = layout.netns(&router_name(&record.spec.name));
    let addresses = record.addresses();
    if !exists(&namespace) {
        create(&namespace).await?;
    }
    if !has_link(&namespace, "br0").await {
        ip(&namespace, "link add br0 type bridge\n").await?;
    }
    ip(&namespace, &bridge_lines(addresses.router_inside(), 24)).await?;
    settings(&namespace).await?;
    let port = uplink_port(record.index);
    let (address, prefix) = (addresses.router_outside(), record.network.cidr().prefix_len());
    if !has_link(&namespace, "uplink").await {
        let veth =
            format!("type veth peer name uplink address {} netns {}", mac(address), namespace.display());
        ip(&layout.netns(SWITCH), &format!("link add {port} {veth}\n")).await?;
    }
    ip(&layout.netns(SWITCH), &format!("link set {port} master br0 up\n")).await?;
    let lines = format!(
        "addr replace {address}/{prefix} dev uplink\nlink set uplink up\nroute replace default via {}\n",
        record.network.switch()
    );
    ip(&namespace, &lines).await?;
    nft(&namespace, &rules(&addresses)).await
}

/// Removes the router of a cluster.
///
/// # Errors
/// [`crate::Error::Command`] when the kernel refuses.
pub(crate) async fn remove_router(layout: &Layout, record: &ClusterRecord) -> Result<()> {
    let (switch, port) = (layout.netns(SWITCH), uplink_port(record.index));
    if exists(&switch) && has_link(&switch, &port).await {
        ip(&switch, &format!("link del {port}\n")).await?;
    }
    remove(&layout.netns(&router_name(&record.spec.name)))
}

fn rules(addresses: &AddressPlan) -> String {
    let control_plane = addresses.node(0).address;
    format!(
        "table ip nat
delete table ip nat
table ip nat {{
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname \"uplink\" tcp dport {{ {FORWARDED} }} dnat to {control_plane}
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname \"uplink\" masquerade
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname \"uplink\" ct state new ct status dnat accept
    iifname \"uplink\" ct state new drop
  }}
}}
"
    )
}
