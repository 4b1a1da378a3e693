//! The Secret of a provider with the certificate that it issued to a consumer.

use std::collections::BTreeMap;

use liqo_api::labels::CLUSTER_ID;
use liqo_api::names::REMOTE_CERTIFICATE_SECRET;

use super::{SecretContent, owned};
use crate::Tenant;

const CSR: &str = "csr";
const CERTIFICATE: &str = "certificate";
/// Key in that Secret of the certificate whose key proved that this one may be issued.
pub const PROVEN_BY: &str = "proven-by";

/// A certificate that was issued, and the request that it answers. Neither is secret, and neither belongs in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate signing request, PEM.
    pub csr: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// The certificate, PEM, whose key proved that this one may be issued; empty when a token did. Until this one arrives its
    /// key is the one that the peer has.
    pub proven_by: String,
}

/// The Secret for it, in the tenant namespace.
pub fn issued_secret(tenant: &Tenant, issued: &Issued) -> SecretContent {
    SecretContent {
        namespace: tenant.namespace.clone(),
        name: REMOTE_CERTIFICATE_SECRET.to_owned(),
        generate_name: false,
        labels: owned([(CLUSTER_ID, tenant.cluster.id.as_str())]),
        annotations: BTreeMap::new(),
        data: [(CSR, &issued.csr), (CERTIFICATE, &issued.certificate), (PROVEN_BY, &issued.proven_by)]
            .into_iter()
            .filter(|(key, text)| *key != PROVEN_BY || !text.is_empty())
            .map(|(key, text)| (key.to_owned(), text.clone().into_bytes()))
            .collect(),
    }
}

/// Reads the data of such a Secret; what is missing is empty, so it answers no request.
pub fn read_issued(data: &BTreeMap<String, Vec<u8>>) -> Issued {
    let text =
        |key| data.get(key).and_then(|bytes| String::from_utf8(bytes.clone()).ok()).unwrap_or_default();
    Issued { csr: text(CSR), certificate: text(CERTIFICATE), proven_by: text(PROVEN_BY) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Cluster;

    #[test]
    fn it_is_kept_as_it_was_and_read_back() {
        let id = "11111111-2222-4333-8444-555555555555";
        let tenant = Tenant {
            cluster: Cluster { id: id.into(), name: "fiction".into() },
            namespace: "liqo-tenant-fiction-cf4c47".into(),
        };
        let issued = Issued {
            csr: "request".to_owned(),
            certificate: "certificate".to_owned(),
            proven_by: String::new(),
        };
        let content = issued_secret(&tenant, &issued);
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": "liqo-remote-certificate",
                "namespace": "liqo-tenant-fiction-cf4c47",
                "labels": {"discovery.liqo.io/cluster-id": id},
            },
            "data": {"csr": "cmVxdWVzdA==", "certificate": "Y2VydGlmaWNhdGU="},
        });
        assert_eq!(content.object(), expected);
        assert!(read_issued(&content.data) == issued);
        let renewed = Issued { proven_by: "earlier".to_owned(), ..issued };
        assert!(read_issued(&issued_secret(&tenant, &renewed).data) == renewed);
        assert!(read_issued(&BTreeMap::new()).csr.is_empty());
    }
}
