//! What is written to the log: events, envelopes, wire versions and their codec.
//!
//! An event is a fact with a sequence number. Three families: *observed* (what API servers, peers, agents and clocks
//! said), *decided* (choices that must never be made again), *done* (outcomes of commands). Payloads are encoded by
//! position, so the types under `v1` are append-only: a field or variant is added at the end of an enum, or in a new
//! version module with an upcaster, never in place. Golden bytes in the tests hold that rule.
//!
//! **Secrets, tokens and bodies never enter an event**: the types here have no place for them.

mod codec;
mod digest;
mod envelope;
mod error;
mod event;
mod export;
mod labels;
mod time;
pub mod v1;

#[cfg(test)]
mod golden_tests;

pub use codec::{MAX_PAYLOAD, SCHEMA};
pub use digest::StateDigest;
pub use envelope::{Envelope, Seq, TraceContext};
pub use error::{DecodeError, EncodeError, ExportError};
pub use event::{Event, Family, Recorded, Retention};
pub use export::{ExportReader, ExportWriter};
pub use labels::Labels;
pub use time::{UnixMillis, parse_rfc3339, rfc3339_seconds};
// The version that code outside of this crate works with.
pub use v1::{
    Applied, BodyDigest, ClusterIdentityFacts, ClusterSubnets, Command, CommandFailed, CommandId,
    CommandIssued, CommandSucceeded, CommandSuperseded, Condition, Configured, ContainerFacts,
    ContainerPhase, Content, ControlPlaneSettings, CurrentMapping, CursorMoved, Deadline, DeadlinePassed,
    DeploymentFacts, Disposition, Effect, ExternalCidrChosen, Facts, ForeignClusterFacts, GenerationChanged,
    IdentityChosen, IdentityFacts, IpamStorageFacts, IssuedFacts, KubeletSettings, LeaseGained, LeaseLost,
    MappingFacts, MappingStrategy, NamespaceFacts, NamespaceMapFacts, NetworkConfigFacts, NodeFacts,
    OffloadingFacts, OrphanNoticed, OrphanReleased, OwnedBy, Owner, PeerTokenFacts, PeeringType, PodFacts,
    PodStrategy, Proof, Reflection, Rejected, RelistCompleted, RemoteNamespaceChosen, Replication,
    Requirement, ResourceOfferFacts, ResourceRequestFacts, SelectorTerm, ServerProbed, ServiceFacts,
    ServicePort, Settings, ShadowPodFacts, ShareReported, SharingConfigured, SigningRequestFacts, Slot,
    Started, Status, SubnetsChosen, SubnetsReleased, Switch, TunnelEndpointFacts, TunnelReported, TunnelSpec,
    Vanished, WatchKey,
};
