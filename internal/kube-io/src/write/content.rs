//! What objects of ours consist of, rendered as Liqo 0.8.3 writes them. One function a kind; each says, from the object as
//! it is, which fields it shall have.

mod namespaces;
mod network;
mod peering;
mod rights;
mod virtual_kubelet;
mod virtual_node;

use std::collections::BTreeMap;

use liqo_events::{Content, UnixMillis, rfc3339_seconds};
use liqo_model::ObjectKey;
use serde_json::{Map, Value, json};

use super::settings::VirtualKubeletSettings;
use super::step::Step;

pub(super) use virtual_node::{node, status as node_status};

/// An object of ours but its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rendered {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) owner: Option<(liqo_model::Kind, liqo_events::OwnedBy)>,
    /// Fields outside of metadata, whole.
    pub(super) fields: Map<String, Value>,
}

/// What an object shall be; or what else is to be done.
pub(super) type Rendering = Result<Rendered, Step>;

impl Rendered {
    fn labelled<const N: usize>(labels: [(&str, &str); N]) -> Self {
        let labels = labels.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        Self { labels, ..Self::default() }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }

    fn owned_by(mut self, kind: liqo_model::Kind, owner: &liqo_events::OwnedBy) -> Self {
        self.owner = Some((kind, owner.clone()));
        self
    }
}

/// What an object shall be. Never asked for a virtual node, whose fields are merged in their own way.
pub(super) fn render(
    key: &ObjectKey,
    content: &Content,
    settings: &VirtualKubeletSettings,
    object: Option<&Value>,
) -> Rendering {
    match content {
        Content::ForeignCluster { id, name, auth_url } => {
            peering::foreign_cluster(key, (id, name), auth_url, object)
        }
        Content::ResourceRequest { .. } => peering::resource_request(content, object),
        Content::ResourceOffer { .. } | Content::Offer { .. } => peering::resource_offer(content, object),
        Content::NetworkConfig { .. } => network::network_config(content),
        Content::TunnelEndpoint { spec, owner } => Ok(network::tunnel_endpoint(spec, owner)),
        Content::NatMapping { .. } => network::nat_mapping(content),
        Content::IpamStorage { .. } => network::ipam_storage(content, object),
        Content::NamespaceMap { remote, owner } => Ok(namespaces::map(remote, owner, object)),
        Content::RemoteNamespace { origin, map, original } => {
            namespaces::remote(key, (origin, map), original, object)
        }
        Content::PeerBinding { user, role, managed_by } => {
            rights::peer_binding(key, user, (role, managed_by), object)
        }
        Content::KubeletAccount { remote } => Ok(rights::kubelet_account(remote)),
        Content::KubeletBinding { remote, tenant } => rights::kubelet_binding(key, remote, tenant, object),
        Content::VirtualKubelet { .. } => virtual_kubelet::deployment(key, content, settings, object),
        Content::VirtualNode { .. } => Err(Step::Nothing),
    }
}

/// Something that Liqo asks for and that another content has been planned for: a fault of this program.
fn misplaced() -> Step {
    Step::Park("the content does not fit; this is a fault of Liqo, please report it with the log".to_owned())
}

/// A moment that was set once stays as it is; one that is not wanted goes.
fn moment(wanted: Option<UnixMillis>, known: &Value) -> Value {
    match wanted {
        None => Value::Null,
        Some(_) if known.is_string() => known.clone(),
        Some(at) => json!(rfc3339_seconds(at)),
    }
}

/// An amount in thousandths of the unit, as Kubernetes spells it.
fn spelled(thousandths: u64) -> String {
    if thousandths.is_multiple_of(1000) {
        (thousandths / 1000).to_string()
    } else {
        format!("{thousandths}m")
    }
}

/// Amounts by name.
fn amounts(of: &BTreeMap<String, u64>) -> Value {
    of.iter()
        .map(|(name, amount)| (name.clone(), Value::from(spelled(*amount))))
        .collect::<Map<_, _>>()
        .into()
}

/// The spec that is there, with these fields in place of what it says of them; fields that are null go.
fn over(object: Option<&Value>, fields: Value) -> Value {
    let mut spec = object.and_then(|object| object["spec"].as_object().cloned()).unwrap_or_default();
    if let Value::Object(fields) = fields {
        spec.extend(fields);
    }
    spec.retain(|_, value| !value.is_null());
    spec.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_spelt_as_kubernetes_does() {
        let spelt = [(3200, "3200m"), (4000, "4"), (45_404_000_000_000, "45404000000"), (0, "0")];
        for (amount, expected) in spelt {
            assert_eq!(spelled(amount), expected);
        }
    }
}
