//! What a provider answers, as Liqo 0.8.3 writes it. Nothing in it is believed unchecked.

use std::time::Duration;

use http::StatusCode;
use liqo_events::UnixMillis;
use liqo_model::{ClusterId, ClusterName, NamespaceName, check_dns_label};
use serde::Deserialize;

use super::EnrolError;
use crate::address::with_scheme;
use crate::token::Token;
use crate::wire::{Ids, TOKEN_EXPIRED, TOKEN_USED, from_base64};
use crate::{Cluster, PrivateKey, Secret, certificate, pem_block};

/// Characters of what a provider says that are shown.
const LONGEST_MESSAGE: usize = 300;
/// Longest time that a provider can ask to be left alone for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
const HIDDEN: &str = "<hidden>";

/// An identity of this cluster at a provider. It cannot be printed.
#[derive(Clone)]
pub struct Identity {
    /// The tenant namespace in the provider.
    pub namespace: NamespaceName,
    /// The client certificate, PEM.
    pub certificate: String,
    /// When the certificate ends.
    pub not_after: UnixMillis,
    /// URL of the provider's API server.
    pub api_server_url: String,
    /// Certificates of its authority, PEM; nothing when everybody trusts them anyway.
    pub api_server_ca: Option<String>,
    /// The private key, PEM.
    pub private_key: Secret,
    /// Whether the provider renews it for who has the key.
    pub renewable: bool,
}

/// What came back.
pub(super) struct Answer {
    /// Host and port of the one who answered.
    pub(super) endpoint: String,
    pub(super) status: StatusCode,
    /// `Retry-After`, as it was sent.
    pub(super) retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Who the provider is.
    pub(super) fn into_cluster(self) -> Result<Cluster, EnrolError> {
        if self.status != StatusCode::OK {
            return Err(self.refusal(&[]));
        }
        let ids: Ids =
            serde_json::from_slice(&self.body).map_err(|_| self.unusable("it is no JSON with clusterId"))?;
        let label = |text: &str| check_dns_label("", text);
        label(&ids.cluster_id).map_err(|_| self.unusable("clusterId is no DNS label"))?;
        if !ids.cluster_name.is_empty() {
            label(&ids.cluster_name).map_err(|_| self.unusable("clusterName is no DNS label"))?;
        }
        Ok(Cluster { id: ClusterId::new(ids.cluster_id), name: ClusterName::new(ids.cluster_name) })
    }

    /// The identity that the provider gives for a key. `sent` are the tokens that it was sent.
    pub(super) fn into_identity(self, key: &PrivateKey, sent: &[&Secret]) -> Result<Identity, EnrolError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            namespace: String,
            #[serde(default)]
            certificate: String,
            api_server_url: String,
            #[serde(default, rename = "apiServerCA")]
            api_server_ca: String,
            #[serde(default)]
            renewable: bool,
        }
        if !matches!(self.status, StatusCode::CREATED | StatusCode::ACCEPTED) {
            return Err(self.refusal(sent));
        }
        let body: Body = serde_json::from_slice(&self.body)
            .map_err(|_| self.unusable("it is no JSON with an identity"))?;
        check_dns_label("", &body.namespace).map_err(|_| self.unusable("namespace is no DNS label"))?;
        if body.certificate.is_empty() {
            return Err(self.unusable("there is no certificate in it, which only clusters on EKS leave out"));
        }
        let certificate = text(&body.certificate).ok_or_else(|| self.unusable("certificate is no base64"))?;
        let facts = certificate::read(certificate.as_bytes())
            .ok_or_else(|| self.unusable("certificate is no certificate in PEM"))?;
        if facts.public_key != key.public_key() {
            return Err(self.unusable("the certificate is for another key"));
        }
        let api_server_url = with_scheme(&body.api_server_url);
        if api_server_url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::is_empty))
            != Some(false)
        {
            return Err(self.unusable("apiServerUrl is no URL"));
        }
        Ok(Identity {
            namespace: NamespaceName::new(body.namespace.as_str()),
            certificate,
            not_after: facts.not_after,
            api_server_url,
            api_server_ca: self.ca(&body.api_server_ca)?,
            private_key: key.pem(),
            renewable: body.renewable,
        })
    }

    fn ca(&self, encoded: &str) -> Result<Option<String>, EnrolError> {
        if encoded.is_empty() {
            return Ok(None);
        }
        let wrong = || self.unusable("apiServerCA is no certificate in PEM");
        let pem = text(encoded).ok_or_else(wrong)?;
        pem_block::first(certificate::LABEL, pem.as_bytes()).ok_or_else(wrong)?;
        Ok(Some(pem))
    }

    fn unusable(&self, reason: &'static str) -> EnrolError {
        EnrolError::Answer { endpoint: self.endpoint.clone(), reason }
    }

    fn refusal(&self, sent: &[&Secret]) -> EnrolError {
        let (endpoint, status) = (self.endpoint.clone(), self.status.as_u16());
        let message = message(&self.body, sent);
        match self.status {
            StatusCode::UNAUTHORIZED => {
                EnrolError::Denied { endpoint, status, message: of_token(&message).to_owned() }
            }
            StatusCode::FORBIDDEN => EnrolError::Denied { endpoint, status, message },
            _ => {
                let seconds = self.retry_after.as_deref().and_then(|text| text.trim().parse().ok());
                let retry_after = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
                EnrolError::Status { endpoint, status, message, retry_after }
            }
        }
    }
}

/// What is said of a token that was not accepted: Liqo 0.8.3 sends the token back, so only what we say ourselves is shown.
fn of_token(message: &str) -> &'static str {
    [TOKEN_EXPIRED, TOKEN_USED]
        .into_iter()
        .find(|ours| *ours == message)
        .unwrap_or("the token is not accepted")
}

/// What a provider says, in one line, without what it was sent.
fn message(body: &[u8], sent: &[&Secret]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in sent.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.expose(), HIDDEN);
        // Who compares the part before the pin may say it alone.
        if let Some(Token { secret, pin: Some(_) }) = Token::parse(secret) {
            text = text.replace(secret.expose(), HIDDEN);
        }
    }
    let line = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    line.take(LONGEST_MESSAGE).collect()
}

fn text(encoded: &str) -> Option<String> {
    from_base64(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}
