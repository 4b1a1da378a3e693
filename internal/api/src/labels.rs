//! Labels of Liqo 0.8.3 and their values, and those of Kubernetes that it relies on.
//!
//! Source: what a pair of clusters running Liqo 0.8.3 writes and looks for.

/// On replicated objects: [`TRUE`] on the origin, [`FALSE`] on the replica.
pub const REPLICATION: &str = "liqo.io/replication";
/// On replicated objects: ID of the cluster that the object is sent to. The replica keeps it.
pub const REPLICATION_DESTINATION: &str = "liqo.io/remoteID";
/// On replicas: ID of the cluster that the object comes from.
pub const REPLICATION_ORIGIN: &str = "liqo.io/originID";
/// On replicas: [`TRUE`].
pub const REPLICATED: &str = "liqo.io/replicated";
/// On NetworkConfigs of this cluster: [`OWNERSHIP_NETWORK_CONFIG`]. Replicas do not have it.
pub const OWNERSHIP: &str = "liqo.io/ownership";
/// Value of [`OWNERSHIP`].
pub const OWNERSHIP_NETWORK_CONFIG: &str = "netcfgCreator";

/// On virtual nodes and NamespaceMaps: ID of the peer. On remote namespaces: ID of the cluster that they belong to.
pub const REMOTE_CLUSTER_ID: &str = "liqo.io/remote-cluster-id";
/// On virtual nodes: [`TYPE_VIRTUAL_NODE`].
pub const TYPE: &str = "liqo.io/type";
/// Value of [`TYPE`].
pub const TYPE_VIRTUAL_NODE: &str = "virtual-node";
/// On virtual nodes: whether the peer offers storage classes, [`TRUE`] or [`FALSE`].
pub const STORAGE_AVAILABLE: &str = "storage.liqo.io/available";
/// On namespaces that are extended: [`TRUE`]. Pods of no other namespace are shown to the webhook.
pub const SCHEDULING_ENABLED: &str = "liqo.io/scheduling-enabled";
/// On pods that are bound to a virtual node: [`TRUE`].
pub const LOCAL_POD: &str = "liqo.io/shadowPod";

/// On pods and EndpointSlices in the provider: what they are made from.
pub const MANAGED_BY: &str = "liqo.io/managed-by";
/// Value of [`MANAGED_BY`] for pods.
pub const MANAGED_BY_SHADOW_POD: &str = "shadowpod";
/// Value of [`MANAGED_BY`] for EndpointSlices.
pub const MANAGED_BY_SHADOW_ENDPOINT_SLICE: &str = "shadowendpointslice";
/// On reflected objects: ID of the consumer.
pub const ORIGIN: &str = "virtualkubelet.liqo.io/origin";
/// On reflected objects: ID of the provider.
pub const DESTINATION: &str = "virtualkubelet.liqo.io/destination";
/// On Secrets with tokens in the provider: name of the pod that the tokens are for.
pub const SERVICE_ACCOUNT_POD_NAME: &str = "virtualkubelet.liqo.io/service-account-for-pod-name";
/// On Secrets with tokens in the provider: name of the service account that the tokens are of.
pub const SERVICE_ACCOUNT_NAME: &str = "virtualkubelet.liqo.io/service-account-name";

