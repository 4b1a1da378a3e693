//! The key of the digests in the log, and the configuration of the client that reads it.

use std::collections::BTreeMap;
use std::path::Path;

use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use liqo_api::names::LOG_KEY_SECRET;
use rand::TryRng as _;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::secret::secret_or_create;
use crate::{ApiServer, BackOff, Chance, DigestKey, Error};

/// Key in the Secret.
const KEY: &str = "key";
/// As long as the digest's hash.
const KEY_BYTES: usize = 32;

/// The configuration of a kubeconfig, or that of the pod's service account.
///
/// # Errors
///
/// [`Error::Kubeconfig`] when the file cannot be used, [`Error::NotInCluster`] without a file and outside of a pod.
pub(crate) async fn config(kubeconfig: Option<&Path>) -> Result<Config, Error> {
    let Some(path) = kubeconfig else {
        return Config::incluster().map_err(|source| Error::NotInCluster { source: Box::new(source) });
    };
    let unusable = |source| Error::Kubeconfig { path: path.display().to_string(), source: Box::new(source) };
    let file = Kubeconfig::read_from(path).map_err(unusable)?;
    Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(unusable)
}

/// Random bytes from the system.
///
/// # Errors
///
/// [`Error::Entropy`].
pub fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::Entropy { reason: error.to_string() })?;
    Ok(bytes)
}

/// The key of the digests, made when there is none. Waits for an API server that is away.
///
/// # Errors
///
/// [`Error::DigestKey`] when the key that is there cannot be used, [`Error::Entropy`].
pub async fn digest_key(server: &ApiServer, namespace: &str, mut chance: Chance) -> Result<DigestKey, Error> {
    let fresh: [u8; KEY_BYTES] = random_bytes()?;
    let (began, mut back_off) = (Instant::now(), BackOff::default());
    loop {
        let made = || BTreeMap::from([(KEY.to_owned(), fresh.to_vec())]);
        match secret_or_create(server, namespace, LOG_KEY_SECRET, made).await {
            Ok(data) => return DigestKey::new(data.get(KEY).unwrap_or_default()),
            Err(refusal) => {
                warn!(secret = LOG_KEY_SECRET, namespace, %refusal, waited = ?began.elapsed(), "waiting for the key of the log");
                sleep(back_off.next(&mut chance)).await;
            }
        }
    }
}
