//! What effects do to the objects of the two clusters.

use liqo_events::{
    Command, Content, Effect, Facts, ForeignClusterFacts, IdentityFacts, IpamStorageFacts, MappingFacts,
    NamespaceFacts, NamespaceMapFacts, NetworkConfigFacts, PeerTokenFacts, PeeringType, Replication,
    ResourceOfferFacts, ResourceRequestFacts, Status, TunnelEndpointFacts, UnixMillis,
};
use liqo_model::{ClusterId, ClusterName, ClusterRef, Kind, ObjectKey, tenant_namespace_name};

use super::world::{MILAN, ROME, World};

/// How a command ended.
pub(super) enum Outcome {
    /// The version of the object after it.
    Written(u64),
    /// An API server says no version of what is gone.
    Deleted,
    /// Why it was pointless.
    Superseded(String),
}

/// Carries out a command of a cluster.
pub(super) fn carry_out(world: &mut World, by: usize, command: &Command) -> Outcome {
    let at = match &command.slot.object.cluster {
        ClusterRef::Local => by,
        ClusterRef::Remote(_) => 1 - by,
    };
    let key = ObjectKey { cluster: ClusterRef::Local, ..command.slot.object.clone() };
    let known = world.clusters[at].objects.get(&key).cloned();
    if let Some(life) = command.effect.life()
        && known.as_ref().is_none_or(|known| known.uid != *life)
    {
        return Outcome::Superseded("it is no more".to_owned());
    }
    match &command.effect {
        Effect::EnsureTenantNamespace { id } => {
            let facts = NamespaceFacts { tenant_of: id.clone(), ..NamespaceFacts::default() };
            Outcome::Written(world.write(at, key, Facts::Namespace(facts)))
        }
        Effect::Authenticate { id, home, home_name, tenant, .. } => {
            let remote = hand_out(world, 1 - by, home, home_name);
            let facts = IdentityFacts {
                peer: id.clone(),
                remote_namespace: remote,
                api_server: "https://172.18.0.1:6443".to_owned(),
                expires_at: UnixMillis(1),
            };
            let secret = ObjectKey::local(Kind::Secret, tenant.as_str(), "liqo-identity-1");
            Outcome::Written(world.write(by, secret, Facts::Identity(facts)))
        }
        Effect::Delete { .. } => {
            world.delete(at, &key);
            Outcome::Deleted
        }
        Effect::Put { content } => {
            let facts = known.map(|known| known.facts);
            Outcome::Written(world.write(at, key, put(facts, content)))
        }
        Effect::Replicate { from, home, .. } => replicate(world, by, (from, &key), home),
        Effect::ReplicateStatus { from, .. } => {
            let from = ObjectKey { cluster: ClusterRef::Local, ..from.clone() };
            let Some(copy) = world.clusters[1 - by].objects.get(&from) else {
                return Outcome::Superseded("the copy is gone".to_owned());
            };
            let answer = copy.facts.clone();
            let facts = known.map_or(Facts::Presence, |known| with_status_of(known.facts, &answer));
            Outcome::Written(world.write(at, key, facts))
        }
        Effect::Relist { .. } => Outcome::Superseded("there is nothing to list".to_owned()),
        _ => {
            let Some(known) = known else { return Outcome::Superseded("it is no more".to_owned()) };
            let mut facts = known.facts;
            change(&mut facts, &command.effect);
            Outcome::Written(world.write(at, key, facts))
        }
    }
}

/// What the authentication service does: a tenant namespace, the basic right, and the token for the way back.
fn hand_out(
    world: &mut World,
    at: usize,
    consumer: &ClusterId,
    name: &ClusterName,
) -> liqo_model::NamespaceName {
    let tenant = tenant_namespace_name(name, consumer);
    let facts = NamespaceFacts { tenant_of: consumer.clone(), ..NamespaceFacts::default() };
    let key = ObjectKey::local_cluster_scoped(Kind::Namespace, tenant.as_str());
    if !world.clusters[at].objects.contains_key(&key) {
        world.write(at, key, Facts::Namespace(facts));
    }
    let basic =
        ObjectKey::local(Kind::RoleBinding, tenant.as_str(), "liqo-binding-liqo-remote-peering-basic");
    world.write(at, basic, Facts::Presence);
    let token = ObjectKey::local(Kind::Secret, "liqo", format!("remote-token-{consumer}"));
    world.write(at, token, Facts::PeerToken(PeerTokenFacts { peer: consumer.clone() }));
    tenant
}

fn origin(known: Option<Replication>, remote: &ClusterId) -> Replication {
    Replication { origin: true, remote_id: remote.clone(), ..known.unwrap_or_default() }
}

