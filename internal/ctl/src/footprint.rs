//! The objects that a peering consists of, in the cluster that uses resources and in the one that gives them.
//!
//! Source: what a pair of clusters running Liqo 0.8.3 writes from the first command of a peering to its last.

use k8s_openapi::api::core::v1::Secret as SecretObject;
use liqo_api::labels::{CLUSTER_ID, LOCAL_IDENTITY, TRUE};
use liqo_api::names::{
    IDENTITY_SECRET_PREFIX, NAT_MAPPING_PREFIX, REMOTE_CERTIFICATE_SECRET, TENANT_BINDING_PREFIX,
    VIRTUAL_KUBELET, VIRTUAL_KUBELET_BINDING_PREFIX,
};
use liqo_model::{ClusterId, ClusterName, Kind, tenant_namespace_name, unique_name, virtual_node_name};

use crate::CtlError;
use crate::cluster::Cluster;
use crate::local::LocalIdentity;

/// How long an object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Longer than the peering, so that the next one is quicker.
    Lasting,
    /// While the consumer uses resources of the provider.
    Direction,
    /// While either does.
    Network,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    kind: Kind,
    namespace: Option<String>,
    name: String,
    span: Span,
}

impl Trace {
    fn within(namespace: &str, kind: Kind, name: impl Into<String>, span: Span) -> Self {
        Self { kind, namespace: Some(namespace.to_owned()), name: name.into(), span }
    }

