//! Reports of gateways as events: a change of a status at once, a changed figure once a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use liqo_domain::{State, active_gateway};
use liqo_events::TunnelReported;
use liqo_model::ClusterId;
use tokio::time::Instant;

use crate::{AgentReport, TunnelReport, TunnelStatus};

/// Least time between two events about one peer that differ in a figure alone.
const FIGURE: Duration = Duration::from_secs(60);
/// Smallest difference of round trips that is worth an event, in microseconds.
const FINEST: u64 = 100;
/// Characters of the longest trouble that is kept.
const TROUBLE: usize = 256;

/// Something about a tunnel that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) report: TunnelReported,
    /// Whether nothing but a figure differs.
    pub(crate) is_figure: bool,
}

/// What of a report is not known yet. Only the gateway that is active says anything, and only of peers whose networks are
/// known here; what it does not mention is no connection.
pub(crate) fn news(state: &State, report: &AgentReport) -> Vec<News> {
    let is_active = active_gateway(state).is_some_and(|active| active.address.to_string() == report.address);
    if !is_active {
        return Vec::new();
    }
    let known_peers = report.tunnels.iter().filter(|(peer, _)| state.subnets.contains_key(*peer));
    let seen = known_peers.map(|(peer, tunnel)| reported(peer, &report.address, tunnel));
    let missing = state
        .tunnels
        .iter()
        .filter(|(peer, known)| known.body.connected && !report.tunnels.contains_key(*peer));
    let gone = missing.map(|(peer, _)| TunnelReported {
        peer: peer.clone(),
        gateway: report.address.clone(),
        connected: false,
        round_trip_micros: 0,
        trouble: String::new(),
    });
    seen.chain(gone).filter_map(|report| news_of(state, report)).collect()
}

fn news_of(state: &State, report: TunnelReported) -> Option<News> {
    let Some(known) = state.tunnels.get(&report.peer) else { return Some(News { report, is_figure: false }) };
    if known.body == report {
        return None;
    }
    let figureless = |of: &TunnelReported| TunnelReported { round_trip_micros: 0, ..of.clone() };
    let is_figure = figureless(&known.body) == figureless(&report);
    Some(News { report, is_figure })
}

fn reported(peer: &ClusterId, gateway: &str, tunnel: &TunnelReport) -> TunnelReported {
    let connected = tunnel.status == TunnelStatus::Connected;
    let is_wrong = tunnel.status == TunnelStatus::Error;
    TunnelReported {
        peer: peer.clone(),
        gateway: gateway.to_owned(),
        connected,
        round_trip_micros: tunnel.latency_micros.filter(|_| connected).map_or(0, rounded),
        trouble: if is_wrong { tunnel.message.chars().take(TROUBLE).collect() } else { String::new() },
    }
}

/// To one digit.
fn rounded(micros: u64) -> u32 {
    let mut unit = FINEST;
    while micros / unit >= 10 {
        unit = unit.saturating_mul(10);
    }
    let digit = (micros.saturating_add(unit / 2) / unit).max(1);
    u32::try_from(digit.saturating_mul(unit)).unwrap_or(u32::MAX)
}

/// When something about each peer was last passed on.
#[derive(Debug, Default)]
pub(crate) struct Pace(BTreeMap<ClusterId, Instant>);

impl Pace {
    /// What is to be passed on now.
    pub(crate) fn due(&mut self, news: Vec<News>, now: Instant) -> Vec<TunnelReported> {
        self.0.retain(|_, last| now.duration_since(*last) < FIGURE);
        // Whoever is remembered had something passed on less than a minute ago.
        let due = news.into_iter().filter(|one| !one.is_figure || !self.0.contains_key(&one.report.peer));
        let due: Vec<TunnelReported> = due.map(|one| one.report).collect();
        self.0.extend(due.iter().map(|report| (report.peer.clone(), now)));
        due
    }
}

#[cfg(test)]
mod tests;
