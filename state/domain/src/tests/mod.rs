//! Decision tables and properties of the machine.

mod admission;
mod arbitrary;
mod consumer;
mod copies;
mod enrolment;
mod identity;
mod level;
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
mod sharing;
mod touched;
mod unpeering;
mod world;
mod world_effects;
