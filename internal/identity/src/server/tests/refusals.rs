//! What nobody gets an identity by, with the right token: nothing is made for it.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ED25519};

use super::*;

const OWN: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";
const OTHER: &str = "66666666-2222-4333-8444-555555555555";

/// A request for a certificate with this common name and these organizations.
fn subject(name: &str, organizations: &[&str]) -> String {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    for organization in organizations {
        parameters.distinguished_name.push(DnType::OrganizationName, *organization);
    }
    to_base64(parameters.serialize_request(&key).unwrap().pem().unwrap().as_bytes())
}

fn with_csr(csr_of: &str) -> String {
    request(ID, 7).replace(&csr(ID, 7), csr_of)
}

#[tokio::test]
async fn nobody_gets_rights_that_are_not_its_own() {
    let running = start_plain().await;
    let cases = [
        ("administrators", with_csr(&subject(ID, &["system:masters"]))),
        ("administrators as well", with_csr(&subject(ID, &["liqo.io", "system:masters"]))),
        ("a component", with_csr(&subject("system:kube-controller-manager", &["liqo.io"]))),
        ("no group", with_csr(&subject(ID, &[]))),
        ("another tenant", with_csr(&csr(OTHER, 7))),
        ("this cluster", request(OWN, 7)),
        ("a user that is no cluster", request("kubernetes-admin", 7)),
        ("a name with a path", request(ID, 7).replace("fiction", "../kube-system")),
        ("a certificate request that is none", with_csr("AAAA")),
    ];
    for (what, body) in cases {
        assert_eq!(apply(&running, &body).await.status, 403, "{what}");
    }
    for (what, body, status) in [
        ("no base64", with_csr("***"), 500),
        ("no JSON", "canary".to_owned(), 400),
        ("half of it", request(ID, 7)[..100].to_owned(), 400),
        ("nothing", String::new(), 400),
        ("too much", " ".repeat(64 * 1024 + 1), 413),
    ] {
        assert_eq!(apply(&running, &body).await.status, status, "{what}");
    }
    let kept = running.provider.kept();
    assert!(kept.tenants.is_empty() && kept.issued.is_empty() && kept.bound.is_empty());
    assert_eq!(kept.signed, 0);
}
