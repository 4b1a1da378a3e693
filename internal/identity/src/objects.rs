//! The objects in which identities are kept and asked for, as Liqo 0.8.3 writes them.

mod identity;
mod issued;
mod one_time_token;
mod peer_token;
mod signing;

use std::collections::BTreeMap;

pub use identity::{IdentityFacts, RENEWABLE, identity_key, identity_secret, is_renewal_due, read_identity};
pub use issued::{Issued, PROVEN_BY, issued_secret, read_issued};
use liqo_model::NamespaceName;
pub(crate) use one_time_token::one_time_token_name;
pub use one_time_token::{
    ONE_TIME_TOKEN, OneTimeToken, bound_to, one_time_token, read_one_time_token, spent,
};
pub use peer_token::peer_token_secret;
use serde_json::{Value, json};
pub use signing::{approval, basic_binding, signing_request};

use crate::wire::to_base64;

/// What a Secret is to hold. It cannot be printed.
#[derive(Clone)]
pub struct SecretContent {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// Its name, or the beginning of it when the API server is to make the rest.
    pub name: String,
    /// Whether the API server makes the rest of the name.
    pub generate_name: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its data, not yet in base64.
    pub data: BTreeMap<String, Vec<u8>>,
}

impl SecretContent {
    /// The object to be sent to an API server. It holds the secret: it goes nowhere else.
    pub fn object(&self) -> Value {
        let data: BTreeMap<&String, String> =
            self.data.iter().map(|(key, bytes)| (key, to_base64(bytes))).collect();
        let name = if self.generate_name { "generateName" } else { "name" };
        let mut metadata =
            json!({name: self.name, "namespace": self.namespace.as_str(), "labels": self.labels});
        if !self.annotations.is_empty() {
            metadata["annotations"] = json!(self.annotations);
        }
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data})
    }
}

/// What an object holds under names, in the form that its struct wants.
fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}
