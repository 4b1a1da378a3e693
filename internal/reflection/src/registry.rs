//! The reflected kinds: one entry each. Flags, workers, metric labels and cluster roles are made from them.

mod entries;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::difference::Field;
use crate::{Context, Forged, ReflectError, Resource};

pub use entries::REFLECTORS;

/// The transform of a home object: `(home, existing remote, context)`.
pub type Transform = fn(&Value, Option<&Value>, &Context<'_>) -> Result<Forged, ReflectError>;

/// Which way something of a kind goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Home objects make remote ones; nothing comes back.
    ToRemote,
    /// As before, and the status comes back.
    ToRemoteAndBack,
}

/// Something that a component has to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Resource or subresource.
    pub resource: &'static str,
    /// Verbs.
    pub verbs: &'static [&'static str],
}

/// A reflected kind.
#[derive(Clone, Copy, Debug)]
pub struct Reflector {
    /// Its name, also the value of the metric label `reflector_resource`.
    pub name: &'static str,
    /// Beginning of the flag for the number of workers.
    pub flag: &'static str,
    /// Workers unless the flag says otherwise; with none the kind is not reflected.
    pub workers: u16,
    /// What is watched at home.
    pub home: Resource,
    /// What is made remotely.
    pub remote: Resource,
    /// Which way things go.
    pub direction: Direction,
    /// Whether the skip annotation counts.
    pub honours_skip: bool,
    /// What a virtual kubelet has to be allowed at home.
    pub home_access: &'static [Access],
    /// What a virtual kubelet has to be allowed in its remote namespaces.
    pub remote_access: &'static [Access],
    /// Fields of the remote object that are ours, for [`crate::difference::patch`].
    pub fields: &'static [Field],
    /// The transform; nothing for a kind that is not reflected yet.
    pub transform: Option<Transform>,
    /// The name of the remote object.
    pub remote_name: fn(&str, &Context<'_>) -> String,
    /// The name at home of a remote object; nothing when no home object has that remote name.
    pub home_name: fn(&str, &Context<'_>) -> Option<String>,
}

impl Reflector {
    /// The flag for the number of workers, without dashes before it.
    #[must_use]
    pub fn workers_flag(&self) -> String {
        format!("{}-reflection-workers", self.flag)
    }

    /// The component that events about its objects name as their source.
    #[must_use]
    pub fn event_source(&self) -> String {
        format!("liqo-{}-reflection", self.name.to_lowercase())
    }

    /// Whether the kind is reflected by this version.
    #[must_use]
    pub fn is_reflected(&self) -> bool {
        self.transform.is_some()
    }
}

/// The entry of a name.
#[must_use]
pub fn reflector(name: &str) -> Option<&'static Reflector> {
    REFLECTORS.iter().find(|reflector| reflector.name == name)
}
