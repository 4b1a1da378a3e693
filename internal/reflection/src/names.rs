//! Keys and values that Kubernetes gives objects and that reflection has to know, and one annotation that is new
//! here.

/// New here. On reflected objects: keys of the labels and annotations that were copied, so that one which is gone at
/// home is known to be ours. JSON: `{"annotations": [..], "labels": [..]}`; absent when nothing was copied.
pub const REFLECTED_KEYS: &str = "liqo.io/reflected-keys";

/// On EndpointSlices: who writes their endpoints.
pub const ENDPOINT_SLICE_MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Value of [`ENDPOINT_SLICE_MANAGED_BY`] on slices that are reflected.
pub const ENDPOINT_SLICE_REFLECTION: &str = "endpointslice.reflection.liqo.io";
/// On EndpointSlices: the Service that they belong to.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// On EndpointSlices: when what they say last changed. Changes of it alone are not worth a write to a peer.
pub const LAST_CHANGE_TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// Beginning of annotations that name the AppArmor profile of a container; its name follows.
pub const APP_ARMOR_PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Type of Secrets that hold a token of a service account.
pub const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";
/// ConfigMap with the certificate authority of a cluster's API server, made in every namespace.
pub const ROOT_CA_CONFIG_MAP: &str = "kube-root-ca.crt";
/// Beginning of the name of the volume with the token that Kubernetes adds to pods.
pub const API_ACCESS_VOLUME_PREFIX: &str = "kube-api-access-";
/// Service account of pods that name none.
pub const DEFAULT_SERVICE_ACCOUNT: &str = "default";

/// Label of nodes: their name.
pub const HOST_NAME: &str = "kubernetes.io/hostname";
/// Label of nodes: their role.
pub const NODE_ROLE: &str = "kubernetes.io/role";
/// Value of [`NODE_ROLE`] on virtual nodes.
pub const NODE_ROLE_AGENT: &str = "agent";
/// Label of nodes: their operating system.
pub const OPERATING_SYSTEM: &str = "kubernetes.io/os";
/// Label of nodes: their architecture.
pub const ARCHITECTURE: &str = "kubernetes.io/arch";
/// Label of nodes that no load balancer may send traffic to.
pub const EXCLUDE_FROM_LOAD_BALANCERS: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// What [`EXCLUDE_FROM_LOAD_BALANCERS`] was called before.
pub const EXCLUDE_BALANCER_ALPHA: &str = "alpha.service-controller.kubernetes.io/exclude-balancer";
/// Beginnings of labels that only administrators of a cluster may give its nodes, so no peer may either.
pub const ADMINISTRATORS_NODE_LABELS: &[&str] =
    &["node-restriction.kubernetes.io/", "node-role.kubernetes.io/"];

/// Reason of pods of a namespace that is not extended and that have not started.
pub const OFFLOADING_BACK_OFF: &str = "OffloadingBackOff";
/// Reason of pods that ran when their namespace was not extended any more.
pub const OFFLOADING_ABORTED: &str = "OffloadingAborted";
