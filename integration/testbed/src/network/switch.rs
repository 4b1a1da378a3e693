//! The switch that all clusters and the machine are plugged to.

use super::namespace::{create, exists, has_link, ip, remove};
use super::segment::{bridge_lines, mac};
use crate::command::Call;
use crate::error::{Error, Result};
use crate::layout::Layout;

/// The name of the switch's namespace.
pub(crate) const SWITCH: &str = "switch";
/// The machine's end of its cable to the switch.
pub(crate) const MACHINE_LINK: &str = "testbed0";
/// The switch's end.
pub(super) const MACHINE_PORT: &str = "machine";
/// Marks [`MACHINE_LINK`] as the testbed's, so that nobody else's link of that name is ever taken or removed.
const ALIAS: &str = "liqo-testbed";

/// Makes the switch and plugs the machine to it, as far as that is not done.
///
/// # Errors
/// [`Error::Command`] when the kernel refuses.
pub(crate) async fn ensure_switch(layout: &Layout) -> Result<()> {
    let namespace = layout.netns(SWITCH);
    let network = layout.network();
    if !exists(&namespace) {
        create(&namespace).await?;
    }
    if !has_link(&namespace, "br0").await {
        ip(&namespace, "link add br0 type bridge\n").await?;
    }
    // From here on every step may be done again: an `up` that was killed may have ended between any two.
    ip(&namespace, &bridge_lines(network.switch(), network.cidr().prefix_len())).await?;
    settings(&namespace).await?;
    // What is nobody's address is refused at once: a test that asks for it need not wait for a time-out.
    ip(&namespace, "route replace unreachable default\n").await?;
    if !has_link(&namespace, MACHINE_PORT).await {
        let own = format!("/proc/{}/ns/net", std::process::id());
        let mac = mac(network.machine());
        let veth = format!("type veth peer name {MACHINE_LINK} address {mac} netns {own}");
        ip(&namespace, &format!("link add {MACHINE_PORT} {veth}\n")).await?;
    }
    ip(&namespace, &format!("link set {MACHINE_PORT} master br0 up\n")).await?;
    let address = format!("{}/{}", network.machine(), network.cidr().prefix_len());
    let lines = format!(
        "link set {MACHINE_LINK} alias {ALIAS}\naddr replace {address} dev {MACHINE_LINK}\nlink set {MACHINE_LINK} up\n"
    );
    Call::new("ip", ["-batch", "-"]).input(lines).run().await?;
    Ok(())
}

/// Forwarding for the addresses of load balancers, which the bridge answers for on the link they are asked on.
pub(super) async fn settings(namespace: &std::path::Path) -> Result<()> {
    let settings = [
        "net.ipv4.ip_forward=1",
        "net.ipv4.conf.all.send_redirects=0",
        "net.ipv4.conf.br0.send_redirects=0",
        "net.ipv4.conf.br0.proxy_arp_pvlan=1",
        "net.bridge.bridge-nf-call-iptables=0",
    ];
    let lines: Vec<String> = settings
        .iter()
        .map(|setting| {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            format!("echo {value} > /proc/sys/{}", name.replace('.', "/"))
        })
        .collect();
    Call::new("sh", ["-ec", &lines.join("\n")]).in_network(namespace).run().await?;
    Ok(())
}

/// Unplugs the machine and removes the switch.
///
/// # Errors
/// [`Error::Command`] when the kernel refuses.
pub(crate) async fn remove_switch(layout: &Layout) -> Result<()> {
    let namespace = layout.netns(SWITCH);
    if exists(&namespace) && has_link(&namespace, MACHINE_PORT).await {
        // The machine's end goes with it, whether or not it had come to have its mark.
        ip(&namespace, &format!("link del {MACHINE_PORT}\n")).await?;
    } else if machine_link_alias().await.as_deref() == Some(ALIAS) {
        Call::new("ip", ["link", "del", MACHINE_LINK]).run().await?;
    }
    remove(&namespace)
}

/// The alias of the machine's link, none when there is no such link.
async fn machine_link_alias() -> Option<String> {
    // Not from /sys, which may show another network namespace than the one that this process is in.
    let text = Call::new("ip", ["-json", "link", "show", "dev", MACHINE_LINK]).run().await.ok()?;
    let links: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(links[0]["ifalias"].as_str().unwrap_or_default().to_owned())
}

/// The error for a link of that name which is somebody else's.
pub(crate) async fn machine_link_taken(layout: &Layout) -> Option<Error> {
    let alias = machine_link_alias().await?;
    let namespace = layout.netns(SWITCH);
    // An `up` that was killed between making the link and marking it.
    let plugged = exists(&namespace) && has_link(&namespace, MACHINE_PORT).await;
    (alias != ALIAS && !plugged).then(|| Error::Machine {
        problem: format!("the network interface {MACHINE_LINK} belongs to somebody else"),
        fix: format!("rename it or remove it with `ip link del {MACHINE_LINK}`"),
    })
}
