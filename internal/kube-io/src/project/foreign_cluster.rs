//! ForeignClusters.

use liqo_api::{annotations, labels};
use liqo_events::{Facts, ForeignClusterFacts, PeeringType, Switch};

use super::fields::{Fields, Read};

const PEERING_TYPES: &[(&str, PeeringType)] =
    &[("OutOfBand", PeeringType::OutOfBand), ("InBand", PeeringType::InBand)];
const SWITCHES: &[(&str, Switch)] = &[("Auto", Switch::Auto), ("No", Switch::No), ("Yes", Switch::Yes)];

/// What every finalizer of Liqo has in its name.
const OF_LIQO: &str = "liqo.io";

pub(super) fn facts(object: &Fields<'_>) -> Read<Facts> {
    let discovery = match object.label(labels::DISCOVERY_TYPE)? {
        "" => labels::DISCOVERY_MANUAL,
        other => other,
    };
    let mut finalizers: Vec<String> =
        object.finalizers()?.into_iter().filter(|name| name.contains(OF_LIQO)).map(str::to_owned).collect();
    finalizers.sort_unstable();
    Ok(Facts::ForeignCluster(ForeignClusterFacts {
        cluster_id: object.named("spec.clusterIdentity.clusterID")?,
        cluster_name: object.named("spec.clusterIdentity.clusterName")?,
        auth_url: object.named("spec.foreignAuthUrl")?,
        proxy_url: object.named("spec.foreignProxyUrl")?,
        peering_type: object.choice("spec.peeringType", PEERING_TYPES)?,
        outgoing: outgoing(object)?,
        incoming: object.choice("spec.incomingPeeringEnabled", SWITCHES)?,
        // The schema's default is true: a peer is known by its token, not by a public certificate.
        skip_tls_verify: object.flag("spec.insecureSkipTLSVerify", true)?,
        labelled_id: object.label(labels::CLUSTER_ID)?.into(),
        discovery_type: discovery.to_owned(),
        finalizers,
        tenant_local: object.named("status.tenantNamespace.local")?,
        tenant_remote: object.named("status.tenantNamespace.remote")?,
        conditions: object.conditions("status.peeringConditions")?,
    }))
}

/// Whether resources of the peer are wanted. An annotation can be put on an object that is being deleted; a finalizer or a
/// value that the schema does not know can not.
fn outgoing(object: &Fields<'_>) -> Read<Switch> {
    let wanted = object.choice("spec.outgoingPeeringEnabled", SWITCHES)?;
    let given_up = object.annotation(annotations::GIVEN_UP)? == labels::TRUE;
    Ok(if given_up { Switch::GivenUp } else { wanted })
}
