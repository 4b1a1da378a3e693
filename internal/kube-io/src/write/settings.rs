//! What is written and is the same for every command: how the process was configured.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::reflect::Reflections;

/// What commands are carried out with, beside what they say.
#[derive(Clone, Debug, Default)]
pub struct WriterSettings {
    /// Of virtual kubelets, whose Deployments a controller manager makes.
    pub virtual_kubelet: VirtualKubeletSettings,
    /// Of a virtual kubelet, which makes copies.
    pub reflections: Arc<Reflections>,
}

/// What the Deployment of a virtual kubelet has in every cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualKubeletSettings {
    /// Its image; without one no Deployment is made.
    pub image: String,
    /// Arguments after those that name the two clusters.
    pub extra_args: Vec<String>,
    /// Environment beside the pod's own name, uid, address and namespace.
    pub env: Vec<(String, String)>,
}

/// Changes with what [`VirtualKubeletSettings`] are written as, so that a new program changes what an older one made.
const FORM: &str = "1";

impl VirtualKubeletSettings {
    /// Tells apart what Deployments are made with: the same for the same settings, whatever process makes them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let env = self.env.iter().flat_map(|(name, value)| [name, value]);
        let parts = [FORM, &self.image].into_iter().chain(self.extra_args.iter().map(String::as_str));
        for part in parts.chain([""]).chain(env.map(String::as_str)) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deployments_are_made_with_is_told_apart() {
        let settings = |image: &str, args: &[&str]| VirtualKubeletSettings {
            image: image.to_owned(),
            extra_args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
        };
        let all = [settings("a", &[]), settings("b", &[]), settings("a", &["b"]), settings("a", &["b", ""])];
        for (place, one) in all.iter().enumerate() {
            for (other_place, other) in all.iter().enumerate() {
                assert_eq!(
                    one.fingerprint() == other.fingerprint(),
                    place == other_place,
                    "{one:?} {other:?}"
                );
            }
        }
        let with_env =
            VirtualKubeletSettings { env: vec![("b".to_owned(), String::new())], ..settings("a", &[]) };
        assert_ne!(with_env.fingerprint(), settings("a", &["b", ""]).fingerprint());
    }
}
