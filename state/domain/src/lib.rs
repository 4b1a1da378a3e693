//! The pure machine: what is known, what follows from an event, and what is to be done about it.
//!
//! [`State`] follows from events alone; [`LiqoMachine`] folds events in (`evolve`) and plans the aggregates that they
//! touch (`decide`). Each aggregate has one planner, which `resume` runs as well: edge and level are the same code, so a
//! missed edge strands nothing. Nothing here reads a clock, draws a number or does input or output.

mod about;
pub mod addressing;
mod admission;
mod aggregate;
mod compact;
mod evolve;
mod identity;
mod kubelet;
mod liqo;
mod machine;
mod network;
mod offloading;
mod orphans;
mod outbox;
mod peering;
mod quota;
mod remote_namespaces;
mod replication;
mod selector;
mod shadows;
mod signing;
mod state;
mod surroundings;
mod table;
#[cfg(test)]
mod tests;
mod touch;
mod watching;
mod wishes;
mod writer;

pub use admission::{
    Forbidden, NamespaceOrigin, PeerIdentity, Placement, Strategies, Undecided, foreign_cluster_label,
    foreign_cluster_violation, namespace_origin, offloading_violation, offloading_warning, pod_placement,
};
pub use identity::IDENTITY_CONFIG_MAP;
pub use kubelet::KubeletMachine;
pub use liqo::LiqoMachine;
pub use machine::{ArmedDeadline, Listed, Machine, Output, Ready};
pub use network::{ActiveGateway, active_gateway};
pub use offloading::{OFFLOADING_FINALIZER, OFFLOADING_NAME};
pub use orphans::SECOND_LOOK_MILLIS;
pub use outbox::{Pending, Waiting, effect_hash};
pub use peering::{Monitored, Promise, Sharing, monitored, sharing};
pub use state::{Fact, Grave, Lease, Mirrored, Object, Orphan, State, Written};
pub use table::Table;
pub use watching::{
    Link, WatchWish, control_plane_watches, kubelet_base_watches, kubelet_watches, links, mapped_namespaces,
    tunnel_of,
};
pub use writer::{
    BATCH_EVENTS, Batch, CHECKPOINT_EVENTS, CHECKPOINT_MILLIS, Checkpoint, Comparison, Dispatch, Disposition,
    IN_FLIGHT, Input, Leadership, Moment, OUTPUTS_AT_ONCE, Outcome, REPLAN_MILLIS, Remark, SUBJECTS, Tally,
    UPDATES_A_WINDOW, WINDOW_MILLIS, Writer,
};
