//! What this cluster knows of itself.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use liqo_events::{ControlPlaneSettings, Facts, Seq};
use liqo_model::{ClusterId, Kind};

use crate::addressing::{AddressSpace, network, overlap};
use crate::state::State;

/// This cluster.
pub(super) struct Home<'a> {
    pub(super) id: &'a ClusterId,
    pub(super) settings: &'a ControlPlaneSettings,
    /// Where the settings were recorded.
    pub(super) configured: Seq,
    pub(super) pods: Ipv4Net,
}

impl<'a> Home<'a> {
    /// Nothing while it has no identity, or no network to offer.
    pub(super) fn of(state: &'a State) -> Option<Self> {
        let settings = state.control_plane()?;
        let pods = network(&settings.pod_cidr)?;
        let configured = state.configured.as_ref()?.seq;
        Some(Self { id: &state.identity.as_ref()?.body.id, settings, configured, pods })
    }

    /// Whether its pods or services are in a network.
    pub(super) fn uses(&self, other: Ipv4Net) -> bool {
        let services = network(&self.settings.service_cidr);
        overlap(self.pods, other) || services.is_some_and(|services| overlap(services, other))
    }

    /// The networks that no peer gets: those of this cluster, what is reserved, and the addresses of nodes, since a peer
    /// that got these would take their traffic.
    pub(super) fn space(&self, state: &State) -> AddressSpace {
        let mut space = AddressSpace::default();
        space.take(self.pods);
        let texts = std::iter::once(&self.settings.service_cidr).chain(&self.settings.reserved);
        texts.filter_map(|text| network(text)).for_each(|network| space.take(network));
        for (_, object) in state.local(Kind::Node) {
            let Facts::Node(node) = &object.facts else { continue };
            let internal = node.addresses.iter().filter(|(kind, _)| kind == "InternalIP" && !node.is_virtual);
            let addresses = internal.filter_map(|(_, address)| address.parse::<Ipv4Addr>().ok());
            addresses.for_each(|address| space.take(Ipv4Net::from(address)));
        }
        space
    }
}
