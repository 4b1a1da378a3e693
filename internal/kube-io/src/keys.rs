//! Keys that this crate alone writes and that are not yet among those of `liqo_api`.

/// On the Lease of a process: the number of its term, decimal. It grows with each holder, also over a lost Lease.
pub(crate) const EPOCH: &str = "liqo.io/epoch";

/// Field manager of everything that commands write.
pub(crate) const FIELD_MANAGER: &str = "liqo-controller-manager";

/// Value of the label `liqo.io/managed-by` on objects of Kubernetes that the controller manager makes.
pub(crate) const MANAGED_BY_MANAGER: &str = "liqo-controller-manager";