fn put(known: Option<Facts>, content: &Content) -> Facts {
    match (content, known) {
        (Content::ForeignCluster { id, name, auth_url }, _) => Facts::ForeignCluster(ForeignClusterFacts {
            cluster_id: id.clone(),
            cluster_name: name.clone(),
            auth_url: auth_url.clone(),
            peering_type: PeeringType::OutOfBand,
            labelled_id: id.clone(),
            discovery_type: "IncomingPeering".to_owned(),
            ..ForeignClusterFacts::default()
        }),
        (Content::ResourceRequest { remote, id, name, auth_url, withdrawn_at, .. }, known) => {
            let known = match known {
                Some(Facts::ResourceRequest(facts)) => facts,
                _ => ResourceRequestFacts::default(),
            };
            Facts::ResourceRequest(ResourceRequestFacts {
                replication: origin(Some(known.replication.clone()), remote),
                cluster_id: id.clone(),
                cluster_name: name.clone(),
                auth_url: auth_url.clone(),
                withdrawn: withdrawn_at.is_some(),
                ..known
            })
        }
        (Content::Offer { remote, id, hard, labels, .. }, known) => {
            let known = match known {
                Some(Facts::ResourceOffer(facts)) => facts,
                _ => ResourceOfferFacts::default(),
            };
            Facts::ResourceOffer(ResourceOfferFacts {
                replication: origin(Some(known.replication.clone()), remote),
                cluster_id: id.clone(),
                hard: hard.clone(),
                labels: labels.clone(),
                ..known
            })
        }
        (Content::ResourceOffer { remote, id, hard, labels, withdrawn_at, .. }, known) => {
            let known = match known {
                Some(Facts::ResourceOffer(facts)) => facts,
                _ => ResourceOfferFacts::default(),
            };
            Facts::ResourceOffer(ResourceOfferFacts {
                replication: origin(Some(known.replication.clone()), remote),
                cluster_id: id.clone(),
                hard: hard.clone(),
                labels: labels.clone(),
                withdrawn: withdrawn_at.is_some(),
                ..known
            })
        }
        (Content::NamespaceMap { remote, .. }, _) => Facts::NamespaceMap(NamespaceMapFacts {
            remote_cluster: remote.clone(),
            origin: true,
            replication: origin(None, remote),
            ..NamespaceMapFacts::default()
        }),
        (Content::RemoteNamespace { origin, map, .. }, None) => Facts::Namespace(NamespaceFacts {
            remote_cluster: origin.clone(),
            managed_by: map.clone(),
            ..NamespaceFacts::default()
        }),
        (_, known) => network(content, known),
    }
}

fn network(content: &Content, known: Option<Facts>) -> Facts {
    match (content, known) {
        (
            Content::NetworkConfig {
                remote, pod_cidr, external_cidr, endpoint, public_key, port, owner, ..
            },
            known,
        ) => {
            let known = match known {
                Some(Facts::NetworkConfig(facts)) => facts,
                _ => NetworkConfigFacts::default(),
            };
            let owners = vec![owner.name.clone()];
            let replication = Replication { owners, ..origin(Some(known.replication.clone()), remote) };
            Facts::NetworkConfig(NetworkConfigFacts {
                replication,
                cluster_id: remote.clone(),
                pod_cidr: pod_cidr.clone(),
                external_cidr: external_cidr.clone(),
                endpoint: endpoint.clone(),
                public_key: public_key.clone(),
                port: port.to_string(),
                ..known
            })
        }
        (Content::TunnelEndpoint { spec, .. }, _) => Facts::TunnelEndpoint(TunnelEndpointFacts {
            spec: spec.clone(),
            ..TunnelEndpointFacts::default()
        }),
        (Content::IpamStorage { pod_cidr, service_cidr, external_cidr, reserved, pools, clusters }, _) => {
            Facts::IpamStorage(IpamStorageFacts {
                pod_cidr: pod_cidr.clone(),
                service_cidr: service_cidr.clone(),
                external_cidr: external_cidr.clone(),
                reserved: reserved.clone(),
                pools: pools.clone(),
                clusters: clusters.clone(),
            })
        }
        (_, known) => known.unwrap_or(Facts::Presence),
    }
}

fn replicate(
    world: &mut World,
    by: usize,
    (from, to): (&ObjectKey, &ObjectKey),
    home: &ClusterId,
) -> Outcome {
    let Some(origin) = world.clusters[by].objects.get(from).filter(|origin| !origin.deleting) else {
        return Outcome::Superseded("the origin is gone".to_owned());
    };
    let spec = origin.facts.clone();
    let copy = world.clusters[1 - by].objects.get(to).map(|copy| copy.facts.clone());
    let facts = with_spec_of(copy, &spec, home);
    Outcome::Written(world.write(1 - by, to.clone(), facts))
}

