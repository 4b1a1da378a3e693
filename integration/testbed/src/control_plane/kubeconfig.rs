//! Kubeconfig files: the administrator's for the machine, one a component for the nodes.

use std::path::Path;

use base64::Engine as _;
use serde_json::json;

use crate::error::{Error, Result};

/// A kubeconfig that carries its certificates within itself.
///
/// # Errors
/// [`Error::File`] when a certificate is missing in `pki`.
pub(crate) fn embedded(pki: &Path, cluster: &str, server: &str, identity: &str) -> Result<String> {
    let data = |file: String| {
        let path = pki.join(file);
        let bytes = std::fs::read(&path).map_err(Error::file("read", &path))?;
        Ok::<_, Error>(base64::engine::general_purpose::STANDARD.encode(bytes))
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "clusters": [{
            "name": cluster,
            "cluster": {"server": server, "certificate-authority-data": data("ca.crt".into())?},
        }],
        "users": [{
            "name": format!("{cluster}-{identity}"),
            "user": {
                "client-certificate-data": data(format!("{identity}.crt"))?,
                "client-key-data": data(format!("{identity}.key"))?,
            },
        }],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": format!("{cluster}-{identity}")}}],
    });
    Ok(format!("{config:#}\n"))
}
