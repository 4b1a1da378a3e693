//! Who may depend on whom. This page is the whole dependency rule; `rules::arrows` only reads it.
//!
//! A place is a directory of the repository; `x/*` is every crate directly in `x`, and `*` is every crate. The first
//! row that fits a crate counts. Dev-dependencies follow the same arrows. A crate that fits no row is refused: give it
//! a row here, and say in `ARCHITECTURE.md` why it exists.

/// One row: crates at `from` may depend on workspace crates at `may_use`, and on no other.
#[derive(Clone, Copy, Debug)]
pub struct Arrow {
    /// Place of the crates that the row is about.
    pub from: &'static str,
    /// Places that they may depend on.
    pub may_use: &'static [&'static str],
}

/// Everything that the engine needs, which is all of the state but its simulator.
const LOG_AND_BELOW: &[&str] =
    &["state/log", "state/projections", "state/domain", "state/events", "state/model"];

/// Pure transforms, which need the names of labels and annotations as well.
const REFLECTION: &[&str] =
    &["internal/api", "state/projections", "state/domain", "state/events", "state/model"];

const PROJECTIONS_AND_BELOW: &[&str] = &["state/projections", "state/domain", "state/events", "state/model"];

/// Adapters meet in `cmd/`, never each other.
const ADAPTER: &[&str] = &[
    "internal/api",
    "internal/certificates",
    "internal/engine",
    "internal/listening",
    "internal/reflection",
    "proto",
    "state/log",
    "state/projections",
    "state/domain",
    "state/events",
    "state/model",
];

/// The command line asks for what an administrator would otherwise read and write by hand: addresses of this cluster and
/// Secrets with tokens, whose pure functions are those of the authentication service.
const CTL: &[&str] = &[
    "internal/api",
    "internal/engine",
    "internal/identity",
    "internal/reflection",
    "proto",
    "state/log",
    "state/projections",
    "state/domain",
    "state/events",
    "state/model",
];

/// The dependency rule of the workspace.
pub const ARROWS: &[Arrow] = &[
    // The pure core.
    row("state/model", &[]),
    row("state/events", &["state/model"]),
    row("state/domain", &["state/events", "state/model"]),
    row("state/projections", &["state/domain", "state/events", "state/model"]),
    row("state/log", &["state/events", "state/model"]),
    row("state/simulator", LOG_AND_BELOW),
    row("proto", &[]),
    // What the adapters share.
    row("internal/engine", LOG_AND_BELOW),
    row("internal/api", PROJECTIONS_AND_BELOW),
    row("internal/certificates", &["state/events", "state/model"]),
    row("internal/listening", &[]),
    row("internal/reflection", REFLECTION),
    // The adapters.
    row("internal/admission", ADAPTER),
    row("internal/ctl", CTL),
    row("internal/datapath", ADAPTER),
    row("internal/identity", ADAPTER),
    row("internal/kube-io", ADAPTER),
    row("internal/kubelet", ADAPTER),
    row("internal/projection-api", ADAPTER),
    row("internal/resource-monitor", ADAPTER),
    row("internal/telemetry", ADAPTER),
    row("internal/tidy", &[]),
    // What puts everything together, and what nobody may depend on.
    row("internal/assembly", &["internal/*", "proto", "state/*"]),
    row("internal/fabric-agent", &["internal/*", "proto", "state/*"]),
    row("internal/kubelet-flags", &["internal/*", "state/events", "state/model"]),
    row("cmd/*", &["internal/*", "proto", "state/*"]),
    row("integration", &["*"]),
    row("integration/*", &["*"]),
];

/// These crates stay free of input, output and time: no production dependency on any of [`IMPURE`].
pub const PURE: &[&str] = &["state/model", "state/events", "state/domain", "state/projections"];

/// Third-party crates that bring input, output or time; a `*` at the end stands for the rest of the name.
pub const IMPURE: &[&str] = &[
    "k8s-openapi",
    "kube",
    "kube-*",
    "sled",
    "tokio",
    "tokio-*",
    "tonic",
    "tonic-*",
    "tracing",
    "tracing-*",
];

/// Third-party crates that only one crate may name, so that replacing them touches one crate.
pub const KEEPERS: &[(&str, &str)] = &[("bincode", "state/events"), ("sled", "state/log")];

const fn row(from: &'static str, may_use: &'static [&'static str]) -> Arrow {
    Arrow { from, may_use }
}