    fn alone(kind: Kind, name: impl Into<String>, span: Span) -> Self {
        Self { kind, namespace: None, name: name.into(), span }
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// The object as messages name it.
    pub(crate) fn named(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

/// A cluster, as both name its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) id: ClusterId,
    pub(crate) name: ClusterName,
}

impl From<&LocalIdentity> for Party {
    fn from(identity: &LocalIdentity) -> Self {
        Self { id: identity.id.clone(), name: identity.name.clone() }
    }
}

impl Party {
    fn unique(&self) -> String {
        unique_name(&self.name, &self.id)
    }

    /// The namespace for this party in the other's cluster.
    pub(crate) fn tenant(&self) -> String {
        tenant_namespace_name(&self.name, &self.id).to_string()
    }

    pub(crate) fn node(&self) -> String {
        virtual_node_name(&self.name)
    }
}

fn binding(namespace: &str, role: &str, span: Span) -> Trace {
    let name = format!("{TENANT_BINDING_PREFIX}liqo-remote-peering-{role}");
    Trace::within(namespace, Kind::RoleBinding, name, span)
}

/// What is in the consumer's cluster.
pub(crate) fn of_consumer(home: &Party, provider: &Party) -> Vec<Trace> {
    let (tenant, unique) = (provider.tenant(), provider.unique());
    let within = |kind, name: &str, span| Trace::within(&tenant, kind, name, span);
    let mut traces = vec![
        Trace::alone(Kind::Namespace, &tenant, Span::Lasting),
        within(Kind::Secret, &format!("{IDENTITY_SECRET_PREFIX}*"), Span::Lasting),
        binding(&tenant, "basic", Span::Lasting),
        binding(&tenant, "outgoing", Span::Direction),
        within(Kind::ResourceRequest, home.name.as_str(), Span::Direction),
        within(Kind::ResourceOffer, provider.name.as_str(), Span::Direction),
        within(Kind::ServiceAccount, VIRTUAL_KUBELET, Span::Direction),
        Trace::alone(
            Kind::ClusterRoleBinding,
            format!("{VIRTUAL_KUBELET_BINDING_PREFIX}{unique}"),
            Span::Direction,
        ),
        within(Kind::Deployment, VIRTUAL_KUBELET, Span::Direction),
        Trace::alone(Kind::Node, provider.node(), Span::Direction),
        within(Kind::NamespaceMap, &unique, Span::Direction),
    ];
    traces.extend(network(&tenant, home, provider));
    traces
}

/// What is in the provider's cluster.
pub(crate) fn of_provider(consumer: &Party, home: &Party) -> Vec<Trace> {
    let tenant = consumer.tenant();
    let within = |kind, name: &str, span| Trace::within(&tenant, kind, name, span);
    let mut traces = vec![
        Trace::alone(Kind::Namespace, &tenant, Span::Lasting),
        within(Kind::Secret, REMOTE_CERTIFICATE_SECRET, Span::Lasting),
        binding(&tenant, "basic", Span::Lasting),
        binding(&tenant, "incoming", Span::Direction),
        within(Kind::ResourceRequest, consumer.name.as_str(), Span::Direction),
        Trace::alone(Kind::ForeignCluster, consumer.name.as_str(), Span::Direction),
        within(Kind::ResourceOffer, home.name.as_str(), Span::Direction),
        within(Kind::NamespaceMap, &home.unique(), Span::Direction),
    ];
    traces.extend(network(&tenant, home, consumer));
    traces
}

fn network(tenant: &str, home: &Party, peer: &Party) -> [Trace; 4] {
    let (ours, theirs) = (peer.unique(), home.unique());
    [
        Trace::within(tenant, Kind::NetworkConfig, &ours, Span::Network),
        Trace::within(tenant, Kind::NetworkConfig, theirs, Span::Network),
        Trace::within(tenant, Kind::TunnelEndpoint, &ours, Span::Network),
        Trace::alone(Kind::NatMapping, format!("{NAT_MAPPING_PREFIX}{ours}"), Span::Network),
    ]
}

/// Of the objects of this cluster, those that exist and those that do not.
pub(crate) async fn sorted(
    cluster: &Cluster,
    provider: &Party,
    traces: Vec<Trace>,
) -> Result<(Vec<Trace>, Vec<Trace>), CtlError> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for trace in traces {
        let exists = if trace.kind == Kind::Secret {
            has_identity(cluster, &provider.tenant(), &provider.id).await?
        } else {
            cluster.any(trace.kind, trace.namespace.as_deref()).get(&trace.name).await?.is_some()
        };
        if exists { there.push(trace) } else { missing.push(trace) }
    }
    Ok((there, missing))
}

/// The name of the Secret is generated, so it is found by its labels.
async fn has_identity(cluster: &Cluster, tenant: &str, provider: &ClusterId) -> Result<bool, CtlError> {
    let labels = format!("{CLUSTER_ID}={provider},{LOCAL_IDENTITY}={TRUE}");
    Ok(!cluster.within::<SecretObject>(tenant).list(&labels).await?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rome() -> Party {
        Party { id: "7f081ef5-ce34-40d7-94fc-46a331394d56".into(), name: "rome".into() }
    }

    fn milan() -> Party {
        Party { id: "b6625701-6aeb-4c46-a864-bfce47c964c0".into(), name: "milan".into() }
    }

    fn names(traces: &[Trace]) -> Vec<String> {
        traces.iter().map(Trace::named).collect()
    }

    #[test]
    fn objects_have_the_names_that_a_pair_of_clusters_gave_them() {
        let here = names(&of_consumer(&rome(), &milan()));
        for name in [
            "Namespace liqo-tenant-milan-efa86c",
            "ResourceRequest liqo-tenant-milan-efa86c/rome",
            "ResourceOffer liqo-tenant-milan-efa86c/milan",
            "RoleBinding liqo-tenant-milan-efa86c/liqo-binding-liqo-remote-peering-outgoing",
            "ClusterRoleBinding liqo-virtual-kubelet-milan-efa86c",
            "Node liqo-milan",
            "NamespaceMap liqo-tenant-milan-efa86c/milan-efa86c",
            "NetworkConfig liqo-tenant-milan-efa86c/milan-efa86c",
            "NetworkConfig liqo-tenant-milan-efa86c/rome-03c9e0",
            "TunnelEndpoint liqo-tenant-milan-efa86c/milan-efa86c",
        ] {
            assert!(here.contains(&name.to_owned()), "{name}: {here:?}");
        }
        let there = names(&of_provider(&rome(), &milan()));
        for name in [
            "Namespace liqo-tenant-rome-03c9e0",
            "Secret liqo-tenant-rome-03c9e0/liqo-remote-certificate",
            "ForeignCluster rome",
            "ResourceOffer liqo-tenant-rome-03c9e0/milan",
            "NetworkConfig liqo-tenant-rome-03c9e0/rome-03c9e0",
            "TunnelEndpoint liqo-tenant-rome-03c9e0/rome-03c9e0",
            "NamespaceMap liqo-tenant-rome-03c9e0/milan-efa86c",
        ] {
            assert!(there.contains(&name.to_owned()), "{name}: {there:?}");
        }
    }
}
