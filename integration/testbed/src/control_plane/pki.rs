//! The certificates of one cluster, in the places and with the identities that kubeadm gives them.
//!
//! Three authorities that trust nothing of each other: the cluster's, the front proxy's (aggregated API servers) and
//! etcd's. Validity is rcgen's widest, so tests may move clocks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::error::{Error, Result};
use crate::layout::write_secret;
use crate::model::{ClusterRecord, NodeName};

/// An identity that a certificate of the cluster's authority proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The file name, without its extension.
    pub file: String,
    /// The user name in Kubernetes.
    pub user: String,
    /// The group in Kubernetes.
    pub group: Option<String>,
    /// Names and addresses that it serves, none for a client.
    pub serves: Vec<San>,
}

/// A name or an address that a server certificate is valid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum San {
    Name(String),
    Address(Ipv4Addr),
}

impl Identity {
    pub(crate) fn client(file: &str, user: &str, group: Option<&str>) -> Self {
        Self { file: file.into(), user: user.into(), group: group.map(Into::into), serves: Vec::new() }
    }
}

/// The name of the certificate of a kubelet.
pub(crate) fn kubelet_file(node: &NodeName) -> String {
    format!("kubelet-{node}")
}

/// All identities of the cluster's authority.
pub(crate) fn identities(record: &ClusterRecord) -> Vec<Identity> {
    let spec = &record.spec;
    let addresses = record.addresses();
    let mut names: Vec<San> = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
        .map(|name| San::Name(name.into()))
        .into();
    names.push(San::Name("kubernetes.default.svc.cluster.local".into()));
    names.push(San::Name(spec.name.node(0).to_string()));
    names.extend([Ipv4Addr::LOCALHOST, addresses.node(0).address, addresses.api_server()].map(San::Address));
    names.extend(spec.kubernetes_address().map(San::Address));
    let mut all = vec![
        Identity { serves: names, ..Identity::client("apiserver", "kube-apiserver", None) },
        Identity::client("admin", "kubernetes-admin", Some("system:masters")),
        Identity::client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", None),
        Identity::client("controller-manager", "system:kube-controller-manager", None),
        Identity::client("scheduler", "system:kube-scheduler", None),
        Identity::client("kube-proxy", "system:kube-proxy", None),
        Identity::client("coredns", "system:coredns", None),
        Identity::client("load-balancer", "testbed:load-balancer", None),
        Identity::client("local-path-provisioner", "testbed:local-path-provisioner", None),
    ];
    for (ordinal, node) in spec.node_names().iter().enumerate() {
        all.push(Identity {
            serves: vec![San::Name(node.to_string()), San::Address(addresses.node(ordinal).address)],
            ..Identity::client(&kubelet_file(node), &format!("system:node:{node}"), Some("system:nodes"))
        });
    }
    all
}

/// Makes all keys and certificates in `directory`, which appears only when it is complete.
///
/// # Errors
/// [`Error::Certificate`], [`Error::File`].
pub(crate) fn create(record: &ClusterRecord, directory: &Path) -> Result<()> {
    if directory.exists() {
        return Ok(());
    }
    let temporary = directory.with_extension("new");
    let mut files = BTreeMap::new();
    let cluster = authority("ca", "kubernetes", &mut files)?;
    for identity in identities(record) {
        leaf(&cluster, &identity, &mut files)?;
    }
    let front = authority("front-proxy-ca", "front-proxy-ca", &mut files)?;
    leaf(&front, &Identity::client("front-proxy-client", "front-proxy-client", None), &mut files)?;
    let etcd = authority("etcd-ca", "etcd-ca", &mut files)?;
    let serves = vec![San::Name("localhost".into()), San::Address(Ipv4Addr::LOCALHOST)];
    leaf(&etcd, &Identity { serves, ..Identity::client("etcd-server", "etcd", None) }, &mut files)?;
    leaf(&etcd, &Identity::client("apiserver-etcd-client", "kube-apiserver-etcd-client", None), &mut files)?;
    let tokens = key("sa")?;
    files.insert("sa.key".into(), tokens.serialize_pem());
    files.insert("sa.pub".into(), tokens.public_key_pem());
    for (name, text) in &files {
        write_secret(&temporary.join(name), text)?;
    }
    std::fs::rename(&temporary, directory).map_err(Error::file("install", directory))
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn failed(name: &str) -> impl FnOnce(rcgen::Error) -> Error {
    let name = name.to_owned();
    move |source| Error::Certificate { name, source }
}

fn key(name: &str) -> Result<KeyPair> {
    KeyPair::generate().map_err(failed(name))
}

fn authority(file: &str, name: &str, files: &mut BTreeMap<String, String>) -> Result<Authority> {
    let mut parameters = CertificateParams::new(Vec::new()).map_err(failed(file))?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let authority = CertifiedIssuer::self_signed(parameters, key(file)?).map_err(failed(file))?;
    files.insert(format!("{file}.crt"), authority.pem());
    files.insert(format!("{file}.key"), authority.key().serialize_pem());
    Ok(authority)
}

fn leaf(authority: &Authority, identity: &Identity, files: &mut BTreeMap<String, String>) -> Result<()> {
    let file = &identity.file;
    let mut parameters = CertificateParams::new(Vec::new()).map_err(failed(file))?;
    parameters.distinguished_name.push(DnType::CommonName, identity.user.as_str());
    if let Some(group) = &identity.group {
        parameters.distinguished_name.push(DnType::OrganizationName, group.as_str());
    }
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if !identity.serves.is_empty() {
        parameters.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    for name in &identity.serves {
        parameters.subject_alt_names.push(match name {
            San::Name(name) => SanType::DnsName(name.as_str().try_into().map_err(failed(file))?),
            San::Address(address) => SanType::IpAddress(IpAddr::V4(*address)),
        });
    }
    parameters.use_authority_key_identifier_extension = true;
    let key = key(file)?;
    let certificate = parameters.signed_by(&key, authority).map_err(failed(file))?;
    files.insert(format!("{file}.crt"), certificate.pem());
    files.insert(format!("{file}.key"), key.serialize_pem());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterSpec, Network};

    fn record() -> ClusterRecord {
        let mut spec = ClusterSpec::new("rome".parse().unwrap());
        spec.nodes = 2;
        spec.behind_nat = true;
        ClusterRecord { spec, index: 1, network: Network::default() }
    }

    #[test]
    fn the_api_server_serves_its_service_and_both_sides_of_a_router() {
        let all = identities(&record());
        let serves = &all.iter().find(|i| i.file == "apiserver").unwrap().serves;
        for address in ["10.80.0.1", "172.30.1.1", "172.30.255.1", "127.0.0.1"] {
            assert!(serves.contains(&San::Address(address.parse().unwrap())), "{address}");
        }
    }

    #[test]
    fn only_the_administrator_is_a_master() {
        let masters = identities(&record())
            .into_iter()
            .filter(|i| i.group.as_deref() == Some("system:masters"))
            .map(|i| i.file)
            .collect::<Vec<_>>();
        assert_eq!(masters, ["admin"]);
    }

    #[test]
    fn certificates_appear_together_and_once() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("pki");
        create(&record(), &directory).unwrap();
        let before = std::fs::read(directory.join("admin.crt")).unwrap();
        create(&record(), &directory).unwrap();
        assert_eq!(std::fs::read(directory.join("admin.crt")).unwrap(), before);
        for file in
            ["ca.key", "sa.pub", "kubelet-rome-worker.crt", "etcd-server.key", "front-proxy-client.crt"]
        {
            assert!(directory.join(file).exists(), "{file}");
        }
    }
}
