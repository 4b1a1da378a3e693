//! The rules, by name.

use std::fmt;

/// A rule that an administrator may lift for a peer; [`Rule::Malformed`] and [`Rule::Update`] cannot be lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// What cannot be read cannot be judged.
    Malformed,
    /// An existing pod may change only in images, tolerations and deadline.
    Update,
    /// No network, process or IPC namespace of a node.
    HostNamespaces,
    /// No Windows container that runs on its host.
    HostProcess,
    /// No privileged container.
    Privileged,
    /// No capability beyond those that container runtimes give.
    Capabilities,
    /// No path of a node.
    HostPath,
    /// No volume that this cluster's credentials or a node's programs give access to.
    Volumes,
    /// No port of a node.
    HostPorts,
    /// No probe that makes a kubelet connect elsewhere.
    HostProbes,
    /// No label of SELinux that widens access.
    SeLinux,
    /// No unmasked `/proc`.
    ProcMount,
    /// Not without the filter of system calls, once it is asked for.
    Seccomp,
    /// Not without the AppArmor profile, once it is asked for.
    AppArmor,
    /// No kernel parameter that is not the pod's own.
    Sysctls,
    /// No service account of this cluster.
    ServiceAccounts,
    /// No token of this cluster.
    Tokens,
    /// No node that the scheduler has not chosen, and no scheduler but the one of the cluster.
    Scheduling,
    /// No priority, which could drive pods of this cluster away.
    Priorities,
    /// No runtime that confines less than the one of the cluster.
    RuntimeClasses,
}

impl Rule {
    /// Whether an administrator may lift the rule.
    #[must_use]
    pub fn is_liftable(self) -> bool {
        !matches!(self, Self::Malformed | Self::Update)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}
