//! What an effect makes of an object where peerings are made, as the actuators of the program have it.

use std::collections::BTreeSet;

use liqo_events::{
    Content, Effect, Facts, ForeignClusterFacts, IdentityFacts, IpamStorageFacts, MappingFacts,
    NamespaceFacts, NamespaceMapFacts, NetworkConfigFacts, OwnedBy, PeeringType, Replication,
    ResourceOfferFacts, ResourceRequestFacts, Status, TunnelEndpointFacts,
};
use liqo_model::{ClusterId, Kind, Uid};

use super::effect::{Job, Step, life_of, of_life, step};
use super::sight::replication;
use crate::api::{New, Stored};

/// The lifetime of an identity: longer than any run.
const LASTS: u64 = 365 * 24 * 3_600_000;

type Owners = BTreeSet<(Kind, String, Uid)>;

impl Job<'_> {
    /// What the effect means for the object as it is.
    pub(super) fn peering_step(&self, current: Option<&Stored>) -> Step {
        match life_of(self.effect, current) {
            Err(step) => step,
            Ok(Some(current)) => self.change(current),
            Ok(None) => self.make(current),
        }
    }

    fn make(&self, current: Option<&Stored>) -> Step {
        match self.effect {
            Effect::Put { content } => self.put(content, current),
            Effect::Authenticate { id, .. } => self.keep_identity(id, current),
            Effect::Replicate { home, .. } => self.replicate(home, current),
            effect => step(effect, self.key, current),
        }
    }

    fn change(&self, current: &Stored) -> Step {
        let mut after = current.clone();
        match (self.effect, &mut after.facts) {
            (Effect::PutStatus { status, .. }, facts) => set_status(facts, status),
            (Effect::ReplicateStatus { .. }, facts) => {
                let Some(copy) = &self.given.source else { return Step::Superseded("the copy is gone") };
                take_status(facts, &copy.facts);
            }
            (Effect::SetOwner { owner, .. }, _) => after.owners.extend(owner_of(Kind::ForeignCluster, owner)),
            (effect, _) => return of_life(effect, current),
        }
        Step::Replace(Box::new(after))
    }

    fn put(&self, content: &Content, current: Option<&Stored>) -> Step {
        let owners = owners(content);
        let Some(current) = current else {
            let facts = said(content, None);
            return Step::Create(Box::new(New { owners, ..New::of(self.key.clone(), facts) }));
        };
        if current.deleting {
            return Step::Later("it is being deleted");
        }
        if let (Content::RemoteNamespace { map, .. }, Facts::Namespace(known)) = (content, &current.facts) {
            let ours = known.managed_by == *map;
            return if ours {
                Step::Replace(Box::new(current.clone()))
            } else {
                Step::Park("it is not of Liqo")
            };
        }
        let mut after = current.clone();
        after.facts = said(content, Some(&current.facts));
        after.owners.extend(owners);
        Step::Replace(Box::new(after))
    }

    /// The Secret with what the peer gave.
    fn keep_identity(&self, peer: &ClusterId, current: Option<&Stored>) -> Step {
        let Some(tenant) = &self.given.tenant else { return Step::Later("no identity was given") };
        let facts = Facts::Identity(IdentityFacts {
            peer: peer.clone(),
            remote_namespace: tenant.clone(),
            api_server: "https://172.18.0.1:6443".to_owned(),
            expires_at: self.at.plus(LASTS),
        });
        match current {
            Some(current) => Step::Replace(Box::new(Stored { facts, ..current.clone() })),
            None => Step::Create(Box::new(New::of(self.key.clone(), facts))),
        }
    }

    /// The copy has the spec of its origin.
    fn replicate(&self, home: &ClusterId, current: Option<&Stored>) -> Step {
        let Some(origin) = &self.given.source else { return Step::Superseded("the origin is gone") };
        if origin.deleting {
            return Step::Superseded("the origin is being deleted");
        }
        let Some(current) = current else {
            return Step::Create(Box::new(New::of(self.key.clone(), copied(&origin.facts, None, home))));
        };
        let ours = replication(&current.facts).is_some_and(|part| part.replicated && part.origin_id == *home);
        if !ours {
            return Step::Park("it is no copy of an object of this cluster");
        }
        if current.deleting {
            return Step::Later("it is being deleted");
        }
        let facts = copied(&origin.facts, Some(&current.facts), home);
        Step::Replace(Box::new(Stored { facts, ..current.clone() }))
    }
}