fn copy_of(known: &Replication, origin: &Replication, home: &ClusterId) -> Replication {
    Replication {
        replicated: true,
        origin_id: home.clone(),
        remote_id: origin.remote_id.clone(),
        owners: known.owners.clone(),
        finalizer: known.finalizer,
        ..Replication::default()
    }
}

fn with_spec_of(copy: Option<Facts>, origin: &Facts, home: &ClusterId) -> Facts {
    match (origin, copy) {
        (Facts::ResourceRequest(spec), copy) => {
            let known =
                if let Some(Facts::ResourceRequest(facts)) = copy { facts } else { Default::default() };
            Facts::ResourceRequest(ResourceRequestFacts {
                replication: copy_of(&known.replication, &spec.replication, home),
                offer_state: known.offer_state,
                offer_withdrawn: known.offer_withdrawn,
                ..spec.clone()
            })
        }
        (Facts::ResourceOffer(spec), copy) => {
            let known = if let Some(Facts::ResourceOffer(facts)) = copy { facts } else { Default::default() };
            Facts::ResourceOffer(ResourceOfferFacts {
                replication: copy_of(&known.replication, &spec.replication, home),
                phase: known.phase,
                virtual_kubelet: known.virtual_kubelet,
                node_finalizer: known.node_finalizer,
                kubelet_finalizer: known.kubelet_finalizer,
                ..spec.clone()
            })
        }
        (Facts::NetworkConfig(spec), copy) => {
            let known = if let Some(Facts::NetworkConfig(facts)) = copy { facts } else { Default::default() };
            Facts::NetworkConfig(NetworkConfigFacts {
                replication: copy_of(&known.replication, &spec.replication, home),
                processed: known.processed,
                pod_cidr_nat: known.pod_cidr_nat,
                external_cidr_nat: known.external_cidr_nat,
                finalizer: known.finalizer,
                ..spec.clone()
            })
        }
        (Facts::NamespaceMap(spec), copy) => {
            let known = if let Some(Facts::NamespaceMap(facts)) = copy { facts } else { Default::default() };
            Facts::NamespaceMap(NamespaceMapFacts {
                replication: copy_of(&known.replication, &spec.replication, home),
                origin: false,
                current: known.current,
                finalizer: known.finalizer,
                ..spec.clone()
            })
        }
        (other, _) => other.clone(),
    }
}

fn with_status_of(origin: Facts, copy: &Facts) -> Facts {
    match (origin, copy) {
        (Facts::ResourceRequest(origin), Facts::ResourceRequest(copy)) => {
            Facts::ResourceRequest(ResourceRequestFacts {
                offer_state: copy.offer_state.clone(),
                offer_withdrawn: copy.offer_withdrawn,
                ..origin
            })
        }
        (Facts::ResourceOffer(origin), Facts::ResourceOffer(copy)) => {
            Facts::ResourceOffer(ResourceOfferFacts {
                phase: copy.phase.clone(),
                virtual_kubelet: copy.virtual_kubelet.clone(),
                ..origin
            })
        }
        (Facts::NetworkConfig(origin), Facts::NetworkConfig(copy)) => {
            Facts::NetworkConfig(NetworkConfigFacts {
                processed: copy.processed,
                pod_cidr_nat: copy.pod_cidr_nat.clone(),
                external_cidr_nat: copy.external_cidr_nat.clone(),
                ..origin
            })
        }
        (Facts::NamespaceMap(origin), Facts::NamespaceMap(copy)) => {
            Facts::NamespaceMap(NamespaceMapFacts { current: copy.current.clone(), ..origin })
        }
        (origin, _) => origin,
    }
}

