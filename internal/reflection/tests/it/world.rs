//! Two clusters with the same networks, of which each sees the other's remapped; and recorded objects.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use liqo_model::{ClusterId, NamespaceName};
use liqo_reflection::{
    AddressTranslation, ApiServerSupport, Cluster, Context, Forged, HomeApiServer, Tenant,
    TranslationUnavailable,
};
use serde_json::Value;

pub(crate) const ROME: &str = "7f081ef5-ce34-40d7-94fc-46a331394d56";
pub(crate) const MILAN: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";

/// What a virtual kubelet of rome knows of milan.
pub(crate) struct World {
    pub(crate) home: Cluster,
    pub(crate) remote: Cluster,
    pub(crate) namespace: NamespaceName,
    pub(crate) node_ip: IpAddr,
    pub(crate) addresses: Option<Remapped>,
    pub(crate) api_server: ApiServerSupport,
    pub(crate) skipped_services: BTreeSet<String>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            home: Cluster { id: ROME.into(), name: "rome".into() },
            remote: Cluster { id: MILAN.into(), name: "milan".into() },
            namespace: "demo-rome-03c9e0".into(),
            node_ip: Ipv4Addr::new(10, 200, 0, 176).into(),
            addresses: Some(Remapped { is_known: true }),
            api_server: ApiServerSupport::Disabled,
            skipped_services: BTreeSet::new(),
        }
    }
}

impl World {
    /// In which remote pods may talk to the API server of home, as in the recorded clusters.
    pub(crate) fn with_tokens() -> Self {
        let server = HomeApiServer::service(Ipv4Addr::new(10, 82, 0, 2).into(), 443);
        Self { api_server: ApiServerSupport::TokenApi(server), ..Self::default() }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            home: &self.home,
            remote: &self.remote,
            virtual_node: "liqo-milan",
            remote_namespace: &self.namespace,
            node_ip: self.node_ip,
            addresses: self.addresses.as_ref().map(|addresses| addresses as &dyn AddressTranslation),
            api_server: &self.api_server,
            skipped_services: &self.skipped_services,
        }
    }
}

/// What milan knows of rome.
pub(crate) fn tenant(rome: &ClusterId) -> Tenant<'_> {
    Tenant { consumer: rome, is_reachable: true, networks: None }
}

/// Pods of both clusters are in 10.200.0.0/16, and each sees those of the other one in 10.201.0.0/16.
#[derive(Clone, Copy)]
pub(crate) struct Remapped {
    pub(crate) is_known: bool,
}

impl Remapped {
    fn translate(self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        if !self.is_known {
            return Err(TranslationUnavailable);
        }
        Ok(match address {
            IpAddr::V4(v4) => match v4.octets() {
                [10, 200, c, d] => Some(Ipv4Addr::new(10, 201, c, d).into()),
                _ => None,
            },
            IpAddr::V6(_) => None,
        })
    }
}

impl AddressTranslation for Remapped {
    fn to_remote(&self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        self.translate(address)
    }

    fn to_home(&self, address: IpAddr) -> Result<Option<IpAddr>, TranslationUnavailable> {
        self.translate(address)
    }
}

/// A file of recorded objects.
pub(crate) fn recorded(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(file);
    serde_saphyr::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("YAML")
}

/// The recorded case of that name.
pub(crate) fn case(file: &str, name: &str) -> Value {
    let cases = recorded(file);
    let found = cases.as_array().unwrap().iter().find(|case| case["name"] == name);
    found.unwrap_or_else(|| panic!("{file} has no case {name}")).clone()
}

/// The body of what was forged.
#[track_caller]
pub(crate) fn body(forged: Forged) -> Value {
    match forged {
        Forged::Object(body) => body,
        other => panic!("{other:?} is no object"),
    }
}
