//! The entries of the registry.

use super::{Access, Direction, Reflector};
use crate::kinds::{config_map, endpoint_slice, pod, secret, service};
use crate::{Context, Resource};

const READ: &[&str] = &["get", "list", "watch"];
const FULL: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];

const fn core(resource: &'static str, verbs: &'static [&'static str]) -> Access {
    Access { group: "", resource, verbs }
}

const fn of(group: &'static str, resource: &'static str, verbs: &'static [&'static str]) -> Access {
    Access { group, resource, verbs }
}

fn same_name(name: &str, _: &Context<'_>) -> String {
    name.to_owned()
}

fn same_home_name(name: &str, _: &Context<'_>) -> Option<String> {
    Some(name.to_owned())
}

/// What most kinds have in common.
const PLAIN: Reflector = Reflector {
    name: "",
    flag: "",
    workers: 3,
    home: Resource::POD,
    remote: Resource::POD,
    direction: Direction::ToRemote,
    honours_skip: true,
    home_access: &[],
    remote_access: &[],
    fields: &[],
    transform: None,
    remote_name: same_name,
    home_name: same_home_name,
};

/// Every reflected kind. Those without a transform are not reflected yet: their flags are accepted, and a provider
/// grants what consumers of version 0.8.3 need for them.
pub const REFLECTORS: &[Reflector] = &[
    Reflector {
        name: "Pod",
        flag: "pod",
        workers: 10,
        home: Resource::POD,
        remote: Resource::SHADOW_POD,
        direction: Direction::ToRemoteAndBack,
        honours_skip: false,
        home_access: &[
            core("pods", &["delete", "get", "list", "patch", "watch"]),
            core("pods/status", &["patch"]),
        ],
        remote_access: &[of("virtualkubelet.liqo.io", "shadowpods", FULL), core("pods", READ)],
        fields: pod::FIELDS,
        transform: Some(pod::remote),
        ..PLAIN
    },
    Reflector {
        name: "Service",
        flag: "service",
        home: Resource::SERVICE,
        remote: Resource::SERVICE,
        home_access: &[core("services", READ)],
        remote_access: &[core("services", FULL)],
        fields: service::FIELDS,
        transform: Some(service::remote),
        ..PLAIN
    },
    Reflector {
        name: "EndpointSlice",
        flag: "endpointslice",
        workers: 10,
        home: Resource::ENDPOINT_SLICE,
        remote: Resource::SHADOW_ENDPOINT_SLICE,
        home_access: &[of("discovery.k8s.io", "endpointslices", READ), core("services", READ)],
        remote_access: &[of("virtualkubelet.liqo.io", "shadowendpointslices", FULL)],
        fields: endpoint_slice::FIELDS,
        transform: Some(endpoint_slice::remote),
        ..PLAIN
    },
    Reflector {
        name: "Ingress",
        flag: "ingress",
        home: Resource::INGRESS,
        remote: Resource::INGRESS,
        home_access: &[of("networking.k8s.io", "ingresses", READ)],
        remote_access: &[of("networking.k8s.io", "ingresses", FULL)],
        ..PLAIN
    },
    Reflector {
        name: "ConfigMap",
        flag: "configmap",
        home: Resource::CONFIG_MAP,
        remote: Resource::CONFIG_MAP,
        home_access: &[core("configmaps", READ)],
        remote_access: &[core("configmaps", FULL)],
        fields: config_map::FIELDS,
        transform: Some(config_map::remote),
        remote_name: config_map::remote_name,
        home_name: config_map::home_name,
        ..PLAIN
    },
    Reflector {
        name: "Secret",
        flag: "secret",
        home: Resource::SECRET,
        remote: Resource::SECRET,
        home_access: &[core("secrets", READ)],
        remote_access: &[core("secrets", FULL)],
        fields: secret::FIELDS,
        transform: Some(secret::remote),
        ..PLAIN
    },
    Reflector {
        name: "ServiceAccount",
        flag: "service-account",
        home: Resource::SERVICE_ACCOUNT,
        remote: Resource::SECRET,
        honours_skip: false,
        home_access: &[core("serviceaccounts/token", CREATE)],
        remote_access: &[core("secrets", FULL)],
        ..PLAIN
    },
    Reflector {
        name: "PersistentVolumeClaim",
        flag: "persistentvolumeclaim",
        home: Resource::PERSISTENT_VOLUME_CLAIM,
        remote: Resource::PERSISTENT_VOLUME_CLAIM,
        honours_skip: false,
        home_access: &[
            core("persistentvolumeclaims", FULL),
            core("persistentvolumes", FULL),
            of("storage.k8s.io", "storageclasses", READ),
        ],
        remote_access: &[core("persistentvolumeclaims", FULL)],
        ..PLAIN
    },
];
