//! Requests that Go made, with keys of three kinds, and what may not be signed.

use proptest::prelude::*;
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, PKCS_ED25519};

use super::*;

const ID: &str = "11111111-2222-4333-8444-555555555555";
const ED25519: &str = include_str!("../../fixtures/go-ed25519.csr.pem");

fn check(pem: &str) -> Result<Csr, CsrFault> {
    Csr::check(pem.as_bytes(), &ID.into())
}

#[test]
fn requests_of_go_are_accepted_and_written_as_they_were() {
    let ecdsa = include_str!("../../fixtures/go-ecdsa.csr.pem");
    let rsa = include_str!("../../fixtures/go-rsa.csr.pem");
    for pem in [ED25519, ecdsa, rsa] {
        assert_eq!(check(pem).unwrap().pem(), pem);
        assert!(check(pem).unwrap().is(pem));
    }
    assert!(!check(rsa).unwrap().is(ecdsa));
}

#[test]
fn other_subjects_and_additions_are_refused() {
    let cases = [
        (include_str!("../../fixtures/go-component.csr.pem"), CsrFault::Subject),
        (include_str!("../../fixtures/go-two-organizations.csr.pem"), CsrFault::Subject),
        (include_str!("../../fixtures/go-rsa-other-organization.csr.pem"), CsrFault::Subject),
        (include_str!("../../fixtures/go-dns-name.csr.pem"), CsrFault::Attributes),
        (include_str!("../../fixtures/go-rsa-1024.csr.pem"), CsrFault::Signature),
        ("not a pem", CsrFault::Pem),
        ("", CsrFault::Pem),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", CsrFault::Pem),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", CsrFault::Der),
        (&format!("{ED25519}{ED25519}"), CsrFault::Pem),
    ];
    for (pem, fault) in cases {
        assert_eq!(check(pem), Err(fault), "{pem}");
    }
    let other: ClusterId = ID.replace('5', "6").as_str().into();
    assert_eq!(Csr::check(ED25519.as_bytes(), &other), Err(CsrFault::Subject));
}

fn request(name: &[(DnType, DnValue)]) -> String {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    for (kind, value) in name {
        parameters.distinguished_name.push(kind.clone(), value.clone());
    }
    parameters.serialize_request(&key).unwrap().pem().unwrap()
}

#[test]
fn the_subject_may_have_either_order_and_type_of_text() {
    let utf8 = |text: &str| DnValue::Utf8String(text.to_owned());
    let name = (DnType::CommonName, utf8(ID));
    let organization = (DnType::OrganizationName, utf8("liqo.io"));
    assert!(check(&request(&[name.clone(), organization.clone()])).is_ok());
    assert!(check(&request(&[organization.clone(), name.clone()])).is_ok());
    assert_eq!(check(&request(std::slice::from_ref(&name))), Err(CsrFault::Subject));
    assert_eq!(check(&request(std::slice::from_ref(&organization))), Err(CsrFault::Subject));
    let unit = (DnType::OrganizationalUnitName, utf8("x"));
    assert_eq!(check(&request(&[name, organization.clone(), unit])), Err(CsrFault::Subject));
    // Two parsers may read the letters of other types of text in two ways.
    let bmp = DnValue::BmpString(ID.try_into().unwrap());
    assert_eq!(check(&request(&[organization, (DnType::CommonName, bmp)])), Err(CsrFault::Subject));
}

#[test]
fn what_follows_the_request_or_hides_it_is_refused() {
    let der = pem_block::only(LABEL, ED25519.as_bytes()).unwrap();
    let longer = pem_block::encode(LABEL, &[der.as_slice(), &[0x05, 0x00]].concat());
    assert_eq!(check(&longer), Err(CsrFault::Der));
    let long = pem_block::encode(LABEL, &[der.as_slice(), &[0; LONGEST]].concat());
    assert_eq!(check(&long), Err(CsrFault::Length));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Csr::check(&bytes, &ID.into());
        prop_assert!(check(&pem_block::encode(LABEL, &bytes)).is_err());
    }
}

#[test]
fn a_request_with_one_other_bit_is_refused() {
    let der = pem_block::only(LABEL, ED25519.as_bytes()).unwrap();
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut other = der.clone();
            other[at] ^= 1 << bit;
            assert!(check(&pem_block::encode(LABEL, &other)).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn lengths_are_written_in_der() {
    assert_eq!(tlv(0x30, &[]), [0x30, 0]);
    assert_eq!(tlv(0x30, &[&[1; 0x7f]])[..2], [0x30, 0x7f]);
    assert_eq!(tlv(0x30, &[&[1; 0x80]])[..3], [0x30, 0x81, 0x80]);
    assert_eq!(tlv(0x30, &[&[1; 0x100]])[..4], [0x30, 0x82, 0x01, 0x00]);
}
