//! The JSON of the protocol, as Liqo 0.8.3 writes it: names and order of the keys.
//!
//! Source: recordings of its requests and answers, trimmed under `fixtures/`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_model::{ClusterId, ClusterName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::{Cluster, Secret};

/// Path that says who a cluster is.
pub(crate) const IDS_PATH: &str = "/ids";
/// Path that a certificate is asked for at.
pub(crate) const CERTIFICATE_PATH: &str = "/identity/certificate";

/// What is said of a token whose time is over.
pub(crate) const TOKEN_EXPIRED: &str =
    "the token has expired: `liqoctl generate peer-command` in the cluster that was asked prints another one";
/// What is said of a token that was used.
pub(crate) const TOKEN_USED: &str = "the token was used already: `liqoctl generate peer-command` in the cluster that was asked prints another one";

/// Answer of [`IDS_PATH`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ids {
    pub(crate) cluster_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) cluster_name: String,
}

/// Answer of [`CERTIFICATE_PATH`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertificateAnswer {
    pub(crate) namespace: String,
    /// Base64 of PEM.
    pub(crate) certificate: String,
    pub(crate) api_server_url: String,
    /// Base64 of PEM; missing when everybody trusts the authority anyway.
    #[serde(rename = "apiServerCA", skip_serializing_if = "Option::is_none")]
    pub(crate) api_server_ca: Option<String>,
    /// Always there, also when it says nothing.
    pub(crate) aws: NoAws,
    /// That the certificate can be renewed, for who said that it renews.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) renewable: bool,
}

/// What an answer of another kind of API server would hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct NoAws {
    #[serde(rename = "accessKeyID")]
    access_key_id: &'static str,
    #[serde(rename = "secretAccessKey")]
    secret_access_key: &'static str,
    region: &'static str,
    #[serde(rename = "eksClusterID")]
    eks_cluster_id: &'static str,
    #[serde(rename = "iamUserArn")]
    iam_user_arn: &'static str,
}

/// A request for a certificate as it was sent: nothing in it is checked.
pub(crate) struct CertificateRequest {
    /// Who asks.
    pub(crate) cluster: Cluster,
    /// A token for the cluster that asks, if it gives one.
    pub(crate) origin_token: Secret,
    /// The token for the cluster that is asked.
    pub(crate) destination_token: Secret,
    /// Base64 of PEM.
    pub(crate) signing_request: String,
    /// Base64 of the proof that the one who asks has the key of the certificate that it has; empty when it gives none, as
    /// Liqo 0.8.3 never does.
    pub(crate) renewal_proof: String,
    /// Whether the one who asks renews its certificate before it ends.
    pub(crate) renews: bool,
}

/// Why a text is no request. The texts show where, never what.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum NoRequest {
    #[error("unexpected end of JSON input")]
    End,
    #[error("invalid JSON in line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("the request must be a JSON object")]
    Shape,
    #[error("{field} must be {expected}")]
    Field { field: &'static str, expected: &'static str },
}

impl CertificateRequest {
    /// Reads a request. Keys that are missing or null count as empty, unknown ones are passed over.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, NoRequest> {
        let value: Value = serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => NoRequest::End,
            _ => NoRequest::Syntax { line: error.line(), column: error.column() },
        })?;
        let Value::Object(mut fields) = value else { return Err(NoRequest::Shape) };
        let mut cluster = match fields.remove("cluster") {
            None | Some(Value::Null) => serde_json::Map::new(),
            Some(Value::Object(cluster)) => cluster,
            Some(_) => return Err(NoRequest::Field { field: "cluster", expected: "an object" }),
        };
        Ok(Self {
            cluster: Cluster {
                id: ClusterId::new(text(&mut cluster, "clusterID")?),
                name: ClusterName::new(text(&mut cluster, "clusterName")?),
            },
            origin_token: Secret::new(text(&mut fields, "originClusterToken")?),
            destination_token: Secret::new(text(&mut fields, "destinationClusterToken")?),
            signing_request: text(&mut fields, "certificateSigningRequest")?,
            renewal_proof: text(&mut fields, "renewalProof")?,
            renews: fields.remove("renews") == Some(Value::Bool(true)),
        })
    }

    /// The request as it is sent. It holds the tokens.
    pub(crate) fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent<'a> {
            cluster: SentCluster<'a>,
            #[serde(skip_serializing_if = "str::is_empty")]
            origin_cluster_token: &'a str,
            destination_cluster_token: &'a str,
            certificate_signing_request: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            renewal_proof: &'a str,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            renews: bool,
        }
        #[derive(Serialize)]
        struct SentCluster<'a> {
            #[serde(rename = "clusterID")]
            id: &'a str,
            #[serde(rename = "clusterName")]
            name: &'a str,
        }
        serde_json::to_vec(&Sent {
            cluster: SentCluster { id: self.cluster.id.as_str(), name: self.cluster.name.as_str() },
            origin_cluster_token: self.origin_token.expose(),
            destination_cluster_token: self.destination_token.expose(),
            certificate_signing_request: &self.signing_request,
            renewal_proof: &self.renewal_proof,
            renews: self.renews,
        })
    }
}

