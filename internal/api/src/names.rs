//! Names that other programs look for: objects, keys in them, taints, leases, field managers.
//!
//! Names that are made from a cluster's identity are functions in `liqo_model`.

/// Namespace that Liqo is installed in unless told otherwise, and the release name that liqoctl gives.
pub const NAMESPACE: &str = "liqo";

/// ConfigMap with the identity of the cluster. It is found by the label `app.kubernetes.io/name`.
pub const CLUSTER_ID_CONFIG_MAP: &str = "liqo-clusterid-configmap";
/// Key of [`CLUSTER_ID_CONFIG_MAP`]: the ID, a UUID.
pub const CLUSTER_ID_KEY: &str = "CLUSTER_ID";
/// Key of [`CLUSTER_ID_CONFIG_MAP`]: the name.
pub const CLUSTER_NAME_KEY: &str = "CLUSTER_NAME";

/// Service by which peers reach the authentication.
pub const AUTH_SERVICE: &str = "liqo-auth";
/// Secret with the token that peers need.
pub const AUTH_TOKEN_SECRET: &str = "auth-token";
/// Beginning of the name of a Secret with a token of a peer; the ID of the peer follows.
pub const REMOTE_TOKEN_SECRET_PREFIX: &str = "remote-token-";
/// Key of [`AUTH_TOKEN_SECRET`] and of Secrets with a token of a peer.
pub const TOKEN_KEY: &str = "token";
/// Beginning of the generated name of a Secret with an identity that a peer issued.
pub const IDENTITY_SECRET_PREFIX: &str = "liqo-identity-";
/// Secret with the certificate that was issued to a peer.
pub const REMOTE_CERTIFICATE_SECRET: &str = "liqo-remote-certificate";
/// Beginning of the name of a tenant namespace's RoleBinding; the name of the ClusterRole follows.
pub const TENANT_BINDING_PREFIX: &str = "liqo-binding-";
/// Beginning of the name of the ClusterRole for a peer's metrics; the name of the peer follows.
pub const REMOTE_METRICS_PREFIX: &str = "liqo-tenant-remote-";

/// Deployment and ServiceAccount of a virtual kubelet, in the tenant namespace.
pub const VIRTUAL_KUBELET: &str = "virtual-kubelet";
/// Beginning of the name of a virtual kubelet's ClusterRoleBinding; the unique name of the peer follows.
pub const VIRTUAL_KUBELET_BINDING_PREFIX: &str = "liqo-virtual-kubelet-";
/// ClusterRole of a virtual kubelet in the consumer.
pub const VIRTUAL_KUBELET_LOCAL_ROLE: &str = "liqo-virtual-kubelet-local";
/// ClusterRole of a virtual kubelet in remote namespaces.
pub const VIRTUAL_KUBELET_REMOTE_ROLE: &str = "liqo-virtual-kubelet-remote";

/// Name that every NamespaceOffloading has.
pub const NAMESPACE_OFFLOADING: &str = "offloading";
/// Beginning of the generated name of the IpamStorage.
pub const IPAM_STORAGE_PREFIX: &str = "ipamstorage-";
/// Beginning of the generated name of a NatMapping.
pub const NAT_MAPPING_PREFIX: &str = "natmapping-";
/// Secret with the keys of the tunnels.
pub const WIREGUARD_SECRET: &str = "wireguard-pubkey";
/// Key of [`WIREGUARD_SECRET`] and of a `backend_config`.
pub const PUBLIC_KEY: &str = "publicKey";
/// Key of [`WIREGUARD_SECRET`].
pub const PRIVATE_KEY: &str = "privateKey";
/// Key of a `backend_config`.
pub const PORT: &str = "port";
/// The one value of `backendType`.
pub const BACKEND_WIREGUARD: &str = "wireguard";

/// Storage class of volumes that follow their pods to other clusters.
pub const STORAGE_CLASS: &str = "liqo";
/// Provisioner of [`STORAGE_CLASS`].
pub const STORAGE_PROVISIONER: &str = "liqo.io/storage";
/// Namespace of the real volume claims.
pub const STORAGE_NAMESPACE: &str = "liqo-storage";
/// Both webhook configurations.
pub const WEBHOOK: &str = "liqo-webhook";
/// Secret with the certificate of the webhooks.
pub const WEBHOOK_CERTIFICATE_SECRET: &str = "liqo-webhook-certs";

/// Taint of virtual nodes. Pods tolerate it with operator `Exists`.
pub const VIRTUAL_NODE_TAINT: &str = "virtual-node.liqo.io/not-allowed";
/// Value of [`VIRTUAL_NODE_TAINT`].
pub const VIRTUAL_NODE_TAINT_VALUE: &str = "true";
/// Effect of [`VIRTUAL_NODE_TAINT`].
pub const VIRTUAL_NODE_TAINT_EFFECT: &str = "NoExecute";

/// Lease of the controller manager.
pub const MANAGER_LEASE: &str = "66cf253f.ctrlmgr.liqo.io";
/// Lease of the gateway.
pub const GATEWAY_LEASE: &str = "1d5hml1.gateway.net.liqo.io";

/// Field manager of what a virtual kubelet reflects.
pub const REFLECTION_FIELD_MANAGER: &str = "reflection.liqo.io";
/// Field manager of pods that are made from ShadowPods.
pub const SHADOW_POD_FIELD_MANAGER: &str = "shadow-pod";
/// Field manager of EndpointSlices that are made from ShadowEndpointSlices.
pub const SHADOW_ENDPOINT_SLICE_FIELD_MANAGER: &str = "shadow-endpointslice-controller";

/// New here. Service by which the data plane reaches the leader.
pub const FABRIC_SERVICE: &str = "liqo-fabric";
/// New here. Secret with the key of the digests in the log.
pub const LOG_KEY_SECRET: &str = "liqo-log-key";
/// New here. ServiceAccount in a tenant namespace as which the pods of a peer are made. No token of it is issued.
pub const TENANT_SERVICE_ACCOUNT: &str = "liqo-tenant";
/// New here. Condition of a process's own pod: it cannot write its log.
pub const LOG_DEGRADED: &str = "liqo.io/LogDegraded";
