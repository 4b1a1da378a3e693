//! Samples of what a peering is made of.

use std::collections::BTreeMap;

use liqo_model::{ClusterRef, Kind, ObjectKey};

use crate::{
    BodyDigest, ClusterSubnets, Configured, Content, ControlPlaneSettings, CurrentMapping, DeploymentFacts,
    Effect, Event, ExternalCidrChosen, Facts, IdentityFacts, IpamStorageFacts, KubeletSettings,
    NetworkConfigFacts, OwnedBy, PeerTokenFacts, Reflection, Replication, ResourceOfferFacts,
    ResourceRequestFacts, Seq, ServerProbed, ServiceFacts, ServicePort, Settings, ShadowPodFacts,
    SigningRequestFacts, Status, SubnetsChosen, SubnetsReleased, TunnelEndpointFacts, TunnelReported,
    TunnelSpec, UnixMillis,
};

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn resources() -> BTreeMap<String, u64> {
    [("cpu".to_owned(), 3200), ("memory".to_owned(), 8_000_000_000_000)].into()
}

fn owner() -> OwnedBy {
    OwnedBy { name: "milan".to_owned(), uid: "u-9".into() }
}

pub(super) fn replication() -> Replication {
    Replication {
        origin: true,
        remote_id: "milan-id".into(),
        origin_id: "rome-id".into(),
        replicated: true,
        finalizer: true,
        spec: BodyDigest([3; 16]),
        status: BodyDigest([4; 16]),
        owners: vec!["milan".to_owned()],
    }
}

pub(super) fn reflection() -> Reflection {
    Reflection {
        content: BodyDigest([5; 16]),
        status: BodyDigest([6; 16]),
        home_uid: "u-3".into(),
        origin: "rome-id".into(),
        destination: "milan-id".into(),
        managed_by: "shadowpod".to_owned(),
        skipped: true,
        belongs_to: "web".to_owned(),
    }
}

fn tunnel() -> TunnelSpec {
    TunnelSpec {
        cluster_id: "milan-id".into(),
        cluster_name: "milan".into(),
        local_pod_cidr: "10.200.0.0/16".to_owned(),
        local_external_cidr: "10.81.0.0/16".to_owned(),
        local_nat_pod_cidr: "10.201.0.0/16".to_owned(),
        local_nat_external_cidr: "10.82.0.0/16".to_owned(),
        remote_pod_cidr: "10.200.0.0/16".to_owned(),
        remote_external_cidr: "10.81.0.0/16".to_owned(),
        remote_nat_pod_cidr: "10.201.0.0/16".to_owned(),
        remote_nat_external_cidr: "None".to_owned(),
        endpoint: "172.30.2.1".to_owned(),
        public_key: "key".to_owned(),
        port: "32200".to_owned(),
    }
}

fn subnets() -> ClusterSubnets {
    ClusterSubnets {
        local_nat_pod_cidr: "10.201.0.0/16".to_owned(),
        local_nat_external_cidr: "None".to_owned(),
        remote_pod_cidr: "10.201.0.0/16".to_owned(),
        remote_external_cidr: "10.82.0.0/16".to_owned(),
    }
}

pub(super) fn facts() -> Vec<Facts> {
    [facts_of_peering(), facts_of_networks(), facts_of_offloading()].concat()
}

fn facts_of_peering() -> Vec<Facts> {
    vec![
        Facts::Identity(IdentityFacts {
            peer: "milan-id".into(),
            remote_namespace: "liqo-tenant-rome-f4b52b".into(),
            api_server: "https://172.30.2.1:6443".to_owned(),
            expires_at: UnixMillis(7),
        }),
        Facts::PeerToken(PeerTokenFacts { peer: "milan-id".into() }),
        Facts::ResourceRequest(ResourceRequestFacts {
            replication: replication(),
            cluster_id: "rome-id".into(),
            cluster_name: "rome".into(),
            auth_url: "https://172.30.1.1:31050".to_owned(),
            withdrawn: true,
            offer_withdrawn: true,
            offer_state: "Created".to_owned(),
        }),
        Facts::ResourceOffer(ResourceOfferFacts {
            replication: replication(),
            cluster_id: "milan-id".into(),
            hard: resources(),
            labels: texts(&[("region", "eu")]),
            storage_classes: vec!["standard".to_owned()],
            withdrawn: true,
            phase: "Accepted".to_owned(),
            virtual_kubelet: "Created".to_owned(),
            node_finalizer: true,
            kubelet_finalizer: true,
        }),
    ]
}

