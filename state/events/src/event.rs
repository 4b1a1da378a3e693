//! The closed list of events, each with its number for ever.

use serde::Serialize;

use crate::v1::{
    Applied, CommandFailed, CommandIssued, CommandSucceeded, CommandSuperseded, Configured, CursorMoved,
    DeadlinePassed, ExternalCidrChosen, GenerationChanged, IdentityChosen, LeaseGained, LeaseLost,
    OrphanNoticed, OrphanReleased, Rejected, RelistCompleted, RemoteNamespaceChosen, ServerProbed,
    ShareReported, SharingConfigured, Started, SubnetsChosen, SubnetsReleased, TunnelReported, Vanished,
};
use crate::{Seq, UnixMillis};

/// What kind of fact an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Something outside was seen.
    Observed,
    /// A choice was made, or a command given.
    Decided,
    /// A command ended.
    Done,
}

/// How long an event is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retention {
    /// As long as a day's questions need it.
    Short,
    /// A month: choices, and everything that destroyed something.
    Long,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $family:ident;)*) => {
        /// A fact.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Event {
            $($(#[$doc])* $name($name),)*
        }

        impl Event {
            /// Every number in use.
            pub const KINDS: &[u16] = &[$($code,)*];

            /// The number of the event's kind in the log.
            pub fn kind(&self) -> u16 {
                match self { $(Self::$name(_) => $code,)* }
            }

            /// The name of the event's kind.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }

            /// The name of a kind by its number.
            pub fn kind_name(kind: u16) -> Option<&'static str> {
                match kind { $($code => Some(stringify!($name)),)* _ => None }
            }

            /// What kind of fact it is.
            pub fn family(&self) -> Family {
                match self { $(Self::$name(_) => Family::$family,)* }
            }
        }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Self {
                Self::$name(event)
            }
        })*

        pub(crate) mod payloads {
            use super::Event;
            use crate::codec::CONFIGURATION;

            pub(crate) fn encode(event: &Event) -> Result<Vec<u8>, bincode::error::EncodeError> {
                match event { $(Event::$name(body) => bincode::encode_to_vec(body, CONFIGURATION),)* }
            }

            /// The event and the bytes that were read, or nothing for an unknown number.
            pub(crate) fn decode(
                kind: u16,
                bytes: &[u8],
            ) -> Option<Result<(Event, usize), bincode::error::DecodeError>> {
                match kind {
                    $($code => Some(
                        bincode::decode_from_slice(bytes, CONFIGURATION)
                            .map(|(body, read)| (Event::$name(body), read)),
                    ),)*
                    _ => None,
                }
            }
        }
    };
}

// Append only, as the numbers of `Kind`.
events! {
    /// The process started.
    Started = 1, Observed;
    /// An object was seen, new or changed.
    Applied = 2, Observed;
    /// An object is gone.
    Vanished = 3, Observed;
    /// Everything of a watch up to a version was seen.
    CursorMoved = 4, Observed;
    /// A complete list of a watch was compared with what was known.
    RelistCompleted = 5, Observed;
    /// An API server is not the one that it was: rebuilt, or restored from a backup.
    GenerationChanged = 6, Observed;
    /// A deadline passed.
    DeadlinePassed = 7, Observed;
    /// This process may act.
    LeaseGained = 8, Observed;
    /// This process must not act any more.
    LeaseLost = 9, Observed;
    /// An administrator let go of what was held after a generation change.
    OrphanReleased = 10, Observed;
    /// How the process is configured.
    Configured = 11, Observed;
    /// The connection to a peer through the tunnel changed.
    TunnelReported = 12, Observed;
    /// The API server of a peer answers, or does not any more.
    ServerProbed = 13, Observed;
    /// How offers are made was configured.
    SharingConfigured = 16, Observed;
    /// An external resource monitor said how much a consumer may have.
    ShareReported = 17, Observed;
    /// The identity of the local cluster was chosen.
    IdentityChosen = 100, Decided;
    /// The remote name of a namespace was chosen.
    RemoteNamespaceChosen = 101, Decided;
    /// Something asks for what cannot be; it is left alone and said so.
    Rejected = 102, Decided;
    /// A mapping was found whose offloading nobody has seen.
    OrphanNoticed = 103, Decided;
    /// The networks by which this cluster names a peer's were chosen.
    SubnetsChosen = 104, Decided;
    /// The networks of a peer were given back.
    SubnetsReleased = 105, Decided;
    /// The external CIDR of this cluster was chosen.
    ExternalCidrChosen = 106, Decided;
    /// A command was given.
    CommandIssued = 150, Decided;
    /// A command had its effect.
    CommandSucceeded = 200, Done;
    /// A command became pointless, because what it was about changed meanwhile.
    CommandSuperseded = 201, Done;
    /// A command failed; whether it is tried again is part of the event.
    CommandFailed = 202, Done;
}

impl Event {
    /// How long the event is kept.
    pub fn retention(&self) -> Retention {
        match self {
            Self::IdentityChosen(_)
            | Self::RemoteNamespaceChosen(_)
            | Self::Rejected(_)
            | Self::OrphanNoticed(_)
            | Self::OrphanReleased(_)
            | Self::SubnetsChosen(_)
            | Self::SubnetsReleased(_)
            | Self::ExternalCidrChosen(_)
            | Self::GenerationChanged(_) => Retention::Long,
            Self::CommandIssued(issued) if issued.command.effect.is_destructive() => Retention::Long,
            Self::CommandSucceeded(done) if done.destructive => Retention::Long,
            Self::Started(_)
            | Self::Applied(_)
            | Self::Vanished(_)
            | Self::CursorMoved(_)
            | Self::RelistCompleted(_)
            | Self::DeadlinePassed(_)
            | Self::LeaseGained(_)
            | Self::LeaseLost(_)
            | Self::Configured(_)
            | Self::TunnelReported(_)
            | Self::ServerProbed(_)
            | Self::SharingConfigured(_)
            | Self::ShareReported(_)
            | Self::CommandIssued(_)
            | Self::CommandSucceeded(_)
            | Self::CommandSuperseded(_)
            | Self::CommandFailed(_) => Retention::Short,
        }
    }
}

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Position in the log.
    pub seq: Seq,
    /// When it was recorded; never goes back within a log.
    pub recorded_at: UnixMillis,
    /// The event that made this one necessary; nothing for what came from outside.
    pub caused_by: Option<Seq>,
    /// The event.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_are_used_once() {
        let distinct: BTreeSet<u16> = Event::KINDS.iter().copied().collect();
        assert_eq!(distinct.len(), Event::KINDS.len());
    }
}