/// On TunnelEndpoints and NatMappings: ID of the peer.
pub const PEER_CLUSTER_ID: &str = "clusterID";
/// On ForeignClusters, tenant namespaces, identities, tokens, offers and virtual kubelets: ID of the peer.
pub const CLUSTER_ID: &str = "discovery.liqo.io/cluster-id";
/// On tenant namespaces: [`TRUE`].
pub const TENANT_NAMESPACE: &str = "discovery.liqo.io/tenant-namespace";
/// On ForeignClusters: how the peer was found. [`DISCOVERY_MANUAL`] when missing.
pub const DISCOVERY_TYPE: &str = "discovery.liqo.io/discovery-type";
/// Value of [`DISCOVERY_TYPE`]: seen in the local network.
pub const DISCOVERY_LAN: &str = "LAN";
/// Value of [`DISCOVERY_TYPE`]: a user made it.
pub const DISCOVERY_MANUAL: &str = "Manual";
/// Value of [`DISCOVERY_TYPE`]: the peer asked for resources.
pub const DISCOVERY_INCOMING_PEERING: &str = "IncomingPeering";
/// On Secrets with a token of a peer; the value is empty.
pub const AUTH_TOKEN: &str = "discovery.liqo.io/auth-token";
/// On Secrets with an identity that a peer issued: [`TRUE`].
pub const LOCAL_IDENTITY: &str = "discovery.liqo.io/local-identity";
/// On Secrets with an identity whose certificate is there: [`TRUE`].
pub const CERTIFICATE_AVAILABLE: &str = "discovery.liqo.io/certificate-available";
/// On CertificateSigningRequests of peers: [`TRUE`].
pub const REMOTE_TENANT_CSR: &str = "discovery.liqo.io/remote-tenant-csr";
/// On ClusterRoles that peers get: in which part of a peering.
pub const PEERING_PERMISSIONS: &str = "auth.liqo.io/remote-peering-permissions";
/// Value of [`PEERING_PERMISSIONS`]: as soon as the peer has an identity.
pub const PERMISSIONS_BASIC: &str = "basic";
/// Value of [`PEERING_PERMISSIONS`]: while the peer uses resources of this cluster.
pub const PERMISSIONS_INCOMING: &str = "incoming";
/// Value of [`PEERING_PERMISSIONS`]: while this cluster uses resources of the peer.
pub const PERMISSIONS_OUTGOING: &str = "outgoing";

/// On the namespace of real volume claims: [`TRUE`].
pub const STORAGE_PROVISIONER: &str = "liqo.io/storage-provisioner";
/// On real volume claims: namespace of the virtual one.
pub const VIRTUAL_PVC_NAMESPACE: &str = "storage.liqo.io/virtual-pvc-namespace";
/// On real volume claims: name of the virtual one.
pub const VIRTUAL_PVC_NAME: &str = "storage.liqo.io/virtual-pvc-name";

/// On the gateway's Service: [`TRUE`]. On its pods: [`GATEWAY_ACTIVE`] or [`GATEWAY_STANDBY`].
pub const GATEWAY: &str = "net.liqo.io/gateway";
/// Value of [`GATEWAY`] on the pod that holds the tunnels.
pub const GATEWAY_ACTIVE: &str = "active";
/// Value of [`GATEWAY`] on the other pods.
pub const GATEWAY_STANDBY: &str = "standby";
/// On the Secret with the keys of the tunnels: [`KEY_WIREGUARD`].
pub const KEY: &str = "net.liqo.io/key";
/// Value of [`KEY`].
pub const KEY_WIREGUARD: &str = "wireguard";
/// On the IpamStorage: [`TRUE`].
pub const IPAM_STORAGE: &str = "net.liqo.io/ipamstorage";
/// On NatMappings: [`TRUE`].
pub const NAT_MAPPING: &str = "net.liqo.io/natmapping";

/// On virtual nodes, from the provider's labels: who runs the cluster's machines.
pub const PROVIDER: &str = "liqo.io/provider";
/// On virtual nodes, from the provider's labels: where the cluster is.
pub const REGION: &str = "topology.kubernetes.io/region";
/// On pods and Services of the chart: which component they are.
pub const RUN: &str = "run";
/// Value of [`RUN`] for the authentication service.
pub const RUN_AUTH: &str = "auth-service";
/// Value of [`RUN`] for the metrics API.
pub const RUN_METRICS: &str = "metric-agent";
/// On objects of the chart: which component they belong to.
pub const APP_NAME: &str = "app.kubernetes.io/name";
/// Value of [`APP_NAME`] on the ConfigMap with the cluster's identity, which is always looked up by it.
pub const APP_NAME_CLUSTER_ID: &str = "clusterid-configmap";

/// What labels say for yes.
pub const TRUE: &str = "true";
/// What labels say for no.
pub const FALSE: &str = "false";