fn facts_of_networks() -> Vec<Facts> {
    vec![
        Facts::NetworkConfig(NetworkConfigFacts {
            replication: replication(),
            cluster_id: "milan-id".into(),
            pod_cidr: "10.200.0.0/16".to_owned(),
            external_cidr: "10.81.0.0/16".to_owned(),
            endpoint: "172.30.1.1".to_owned(),
            public_key: "key".to_owned(),
            port: "5871".to_owned(),
            processed: true,
            pod_cidr_nat: "10.201.0.0/16".to_owned(),
            external_cidr_nat: "None".to_owned(),
            finalizer: true,
        }),
        Facts::TunnelEndpoint(TunnelEndpointFacts {
            spec: tunnel(),
            connection: "Connected".to_owned(),
            latency: "2ms".to_owned(),
            gateway: "10.200.0.7".to_owned(),
        }),
        Facts::IpamStorage(IpamStorageFacts {
            pod_cidr: "10.200.0.0/16".to_owned(),
            service_cidr: "10.80.0.0/16".to_owned(),
            external_cidr: "10.81.0.0/16".to_owned(),
            reserved: vec!["172.16.0.0/24".to_owned()],
            pools: vec!["10.0.0.0/8".to_owned()],
            clusters: [("milan-id".into(), subnets())].into(),
        }),
    ]
}

fn facts_of_offloading() -> Vec<Facts> {
    vec![
        Facts::Service(ServiceFacts {
            kind: "NodePort".to_owned(),
            cluster_ip: "10.80.0.9".to_owned(),
            ports: vec![ServicePort {
                name: "https".to_owned(),
                protocol: "TCP".to_owned(),
                port: 443,
                node_port: 31050,
            }],
            ingress: vec!["172.30.1.192".to_owned()],
            annotations: texts(&[("liqo.io/override-port", "443")]),
            reflection: reflection(),
        }),
        Facts::ShadowPod(ShadowPodFacts {
            reflection: reflection(),
            phase: "Running".to_owned(),
            restart_policy: "Always".to_owned(),
        }),
        Facts::Reflected(reflection()),
        Facts::SigningRequest(SigningRequestFacts {
            requester: "system:serviceaccount:liqo-tenant-milan-ac89c5:virtual-kubelet".to_owned(),
            signer: "kubernetes.io/kubelet-serving".to_owned(),
            decided: true,
            node: "liqo-milan".to_owned(),
        }),
        Facts::Deployment(DeploymentFacts { settings: "0123456789abcdef".to_owned() }),
    ]
}

pub(super) fn observed() -> Vec<Event> {
    vec![
        Event::Configured(Configured {
            settings: Settings::ControlPlane(ControlPlaneSettings {
                pod_cidr: "10.200.0.0/16".to_owned(),
                service_cidr: "10.80.0.0/16".to_owned(),
                reserved: vec!["172.16.0.0/24".to_owned()],
                sharing_percentage: 90,
                labels: texts(&[("region", "eu")]),
                incoming: true,
                public_key: "key".to_owned(),
                mtu: 1340,
                virtual_kubelet: "0123456789abcdef".to_owned(),
            }),
        }),
        Event::Configured(Configured {
            settings: Settings::Kubelet(KubeletSettings {
                remote: "milan-id".into(),
                remote_name: "milan".into(),
                home: "rome-id".into(),
                home_name: "rome".into(),
                tenant: "liqo-tenant-milan-ac89c5".into(),
                node: "liqo-milan".to_owned(),
                address: "10.200.0.7".to_owned(),
                version: "v1.34.4".to_owned(),
                check_network: true,
                ignore_api_server: true,
                port: 10250,
                labels: texts(&[("region", "eu")]),
                annotations: texts(&[("owner", "me")]),
                not_reflected: vec![Kind::Secret],
            }),
        }),
        Event::TunnelReported(TunnelReported {
            peer: "milan-id".into(),
            gateway: "10.200.0.7".to_owned(),
            connected: true,
            round_trip_micros: 1500,
            trouble: "no answer".to_owned(),
        }),
        Event::ServerProbed(ServerProbed {
            cluster: ClusterRef::Remote("milan-id".into()),
            reachable: true,
            trouble: "refused".to_owned(),
        }),
    ]
}

pub(super) fn choices() -> Vec<Event> {
    vec![
        Event::SubnetsChosen(SubnetsChosen {
            peer: "milan-id".into(),
            pod_cidr: "10.200.0.0/16".to_owned(),
            external_cidr: "10.81.0.0/16".to_owned(),
            used_pod_cidr: "10.201.0.0/16".to_owned(),
            used_external_cidr: "10.82.0.0/16".to_owned(),
        }),
        Event::SubnetsReleased(SubnetsReleased { peer: "milan-id".into() }),
        Event::ExternalCidrChosen(ExternalCidrChosen { cidr: "10.81.0.0/16".to_owned() }),
    ]
}

