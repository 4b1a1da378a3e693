//! What a peering has to come to.

use liqo_events::{Condition, Facts, UnixMillis};
use liqo_model::Kind;

use crate::invariants::{Checked, ensure};
use crate::world::{NAMES, World};

/// What a peering consists of.
const PEERING: [Kind; 9] = [
    Kind::ResourceRequest,
    Kind::ResourceOffer,
    Kind::NetworkConfig,
    Kind::NamespaceMap,
    Kind::Deployment,
    Kind::ServiceAccount,
    Kind::ClusterRoleBinding,
    Kind::TunnelEndpoint,
    Kind::NatMapping,
];
/// What is left is the right to ask.
const BASIC: &str = "-basic";

impl World {
    /// What a cluster says of a peer, condition by condition.
    fn said(&self, cluster: usize, peer: usize) -> Vec<String> {
        let key = self.foreign_cluster(cluster, peer);
        let known = key.and_then(|key| self.clusters[cluster].api.get(&key));
        let conditions: &[Condition] = match known.map(|known| &known.facts) {
            Some(Facts::ForeignCluster(facts)) => &facts.conditions,
            _ => &[],
        };
        conditions.iter().map(|one| format!("{} {}", one.kind, one.status)).collect()
    }

    /// Everybody uses whom they want to use, and says so.
    pub(super) fn check_peered(&self) -> Checked {
        let network = self.settings.peering.is_some_and(|peering| peering.network);
        let network = if network { "NetworkStatus Established" } else { "NetworkStatus External" };
        for (consumer, provider) in self.directions() {
            let sides = [(consumer, provider, "OutgoingPeering"), (provider, consumer, "IncomingPeering")];
            for (cluster, peer, direction) in sides {
                let said = self.said(cluster, peer);
                let wanted = [
                    network.to_owned(),
                    "AuthenticationStatus Established".to_owned(),
                    "APIServerStatus Established".to_owned(),
                    format!("{direction} Established"),
                ];
                let all = wanted.iter().all(|one| said.contains(one));
                ensure(all, "a_peering_is_established_whatever_died", || {
                    format!("{} says of {}: {said:?}", NAMES[cluster], NAMES[peer])
                })?;
            }
            let extended = self.clusters[provider].api.list(Kind::Namespace);
            let prefix = format!("shop-{}-", NAMES[consumer]);
            let there = extended.filter(|namespace| namespace.key.name.starts_with(&prefix)).count();
            ensure(there == 1, "a_peering_is_established_whatever_died", || {
                format!("{} has {there} namespaces of {}", NAMES[provider], NAMES[consumer])
            })?;
        }
        Ok(())
    }

    /// A peering leaves where it was: identities, tokens, tenant namespaces and the right to ask.
    pub(super) fn check_nothing_is_left(&self) -> Checked {
        for cluster in &self.clusters {
            let left = cluster.api.objects().filter(|object| match object.key.kind {
                Kind::Node => object.key.name != "worker",
                Kind::RoleBinding => !object.key.name.ends_with(BASIC),
                Kind::Namespace => {
                    matches!(&object.facts, Facts::Namespace(facts) if !facts.managed_by.is_empty())
                }
                kind => PEERING.contains(&kind),
            });
            let left: Vec<String> = left.map(|object| object.key.to_string()).collect();
            ensure(left.is_empty(), "an_unpeering_leaves_nothing_whatever_died", || {
                format!("{}: {left:?}", cluster.name)
            })?;
        }
        Ok(())
    }

    /// Nobody knows anybody any more.
    pub(super) fn check_everybody_is_forgotten(&self) -> Checked {
        self.check_nothing_is_left()?;
        for cluster in &self.clusters {
            let known: Vec<String> =
                cluster.api.list(Kind::ForeignCluster).map(|object| object.key.to_string()).collect();
            ensure(known.is_empty(), "an_unpeering_leaves_nothing_whatever_died", || {
                format!("{} knows {known:?}", cluster.name)
            })?;
        }
        Ok(())
    }

    /// Everything that there is, but for times, versions and lives.
    pub(super) fn outline(&self) -> Vec<String> {
        let all = self.clusters.iter().flat_map(|cluster| {
            cluster.api.objects().map(move |object| {
                let facts = timeless(object.facts.clone());
                let finalizers: Vec<&str> = object.finalizers.iter().map(String::as_str).collect();
                format!("{} {} {finalizers:?} {facts:?}", cluster.name, object.key)
            })
        });
        all.collect()
    }
}

fn timeless(mut facts: Facts) -> Facts {
    let start = |condition: &mut Condition| condition.since = UnixMillis::default();
    match &mut facts {
        Facts::ForeignCluster(facts) => facts.conditions.iter_mut().for_each(start),
        Facts::Offloading(facts) => facts.conditions.values_mut().flatten().for_each(start),
        Facts::Identity(facts) => facts.expires_at = UnixMillis::default(),
        _ => {}
    }
    facts
}