fn text(fields: &mut serde_json::Map<String, Value>, field: &'static str) -> Result<String, NoRequest> {
    match fields.remove(field) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(NoRequest::Field { field, expected: "a string" }),
    }
}

/// Base64 with padding, line breaks passed over as Go does; or where it goes wrong.
pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>, usize> {
    let plain: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    STANDARD.decode(&plain).map_err(|error| match error {
        base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
        base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => plain.len(),
    })
}

/// Base64 with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str) -> Option<NoRequest> {
        CertificateRequest::parse(body.as_bytes()).err()
    }

    #[test]
    fn a_request_is_written_in_the_order_of_go_and_read_again() {
        let request = CertificateRequest {
            cluster: Cluster { id: "i".into(), name: "n".into() },
            origin_token: Secret::new("o"),
            destination_token: Secret::new("d"),
            signing_request: "c".to_owned(),
            renewal_proof: String::new(),
            renews: false,
        };
        let body = request.body().unwrap();
        let expected = r#"{"cluster":{"clusterID":"i","clusterName":"n"},"originClusterToken":"o","destinationClusterToken":"d","certificateSigningRequest":"c"}"#;
        assert_eq!(String::from_utf8(body.clone()).unwrap(), expected);
        let read = CertificateRequest::parse(&body).unwrap_or_else(|_| panic!("a request"));
        assert_eq!(read.cluster, request.cluster);
        assert_eq!(read.origin_token.expose(), "o");
        assert_eq!(read.destination_token.expose(), "d");
        assert_eq!(read.signing_request, "c");
        let renewal = CertificateRequest { renewal_proof: "p".to_owned(), renews: true, ..request };
        let body = renewal.body().unwrap();
        let longer = expected.replace("\"c\"}", "\"c\",\"renewalProof\":\"p\",\"renews\":true}");
        assert_eq!(String::from_utf8(body.clone()).unwrap(), longer);
        let read = CertificateRequest::parse(&body).unwrap_or_else(|_| panic!("a request"));
        assert_eq!((read.renewal_proof.as_str(), read.renews), ("p", true));
    }

    #[test]
    fn what_is_missing_counts_as_empty() {
        for body in ["{}", r#"{"cluster":null,"certificateSigningRequest":null,"later":[1]}"#] {
            let read = CertificateRequest::parse(body.as_bytes()).unwrap_or_else(|_| panic!("{body}"));
            assert_eq!(read.cluster, Cluster::default());
            assert!(read.origin_token.is_empty() && read.destination_token.is_empty());
        }
    }

    #[test]
    fn what_is_no_request_is_told_without_showing_it() {
        assert_eq!(fault(""), Some(NoRequest::End));
        assert_eq!(fault(r#"{"cluster":{"clusterID":"1"#), Some(NoRequest::End));
        assert_eq!(fault("this"), Some(NoRequest::Syntax { line: 1, column: 2 }));
        assert_eq!(fault("[]"), Some(NoRequest::Shape));
        assert_eq!(
            fault(r#"{"cluster":"x"}"#),
            Some(NoRequest::Field { field: "cluster", expected: "an object" })
        );
        let wrong = fault(r#"{"destinationClusterToken":["canary"]}"#).unwrap();
        assert_eq!(wrong.to_string(), "destinationClusterToken must be a string");
    }

    #[test]
    fn base64_says_where_it_is_wrong() {
        assert_eq!(from_base64("aGk="), Ok(b"hi".to_vec()));
        assert_eq!(from_base64("aG\r\nk=\n"), Ok(b"hi".to_vec()));
        assert_eq!(from_base64("%%%not base64%%%"), Err(0));
        assert_eq!(from_base64("aGk"), Err(3));
    }
}
