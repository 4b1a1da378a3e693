//! Wire version 1.
//!
//! Encoded by position. To change a type here: leave it, make its successor in `v2`, give the event a new number or the
//! schema a new version, write the upcaster, and let the crate's root re-export the successor. Enums may grow at
//! their end. `golden_tests.rs` fails when an existing encoding moved.

mod command;
mod content;
mod decided;
mod done;
mod facts;
mod observed;
mod peering_facts;
mod pod_codec;
mod reflection_facts;
mod sharing;

pub use command::{Command, CommandId, Condition, Effect, Slot};
pub use content::{Content, CurrentMapping, OwnedBy, Status};
pub use decided::{
    CommandIssued, ExternalCidrChosen, IdentityChosen, OrphanNoticed, Rejected, RemoteNamespaceChosen,
    SubnetsChosen, SubnetsReleased,
};
pub use done::{CommandFailed, CommandSucceeded, CommandSuperseded, Disposition};
pub use facts::{
    ClusterIdentityFacts, ContainerFacts, ContainerPhase, DeploymentFacts, Facts, ForeignClusterFacts,
    MappingFacts, MappingStrategy, NamespaceFacts, NamespaceMapFacts, NodeFacts, OffloadingFacts, Owner,
    PeeringType, PodFacts, PodStrategy, Requirement, SelectorTerm, Switch,
};
pub use observed::{
    Applied, BodyDigest, Configured, ControlPlaneSettings, CursorMoved, Deadline, DeadlinePassed,
    GenerationChanged, KubeletSettings, LeaseGained, LeaseLost, OrphanReleased, Proof, RelistCompleted,
    ServerProbed, Settings, Started, TunnelReported, Vanished, WatchKey,
};
pub use peering_facts::{
    ClusterSubnets, IdentityFacts, IpamStorageFacts, IssuedFacts, NetworkConfigFacts, PeerTokenFacts,
    Replication, ResourceOfferFacts, ResourceRequestFacts, SigningRequestFacts, TunnelEndpointFacts,
    TunnelSpec,
};
pub use reflection_facts::{Reflection, ServiceFacts, ServicePort, ShadowPodFacts};
pub use sharing::{ShareReported, SharingConfigured};
