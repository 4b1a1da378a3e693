//! Decision tables and properties of the machine.

mod admission;
mod arbitrary;
mod identity;
mod lives;
mod network;
mod offloading;
mod orphans;
mod outbox;
mod pair;
mod peering;
mod properties;
mod scenario;
mod world;
mod world_effects;