fn change(facts: &mut Facts, effect: &Effect) {
    match (effect, facts) {
        (Effect::LabelForeignCluster { id, .. }, Facts::ForeignCluster(facts)) => {
            facts.labelled_id = id.clone();
        }
        (
            Effect::WriteForeignClusterStatus { tenant_local, tenant_remote, conditions, .. },
            Facts::ForeignCluster(facts),
        ) => {
            facts.tenant_local = tenant_local.clone();
            facts.tenant_remote = tenant_remote.clone();
            facts.conditions.clone_from(conditions);
        }
        (Effect::SetFinalizer { finalizer, present, .. }, facts) => set_finalizer(facts, finalizer, *present),
        (Effect::SetScheduling { enabled, .. }, Facts::Namespace(facts)) => {
            facts.scheduling_enabled = *enabled;
        }
        (Effect::MapNamespace { namespace, remote, .. }, Facts::NamespaceMap(facts)) => match remote {
            Some(remote) => drop(facts.desired.insert(namespace.clone(), remote.clone())),
            None => drop(facts.desired.remove(namespace)),
        },
        (
            Effect::WriteOffloadingStatus { remote_name, phase, observed_generation, conditions, .. },
            Facts::Offloading(facts),
        ) => {
            facts.remote_name = remote_name.clone();
            facts.phase.clone_from(phase);
            facts.observed_generation = *observed_generation;
            facts.conditions.clone_from(conditions);
        }
        (Effect::SetOwner { owner, .. }, facts) => match facts {
            Facts::ResourceRequest(facts) => facts.replication.owners = vec![owner.name.clone()],
            Facts::ResourceOffer(facts) => facts.replication.owners = vec![owner.name.clone()],
            _ => {}
        },
        (Effect::PutStatus { status, .. }, facts) => set_status(facts, status),
        (other, facts) => panic!("{other:?} is no change of {facts:?}"),
    }
}

fn set_finalizer(facts: &mut Facts, finalizer: &str, present: bool) {
    let replicated = finalizer == "crdReplicator.liqo.io";
    match facts {
        Facts::ForeignCluster(facts) => {
            facts.finalizers.retain(|known| known != finalizer);
            facts.finalizers.extend(present.then(|| finalizer.to_owned()));
        }
        Facts::ResourceRequest(facts) => facts.replication.finalizer = present,
        Facts::ResourceOffer(facts) if replicated => facts.replication.finalizer = present,
        Facts::ResourceOffer(facts) if finalizer == "liqo.io/node" => facts.node_finalizer = present,
        Facts::ResourceOffer(facts) => facts.kubelet_finalizer = present,
        Facts::NetworkConfig(facts) if replicated => facts.replication.finalizer = present,
        Facts::NetworkConfig(facts) => facts.finalizer = present,
        Facts::NamespaceMap(facts) if replicated => facts.replication.finalizer = present,
        Facts::NamespaceMap(facts) => facts.finalizer = present,
        Facts::Node(facts) => facts.finalizer = present,
        Facts::Offloading(facts) => facts.finalizer = present,
        other => panic!("{other:?} has no finalizer {finalizer}"),
    }
}

fn set_status(facts: &mut Facts, status: &Status) {
    match (status, facts) {
        (Status::ResourceRequest { offer_state, offer_withdrawn_at }, Facts::ResourceRequest(facts)) => {
            facts.offer_state.clone_from(offer_state);
            facts.offer_withdrawn = offer_withdrawn_at.is_some();
        }
        (Status::ResourceOffer { phase, virtual_kubelet }, Facts::ResourceOffer(facts)) => {
            facts.phase.clone_from(phase);
            facts.virtual_kubelet.clone_from(virtual_kubelet);
        }
        (Status::NetworkConfig { pod_cidr_nat, external_cidr_nat }, Facts::NetworkConfig(facts)) => {
            facts.processed = true;
            facts.pod_cidr_nat.clone_from(pod_cidr_nat);
            facts.external_cidr_nat.clone_from(external_cidr_nat);
        }
        (Status::NamespaceMap(current), Facts::NamespaceMap(facts)) => {
            let entry = |(local, mapping): (&liqo_model::NamespaceName, &liqo_events::CurrentMapping)| {
                let facts = MappingFacts { remote: mapping.remote.clone(), phase: mapping.phase.clone() };
                (local.to_string(), facts)
            };
            facts.current = current.iter().map(entry).collect();
        }
        (Status::TunnelEndpoint { gateway, connection, latency, .. }, Facts::TunnelEndpoint(facts)) => {
            facts.gateway.clone_from(gateway);
            facts.connection.clone_from(connection);
            facts.latency.clone_from(latency);
        }
        (status, facts) => panic!("{status:?} is no status of {facts:?}"),
    }
}

/// What the user of rome does: lets it peer with milan, with the token of milan.
pub(super) fn introduce(world: &mut World, outgoing: liqo_events::Switch) {
    let token = ObjectKey::local(Kind::Secret, "liqo", "remote-token-milan-id");
    world.write(ROME, token, Facts::PeerToken(PeerTokenFacts { peer: "milan-id".into() }));
    let mut facts = super::scenario::peer_facts("milan-id");
    facts.outgoing = outgoing;
    let name = world.clusters[MILAN].name;
    world.write(ROME, super::scenario::peer_key(name), Facts::ForeignCluster(facts));
}
