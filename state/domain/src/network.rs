//! Addresses, network parameters and tunnels.
//!
//! ```text
//!  joined ─► our NetworkConfig ═ copied to the peer ═► its answer in the status ─┐
//!            its NetworkConfig ─► networks chosen ─► our answer in the status ───┴─► TunnelEndpoint, NatMapping
//! ```
//!
//! What was chosen is recorded, and mirrored in the IpamStorage and in what the peer was told: a log that begins anew
//! takes it from there. Networks are given back when neither we nor the peer use them any more.
//!
//! Source: network-and-virtual-kubelet of Liqo 0.8.3, §A.1 and §A.2.

mod endpoint;
mod exchange;
mod gateway;
mod home;
mod parties;
mod storage;
mod subnets;
mod tunnel;
mod wishes;

use liqo_model::{ClusterId, Kind};

use crate::machine::Output;
use crate::state::State;
use home::Home;
use parties::{Party, parties};
use subnets::Subnets;
use wishes::Wishes;

pub use gateway::{ActiveGateway, active_gateway};
pub(crate) use parties::part_in_network;

/// The kinds that all of this is decided on. Before each was listed in the present life of the cluster, what was chosen
/// earlier may not be known, and what is missing may not be gone.
const DECIDED_ON: [Kind; 6] = [
    Kind::ForeignCluster,
    Kind::NetworkConfig,
    Kind::TunnelEndpoint,
    Kind::IpamStorage,
    Kind::NatMapping,
    Kind::Node,
];

/// What is to be done now.
pub(crate) fn plan(state: &State) -> Vec<Output> {
    let Some(home) = decidable(state) else { return Vec::new() };
    let parties = parties(state, home.id);
    let mut wishes = Wishes::new(state);
    let Some(subnets) = Subnets::decided(state, &home, &parties, &mut wishes) else {
        return wishes.granted();
    };
    for party in &parties {
        exchange::plan(&home, party, &subnets, &mut wishes);
        tunnel::plan(party, &subnets, &mut wishes);
    }
    tunnel::sweep(&parties, &mut wishes);
    storage::plan(&home, &parties, &subnets, &mut wishes);
    wishes.granted()
}

/// What is to be done about one peer now. Where networks have to be chosen that is the same as for all of them.
pub(crate) fn plan_with(state: &State, peer: &ClusterId) -> Vec<Output> {
    planned_alone(state, peer).unwrap_or_else(|| plan(state))
}

fn planned_alone(state: &State, peer: &ClusterId) -> Option<Vec<Output>> {
    let Some(home) = decidable(state).filter(|home| home.id != peer) else { return Some(Vec::new()) };
    let party = Party::of(state, peer);
    let mut wishes = Wishes::new(state);
    let subnets = Subnets::standing(state, &home, &party, &mut wishes)?;
    exchange::plan(&home, &party, &subnets, &mut wishes);
    tunnel::plan(&party, &subnets, &mut wishes);
    tunnel::sweep_one(&party, &mut wishes);
    Some(wishes.granted_about(&party.keys()))
}

/// Nothing before everything was listed.
fn decidable(state: &State) -> Option<Home<'_>> {
    let is_decidable = DECIDED_ON.iter().all(|kind| state.local_list(*kind).is_some());
    Home::of(state).filter(|_| is_decidable)
}
