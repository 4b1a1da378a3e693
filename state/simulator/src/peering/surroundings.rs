//! What is around the control planes: objects of an installation, settings, the authentication service, Kubernetes'
//! collection of what has lost its owners, and virtual kubelets.

use liqo_domain::Input;
use liqo_events::{
    Configured, ControlPlaneSettings, Event, Facts, NamespaceFacts, NodeFacts, PeerTokenFacts, PodFacts,
    ServiceFacts, ServicePort, Settings as Configuration,
};
use liqo_model::{ClusterId, ClusterName, Kind, ObjectKey, Uid, tenant_namespace_name};

use crate::api::{ApiServer, NODE, New, Refusal};
use crate::process::{Actor, Message, Reply};
use crate::world::{BEGINNING, LIQO, World};

/// What an installation consists of, beside its processes.
pub(crate) fn surround(api: &mut ApiServer, index: usize) {
    let node = NodeFacts {
        ready: true,
        allocatable: [("cpu".to_owned(), 4_000), ("memory".to_owned(), 8_000_000_000_000)].into(),
        addresses: vec![("InternalIP".to_owned(), format!("172.18.{}.1", index + 1))],
        ..NodeFacts::default()
    };
    let service = ServiceFacts {
        kind: "NodePort".to_owned(),
        ports: vec![ServicePort { node_port: 30_443, port: 443, ..ServicePort::default() }],
        ..ServiceFacts::default()
    };
    let wireguard = ServicePort { name: "wireguard".to_owned(), port: 5871, ..ServicePort::default() };
    let gateway = ServiceFacts {
        kind: "LoadBalancer".to_owned(),
        ports: vec![wireguard],
        ingress: vec![format!("172.18.{}.9", index + 1)],
        ..ServiceFacts::default()
    };
    let pod = PodFacts {
        phase: "Running".to_owned(),
        ready: true,
        labels: [("app.kubernetes.io/name".to_owned(), "gateway".to_owned())].into(),
        pod_ips: vec!["172.18.0.9".to_owned()],
        ..PodFacts::default()
    };
    let objects = [
        (ObjectKey::local_cluster_scoped(Kind::Node, "worker"), Facts::Node(node)),
        (ObjectKey::local(Kind::Service, LIQO, "liqo-auth"), Facts::Service(service)),
        (ObjectKey::local(Kind::Service, LIQO, "liqo-gateway"), Facts::Service(gateway)),
        (ObjectKey::local(Kind::Pod, LIQO, "liqo-gateway-1"), Facts::Pod(pod)),
    ];
    for (key, facts) in objects {
        // It cannot fail: the store was empty.
        let _ = api.create(New::of(key, facts), liqo_events::UnixMillis(BEGINNING));
    }
}

impl World {
    /// A process is told how it is set up.
    pub(crate) fn configure(&mut self, actor: Actor) {
        let Some(peering) = self.settings.peering else { return };
        let pods = if peering.network { "10.200.0.0/16" } else { "" };
        let settings = Configuration::ControlPlane(ControlPlaneSettings {
            sharing_percentage: 50,
            incoming: true,
            pod_cidr: pods.to_owned(),
            service_cidr: "10.80.0.0/16".to_owned(),
            public_key: format!("{}=", "k".repeat(43)),
            mtu: 1340,
            ..ControlPlaneSettings::default()
        });
        self.post(actor, Message::Input(Input::Observe(vec![Event::Configured(Configured { settings })])));
    }

