//! Decision tables and properties of the machine.

mod admission;
mod arbitrary;
mod consumer;
mod copies;
mod identity;
mod lives;
mod network;
mod offloading;
mod orphans;
mod outbox;
mod pair;
mod parties;
mod peering;
mod properties;
mod provider;
mod remote_namespaces;
mod scenario;
mod shadows;
mod world;
mod world_effects;