pub(super) fn effects() -> Vec<Effect> {
    let contents = contents().into_iter().map(|content| Effect::Put { content });
    let statuses = statuses().into_iter().map(|status| Effect::PutStatus { uid: "u".into(), status });
    let from = || ObjectKey::local(Kind::Pod, "shop", "web");
    let (uid, digest) = (|| "u".into(), BodyDigest([7; 16]));
    let others = vec![
        Effect::Delete { uid: uid(), grace: Some(0), cause: Seq(300) },
        Effect::Authenticate {
            id: "milan-id".into(),
            name: "milan".into(),
            auth_url: "https://172.30.2.1:31050".to_owned(),
            skip_tls_verify: true,
            tenant: "liqo-tenant-milan-ac89c5".into(),
            home: "rome-id".into(),
            home_name: "rome".into(),
        },
        Effect::Replicate { from: from(), uid: uid(), spec: digest, home: "rome-id".into() },
        Effect::ReplicateStatus { from: from(), uid: uid(), status: digest },
        Effect::Reflect { from: from(), uid: uid(), content: digest },
        Effect::MirrorStatus { from: from(), uid: uid(), status: digest },
        Effect::Materialize { from: from(), uid: uid(), content: digest, reachable: true },
        Effect::ApproveSigning { uid: uid() },
        Effect::SetOwner { uid: uid(), owner: owner() },
    ];
    contents.chain(statuses).chain(others).collect()
}

fn contents() -> Vec<Content> {
    let (rome, milan) = (|| "rome-id".into(), || "milan-id".into());
    vec![
        Content::ForeignCluster { id: rome(), name: "rome".into(), auth_url: "https://a.example".to_owned() },
        Content::ResourceRequest {
            remote: milan(),
            id: rome(),
            name: "rome".into(),
            auth_url: "https://a.example".to_owned(),
            withdrawn_at: Some(UnixMillis(7)),
            owner: owner(),
        },
        Content::ResourceOffer {
            remote: rome(),
            id: milan(),
            hard: resources(),
            labels: texts(&[("region", "eu")]),
            withdrawn_at: None,
            owner: owner(),
        },
        Content::NetworkConfig {
            remote: milan(),
            remote_name: "milan".into(),
            pod_cidr: "10.200.0.0/16".to_owned(),
            external_cidr: "10.81.0.0/16".to_owned(),
            endpoint: "172.30.1.1".to_owned(),
            public_key: "key".to_owned(),
            port: 5871,
            owner: owner(),
        },
        Content::TunnelEndpoint { spec: tunnel(), owner: owner() },
        Content::NatMapping {
            remote: milan(),
            pod_cidr: "10.201.0.0/16".to_owned(),
            external_cidr: "10.82.0.0/16".to_owned(),
            mappings: texts(&[("169.254.0.1", "10.82.0.1")]),
        },
        Content::IpamStorage {
            pod_cidr: "10.200.0.0/16".to_owned(),
            service_cidr: "10.80.0.0/16".to_owned(),
            external_cidr: "10.81.0.0/16".to_owned(),
            reserved: vec!["172.16.0.0/24".to_owned()],
            pools: vec!["10.0.0.0/8".to_owned()],
            clusters: [(milan(), subnets())].into(),
        },
        Content::NamespaceMap { remote: milan(), owner: owner() },
        Content::PeerBinding { user: milan(), role: "r".to_owned(), managed_by: "t/m".to_owned() },
        Content::KubeletAccount { remote: milan() },
        Content::KubeletBinding { remote: milan(), tenant: "t".into() },
        Content::VirtualKubelet {
            remote: milan(),
            remote_name: "milan".into(),
            home: rome(),
            home_name: "rome".into(),
            offer: "milan".to_owned(),
            settings: "0123456789abcdef".to_owned(),
        },
        Content::RemoteNamespace { origin: rome(), map: "t/m".to_owned(), original: "shop".into() },
        Content::VirtualNode {
            remote: milan(),
            labels: texts(&[("region", "eu")]),
            unschedulable: true,
            annotations: texts(&[("owner", "me")]),
            settings: "0123456789abcdef".to_owned(),
        },
    ]
}

fn statuses() -> Vec<Status> {
    let mapping = CurrentMapping { remote: "shop-r".into(), phase: "Accepted".to_owned() };
    vec![
        Status::ResourceRequest {
            offer_state: "Created".to_owned(),
            offer_withdrawn_at: Some(UnixMillis(7)),
        },
        Status::ResourceOffer { phase: "Accepted".to_owned(), virtual_kubelet: "Created".to_owned() },
        Status::NetworkConfig {
            pod_cidr_nat: "10.201.0.0/16".to_owned(),
            external_cidr_nat: "None".to_owned(),
        },
        Status::TunnelEndpoint {
            gateway: "172.30.1.1".to_owned(),
            connection: "Connected".to_owned(),
            message: "VPN connection established".to_owned(),
            latency: "2ms".to_owned(),
            measured_at: Some(UnixMillis(7)),
            peer: texts(&[("endpointIP", "172.30.2.1")]),
        },
        Status::NamespaceMap([("shop".into(), mapping)].into()),
        Status::ShadowPod("Running".to_owned()),
        Status::VirtualNode {
            ready: true,
            network: Some(true),
            resources: resources(),
            version: "v1.34.4".to_owned(),
            address: "10.200.0.7".to_owned(),
            port: 10250,
        },
        Status::UnmappedPod,
    ]
}