fn owner_of(kind: Kind, owner: &OwnedBy) -> Owners {
    BTreeSet::from([(kind, owner.name.clone(), owner.uid.clone())])
}

fn owners(content: &Content) -> Owners {
    match content {
        Content::ResourceRequest { owner, .. } | Content::NetworkConfig { owner, .. } => {
            owner_of(Kind::ForeignCluster, owner)
        }
        Content::Offer { owner, .. } | Content::ResourceOffer { owner, .. } => {
            owner_of(Kind::ResourceRequest, owner)
        }
        Content::NamespaceMap { owner, .. } => owner_of(Kind::Node, owner),
        Content::TunnelEndpoint { owner, .. } => owner_of(Kind::ForeignCluster, owner),
        _ => Owners::new(),
    }
}

fn origin(remote: &ClusterId) -> Replication {
    Replication { origin: true, remote_id: remote.clone(), ..Replication::default() }
}

/// The facts of an object that says this; its status stays what it was.
fn said(content: &Content, known: Option<&Facts>) -> Facts {
    match (content, known.cloned()) {
        (Content::ForeignCluster { id, name, auth_url }, None) => {
            Facts::ForeignCluster(ForeignClusterFacts {
                cluster_id: id.clone(),
                cluster_name: name.clone(),
                auth_url: auth_url.clone(),
                peering_type: PeeringType::OutOfBand,
                labelled_id: id.clone(),
                discovery_type: "IncomingPeering".to_owned(),
                ..ForeignClusterFacts::default()
            })
        }
        (Content::ResourceRequest { remote, id, name, auth_url, withdrawn_at, .. }, known) => {
            let known =
                if let Some(Facts::ResourceRequest(facts)) = known { facts } else { Default::default() };
            Facts::ResourceRequest(ResourceRequestFacts {
                replication: origin(remote),
                cluster_id: id.clone(),
                cluster_name: name.clone(),
                auth_url: auth_url.clone(),
                withdrawn: withdrawn_at.is_some(),
                ..known
            })
        }
        (Content::Offer { .. } | Content::ResourceOffer { .. }, known) => offered(content, known),
        (Content::NamespaceMap { remote, .. }, None) => Facts::NamespaceMap(NamespaceMapFacts {
            remote_cluster: remote.clone(),
            origin: true,
            replication: origin(remote),
            ..NamespaceMapFacts::default()
        }),
        (Content::RemoteNamespace { origin, map, .. }, None) => Facts::Namespace(NamespaceFacts {
            remote_cluster: origin.clone(),
            managed_by: map.clone(),
            ..NamespaceFacts::default()
        }),
        (_, known) => of_network(content, known),
    }
}

fn offered(content: &Content, known: Option<Facts>) -> Facts {
    let (remote, id, hard, labels, withdrawn) = match content {
        Content::Offer { remote, id, hard, labels, .. } => (remote, id, hard, labels, false),
        Content::ResourceOffer { remote, id, hard, labels, withdrawn_at, .. } => {
            (remote, id, hard, labels, withdrawn_at.is_some())
        }
        _ => return known.unwrap_or(Facts::Presence),
    };
    let known = if let Some(Facts::ResourceOffer(facts)) = known { facts } else { Default::default() };
    Facts::ResourceOffer(ResourceOfferFacts {
        replication: origin(remote),
        cluster_id: id.clone(),
        hard: hard.clone(),
        labels: labels.clone(),
        withdrawn,
        ..known
    })
}

