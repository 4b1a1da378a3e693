//! From the name of a gateway to its address.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

/// Longest time for one name.
const PATIENCE: Duration = Duration::from_secs(5);

/// The IPv4 address of `host`, and of several the one that was used before.
///
/// # Errors
///
/// When there is none, or nobody knows within five seconds.
pub(crate) async fn resolve(host: &str, port: u16, before: Option<SocketAddrV4>) -> io::Result<SocketAddrV4> {
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(SocketAddrV4::new(address, port));
    }
    let found = timeout(PATIENCE, lookup_host((host, port))).await;
    let found: Vec<SocketAddr> = found.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??.collect();
    let addresses = || {
        found.iter().filter_map(|address| match address {
            SocketAddr::V4(address) => Some(*address),
            SocketAddr::V6(_) => None,
        })
    };
    let kept = before.filter(|before| addresses().any(|address| address == *before));
    let none = || io::Error::new(io::ErrorKind::AddrNotAvailable, "it has no IPv4 address");
    kept.or_else(|| addresses().next()).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_needs_no_resolving() {
        let expected = SocketAddrV4::new(Ipv4Addr::new(172, 18, 2, 1), 5871);
        assert_eq!(resolve("172.18.2.1", 5871, None).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_resolved_and_ipv4_taken() {
        let expected = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 5871);
        assert_eq!(resolve("localhost", 5871, Some(expected)).await.unwrap(), expected);
        assert!(resolve("no name at all", 5871, None).await.is_err());
    }
}
