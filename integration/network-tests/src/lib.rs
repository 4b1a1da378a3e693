//! Two small clusters of network namespaces, on which the data path is proved.
//!
//! ```text
//!  pod 10.200.0.5 ─ node 172.18.1.1 ═════════ node 172.18.2.1 ─ pod 10.200.0.5
//!                    │  milan is 10.201/16       │  rome is 10.201/16
//!  gateway 10.200.1.9 (NodePort 32200)        gateway 10.200.1.9 (NodePort 32200)
//! ```
//!
//! Both clusters have the same pod network, so every packet between them is translated twice. Every namespace, and every
//! process in it, ends with the process that made it, however that ends. The machine's own namespace is never entered.

mod agent;
mod cluster;
mod namespace;
mod traffic;

pub use agent::{Agent, AgentReport, Order, ReportedPeer};
pub use cluster::{Cluster, NODE_PORT, Pair, SERVICE, SERVICE_AS_SEEN};
pub use namespace::{Namespace, obstacle};
pub use traffic::{Conversation, Server, copy, ping, reaches, sink, stream};
