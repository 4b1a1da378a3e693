//! What the transforms of a virtual kubelet have to know beside the objects.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::Ipv4Net;
use liqo_events::TunnelSpec;
use liqo_model::NamespaceName;
use liqo_reflection::{AddressTranslation, ApiServerSupport, Cluster, Context, TranslationUnavailable};
use tokio::sync::watch;

/// A network that is called as it is.
const NOT_REMAPPED: &str = "None";

/// How the pods of two clusters are called on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Pods at home, as they are.
    pub home: Ipv4Net,
    /// Pods at home, as the provider calls them.
    pub home_there: Ipv4Net,
    /// Pods of the provider, as they are.
    pub remote: Ipv4Net,
    /// Pods of the provider, as they are called at home.
    pub remote_here: Ipv4Net,
}

impl Prefixes {
    /// As a TunnelEndpoint has them; nothing while it lacks one, or one is no network.
    pub fn of(tunnel: &TunnelSpec) -> Option<Self> {
        let (home, remote) = (tunnel.local_pod_cidr.parse().ok()?, tunnel.remote_pod_cidr.parse().ok()?);
        let called = |text: &str, real: Ipv4Net| match text {
            "" | NOT_REMAPPED => Some(real),
            other => other.parse().ok(),
        };
        Some(Self {
            home,
            home_there: called(&tunnel.local_nat_pod_cidr, home)?,
            remote,
            remote_here: called(&tunnel.remote_nat_pod_cidr, remote)?,
        })
    }
}

impl AddressTranslation for Prefixes {
    fn to_remote(&self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        Ok(moved(address, self.home, self.home_there))
    }

    fn to_home(&self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        Ok(moved(address, self.remote, self.remote_here))
    }
}

/// The address at the same place of another network.
fn moved(address: IpAddr, from: Ipv4Net, to: Ipv4Net) -> Option<IpAddr> {
    let IpAddr::V4(address) = address else { return None };
    if !from.contains(&address) {
        return None;
    }
    let host = u32::from(address) & u32::from(to.hostmask());
    Some(Ipv4Addr::from(u32::from(to.network()) | host).into())
}

/// Before there is a tunnel.
struct Unknown;

impl AddressTranslation for Unknown {
    fn to_remote(&self, _: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        Err(TranslationUnavailable)
    }

    fn to_home(&self, _: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        Err(TranslationUnavailable)
    }
}

/// What a virtual kubelet reflects between.
#[derive(Clone, Debug)]
pub struct Reflecting {
    /// The cluster whose objects are reflected.
    pub home: Cluster,
    /// The provider.
    pub remote: Cluster,
    /// Name of the virtual node.
    pub virtual_node: Arc<str>,
    /// Address of the virtual kubelet.
    pub node_ip: IpAddr,
    /// How addresses are called on the other side; nothing before there is a tunnel.
    pub prefixes: watch::Receiver<Option<Prefixes>>,
    /// Whether addresses are reflected at all.
    pub with_addresses: bool,
}

impl Reflecting {
    pub(crate) fn within<T>(
        &self,
        remote_namespace: &NamespaceName,
        transform: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let prefixes = *self.prefixes.borrow();
        let known: &dyn AddressTranslation = match &prefixes {
            Some(prefixes) => prefixes,
            None => &Unknown,
        };
        transform(&Context {
            home: &self.home,
            remote: &self.remote,
            virtual_node: &self.virtual_node,
            remote_namespace,
            node_ip: self.node_ip,
            addresses: self.with_addresses.then_some(known),
            api_server: &ApiServerSupport::Disabled,
            // Slices of skipped Services are not asked for.
            skipped_services: &BTreeSet::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel() -> TunnelSpec {
        TunnelSpec {
            local_pod_cidr: "10.200.0.0/16".to_owned(),
            local_nat_pod_cidr: "10.201.0.0/16".to_owned(),
            remote_pod_cidr: "10.200.0.0/16".to_owned(),
            remote_nat_pod_cidr: "None".to_owned(),
            ..TunnelSpec::default()
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn pods_keep_their_place_in_the_network() {
        let prefixes = Prefixes::of(&tunnel()).unwrap();
        assert_eq!(prefixes.to_remote(address("10.200.3.7")), Ok(Some(address("10.201.3.7"))));
        assert_eq!(prefixes.to_home(address("10.200.3.7")), Ok(Some(address("10.200.3.7"))));
        assert_eq!(prefixes.to_home(address("10.9.0.1")), Ok(None));
        assert_eq!(prefixes.to_remote(address("fd00::1")), Ok(None));
    }

    #[test]
    fn half_a_tunnel_is_none() {
        assert_eq!(Prefixes::of(&TunnelSpec { remote_pod_cidr: String::new(), ..tunnel() }), None);
    }
}
