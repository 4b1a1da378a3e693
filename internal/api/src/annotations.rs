//! Annotations of Liqo 0.8.3, and those that are new here.

/// On the Services of authentication and gateway: address by which peers reach them, without scheme.
pub const OVERRIDE_ADDRESS: &str = "liqo.io/override-address";
/// On the same Services: port by which peers reach them.
pub const OVERRIDE_PORT: &str = "liqo.io/override-port";
/// On the gateway's Service: address of the node that the gateway is on.
pub const GATEWAY_NODE_IP: &str = "net.liqo.io/gatewayNodeIP";
/// On remote namespaces and their RoleBindings: `<namespace>/<name>` of the NamespaceMap.
pub const MANAGED_BY_NAMESPACE_MAP: &str = "liqo.io/managed-by-namespace-map";
/// On remote namespaces: name of the namespace in the consumer.
pub const ORIGINAL_NAME: &str = "liqo.io/original-name";
/// On Deployments of virtual kubelets: name of the ResourceOffer.
pub const RESOURCE_OFFER: &str = "liqo.io/resourceoffer";
/// On Secrets with an identity: when it is to be renewed, in seconds since 1970.
pub const CERTIFICATE_EXPIRE_TIME: &str = "discovery.liqo.io/certificate-expire-time";
/// On ForeignClusters that were discovered: when the peer was last seen, in seconds since 1970.
pub const LAST_UPDATE: &str = "LastUpdate";
/// On objects of extended namespaces, with any value: the object is not reflected.
pub const SKIP_REFLECTION: &str = "liqo.io/skip-reflection";
/// On Services, `true` or `false`: the remote Service has the same node ports.
pub const FORCE_REMOTE_NODE_PORT: &str = "liqo.io/force-remote-node-port";
/// On pods: how their replicas avoid each other in the provider.
pub const ANTI_AFFINITY_PRESET: &str = "liqo.io/anti-affinity-preset";
/// Value of [`ANTI_AFFINITY_PRESET`]: preferably on different nodes.
pub const ANTI_AFFINITY_SOFT: &str = "soft";
/// Value of [`ANTI_AFFINITY_PRESET`]: on different nodes.
pub const ANTI_AFFINITY_HARD: &str = "hard";
/// Value of [`ANTI_AFFINITY_PRESET`]: as the pod itself says.
pub const ANTI_AFFINITY_PROPAGATE: &str = "propagate";
/// On pods: keys of the labels that replicas share, separated by commas.
pub const ANTI_AFFINITY_LABELS: &str = "liqo.io/anti-affinity-labels";
/// On Secrets with tokens in the provider: unique identifier of the pod that the tokens are for.
pub const SERVICE_ACCOUNT_POD_UID: &str = "virtualkubelet.liqo.io/service-account-for-pod-uid";
/// On Secrets with tokens in the provider: when the first token ends, in RFC 3339.
pub const SERVICE_ACCOUNT_EXPIRATION: &str = "virtualkubelet.liqo.io/service-account-expiration";

/// New here. On Deployments of virtual kubelets and on virtual nodes: tells apart what they were made with.
pub const VIRTUAL_KUBELET_SETTINGS: &str = "liqo.io/virtual-kubelet-settings";
/// New here. On remote objects: unique identifier of the object in the consumer that they stand for.
pub const HOME_UID: &str = "liqo.io/home-uid";
/// New here. On the Secret with the certificate that was issued to a peer: the certificate is in use, and no token gets the
/// peer another one.
pub const ENROLLED: &str = "liqo.io/enrolled";
/// New here. On ForeignClusters, `true`: the peer is given up for ever, and nothing waits for it any more.
pub const GIVEN_UP: &str = "liqo.io/given-up";