    /// What the authentication service of a cluster does for a consumer: a tenant namespace, the right to ask, and the
    /// token for the way back is kept. It is part of the controller manager.
    pub(crate) fn grant(&mut self, server: usize, consumer: &ClusterId, name: &ClusterName) -> Reply {
        if !self.clusters[server].processes.iter().any(|process| process.running.is_some()) {
            return Reply::Refused(Refusal::Unavailable);
        }
        let tenant = tenant_namespace_name(name, consumer);
        let namespace = NamespaceFacts { tenant_of: consumer.clone(), ..NamespaceFacts::default() };
        let token = PeerTokenFacts { peer: consumer.clone() };
        let binding = "liqo-binding-liqo-remote-peering-basic";
        let given = [
            (ObjectKey::local_cluster_scoped(Kind::Namespace, tenant.as_str()), Facts::Namespace(namespace)),
            (ObjectKey::local(Kind::RoleBinding, tenant.as_str(), binding), Facts::Presence),
            (
                ObjectKey::local(Kind::Secret, LIQO, format!("remote-token-{consumer}")),
                Facts::PeerToken(token),
            ),
        ];
        let at = self.wall(server);
        for (key, facts) in given {
            match self.api(server).create(New::of(key, facts), at) {
                Ok(_) | Err(Refusal::Exists) => {}
                Err(refusal) => return Reply::Refused(refusal),
            }
        }
        Reply::Granted(tenant)
    }

    /// Everybody but the control planes does what is to be done in a cluster.
    pub(crate) fn surroundings(&mut self, cluster: usize) {
        self.collect(cluster);
        self.kubelets(cluster);
    }

    /// Kubernetes deletes what has no owner any more, and had one.
    fn collect(&mut self, cluster: usize) {
        let api = self.api(cluster);
        let lives: std::collections::BTreeSet<&Uid> = api.objects().map(|object| &object.uid).collect();
        let lost = api.objects().filter(|object| {
            let orphaned = object.owners.iter().all(|(.., uid)| !lives.contains(uid));
            !object.owners.is_empty() && orphaned && !object.deleting
        });
        let lost: Vec<ObjectKey> = lost.map(|object| object.key.clone()).collect();
        for key in lost {
            let _ = self.api(cluster).delete(&key);
            self.note(|| format!("{key} of cluster {cluster} goes with its owner"));
        }
    }

    /// Virtual kubelets, as far as control planes see them: a node while the offer stands.
    fn kubelets(&mut self, cluster: usize) {
        let offers = self.clusters[cluster].api.list(Kind::ResourceOffer).cloned();
        let offers: Vec<_> = offers.collect();
        for offer in offers {
            let Facts::ResourceOffer(facts) = &offer.facts else { continue };
            let deployment =
                ObjectKey::local(Kind::Deployment, offer.key.namespace.as_str(), "virtual-kubelet");
            let runs = self.clusters[cluster].api.get(&deployment).is_some_and(|it| !it.deleting);
            if !facts.replication.replicated || !runs {
                continue;
            }
            let node = ObjectKey::local_cluster_scoped(Kind::Node, format!("liqo-{}", offer.key.name));
            let known = self.clusters[cluster].api.get(&node).cloned();
            let ends = facts.withdrawn || offer.deleting;
            match known {
                Some(known) if ends && !known.deleting => drop(self.api(cluster).delete(&node)),
                _ if ends && facts.node_finalizer => self.keep_offer(cluster, &offer.key, false),
                _ if ends => {}
                _ if !facts.node_finalizer => self.keep_offer(cluster, &offer.key, true),
                Some(_) => {}
                None => {
                    let remote_cluster = facts.cluster_id.clone();
                    let facts = NodeFacts { is_virtual: true, remote_cluster, ..NodeFacts::default() };
                    let at = self.wall(cluster);
                    let _ = self.api(cluster).create(New::of(node, Facts::Node(facts)), at);
                }
            }
        }
    }

    fn keep_offer(&mut self, cluster: usize, offer: &ObjectKey, kept: bool) {
        // It cannot fail: the offer was just seen.
        let _ = self.api(cluster).change(offer, |offer| {
            if kept && !offer.deleting {
                offer.finalizers.insert(NODE.to_owned());
            } else {
                offer.finalizers.remove(NODE);
            }
        });
    }
}