fn of_network(content: &Content, known: Option<Facts>) -> Facts {
    match (content, known) {
        (
            Content::NetworkConfig { remote, pod_cidr, external_cidr, endpoint, public_key, port, .. },
            known,
        ) => {
            let known =
                if let Some(Facts::NetworkConfig(facts)) = known { facts } else { Default::default() };
            Facts::NetworkConfig(NetworkConfigFacts {
                replication: origin(remote),
                cluster_id: remote.clone(),
                pod_cidr: pod_cidr.clone(),
                external_cidr: external_cidr.clone(),
                endpoint: endpoint.clone(),
                public_key: public_key.clone(),
                port: port.to_string(),
                ..known
            })
        }
        (Content::TunnelEndpoint { spec, .. }, known) => {
            let known =
                if let Some(Facts::TunnelEndpoint(facts)) = known { facts } else { Default::default() };
            Facts::TunnelEndpoint(TunnelEndpointFacts { spec: spec.clone(), ..known })
        }
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

/// The facts of a copy: the spec is the origin's, and the status its own.
fn copied(origin: &Facts, copy: Option<&Facts>, home: &ClusterId) -> Facts {
    let mut facts = origin.clone();
    let blank = match &facts {
        Facts::ResourceRequest(_) => Facts::ResourceRequest(ResourceRequestFacts::default()),
        Facts::ResourceOffer(_) => Facts::ResourceOffer(ResourceOfferFacts::default()),
        Facts::NetworkConfig(_) => Facts::NetworkConfig(NetworkConfigFacts::default()),
        _ => Facts::NamespaceMap(NamespaceMapFacts::default()),
    };
    take_status(&mut facts, copy.unwrap_or(&blank));
    let part = match &mut facts {
        Facts::ResourceRequest(facts) => &mut facts.replication,
        Facts::ResourceOffer(facts) => &mut facts.replication,
        Facts::NetworkConfig(facts) => &mut facts.replication,
        Facts::NamespaceMap(facts) => {
            facts.origin = false;
            &mut facts.replication
        }
        _ => return facts,
    };
    let remote_id = part.remote_id.clone();
    *part = Replication { replicated: true, origin_id: home.clone(), remote_id, ..Replication::default() };
    facts
}

/// The status of another object becomes that of this one.
fn take_status(facts: &mut Facts, other: &Facts) {
    match (facts, other) {
        (Facts::ResourceRequest(facts), Facts::ResourceRequest(other)) => {
            facts.offer_state.clone_from(&other.offer_state);
            facts.offer_withdrawn = other.offer_withdrawn;
        }
        (Facts::ResourceOffer(facts), Facts::ResourceOffer(other)) => {
            facts.phase.clone_from(&other.phase);
            facts.virtual_kubelet.clone_from(&other.virtual_kubelet);
        }
        (Facts::NetworkConfig(facts), Facts::NetworkConfig(other)) => {
            facts.processed = other.processed;
            facts.pod_cidr_nat.clone_from(&other.pod_cidr_nat);
            facts.external_cidr_nat.clone_from(&other.external_cidr_nat);
        }
        (Facts::NamespaceMap(facts), Facts::NamespaceMap(other)) => facts.current.clone_from(&other.current),
        _ => {}
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
            let now = current.iter().map(|(local, mapping)| {
                let facts = MappingFacts { remote: mapping.remote.clone(), phase: mapping.phase.clone() };
                (local.to_string(), facts)
            });
            facts.current = now.collect();
        }
        (Status::TunnelEndpoint { gateway, connection, latency, .. }, Facts::TunnelEndpoint(facts)) => {
            facts.gateway.clone_from(gateway);
            facts.connection.clone_from(connection);
            facts.latency.clone_from(latency);
        }
        _ => {}
    }
}
