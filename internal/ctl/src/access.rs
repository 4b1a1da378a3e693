//! Which cluster is meant, and as whom, said as kubectl says it.

mod credential;
mod kubeconfig;
mod proxy;

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use liqo_identity::Secret;

pub(crate) use credential::trouble;
use kubeconfig::{Found, found, overridden, with_user};

use crate::{CtlError, duration};

/// Flags that choose a cluster. They may stand before and behind the verb. Those that few people need are shown by `--help`
/// and not by `-h`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Access {
    /// Kubeconfig to use instead of the usual one
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use instead of the current one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Cluster of the kubeconfig to use instead of the context's
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// User of the kubeconfig to be instead of the context's
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// URL of the API server
    #[arg(short, long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, global = true, value_name = "TOKEN", hide_short_help = true)]
    pub(crate) token: Option<Bearer>,
    /// User to act as
    #[arg(long = "as", global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) impersonate: Option<String>,
    /// Group to act as a member of; may be repeated
    #[arg(long = "as-group", global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) impersonate_groups: Vec<String>,
    /// UID to act as
    #[arg(long = "as-uid", global = true, value_name = "UID", hide_short_help = true)]
    pub(crate) impersonate_uid: Option<String>,
    /// File with the certificate of the authority that the API server's certificate is of
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) certificate_authority: Option<String>,
    /// File with a client certificate
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) client_certificate: Option<String>,
    /// File with the key of the client certificate
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) client_key: Option<String>,
    /// Accept any certificate of the API server: whoever is on the way can read and change everything
    #[arg(long, global = true, conflicts_with = "certificate_authority", hide_short_help = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// Name that the API server's certificate has to be for
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) tls_server_name: Option<String>,
    /// How long to wait for one answer of the API server, such as 5s; 0 for as long as it takes
    #[arg(long, global = true, value_name = "DURATION", hide_short_help = true, value_parser = duration::parse_or_seconds)]
    pub(crate) request_timeout: Option<Duration>,
    /// Taken for the sake of kubectl's users; nothing is cached
    #[arg(long = "cache-dir", global = true, value_name = "DIRECTORY", hide = true)]
    pub(crate) _cache_dir: Option<PathBuf>,
    /// Taken for the sake of kubectl's users; answers are never compressed
    #[arg(long = "disable-compression", global = true, hide = true)]
    pub(crate) _disable_compression: bool,
}

impl Access {
    /// A client of the cluster: of the files in the environment variable `KUBECONFIG` when none is given, else of
    /// `~/.kube/config`, else of the cluster that this runs in.
    pub(crate) async fn client(&self) -> Result<Client, CtlError> {
        let mut config = self.config().await?;
        proxy::settled(&mut config)?;
        let plugin = config.auth_info.exec.clone();
        Client::try_from(config).map_err(|source| match trouble(&source) {
            Some(said) => credential::failed(plugin.as_ref(), said),
            None => refused(source),
        })
    }

    /// How long one answer may take.
    pub(crate) fn limit(&self) -> Option<Duration> {
        self.request_timeout.filter(|limit| !limit.is_zero())
    }

    /// The kubeconfig as it is in files, for completions.
    pub(crate) fn kubeconfig(&self) -> Option<Kubeconfig> {
        match self.found() {
            Ok(Found::Read(kubeconfig)) => Some(*kubeconfig),
            Ok(Found::Nowhere(_)) | Err(_) => None,
        }
    }

    fn found(&self) -> Result<Found, KubeconfigError> {
        let listed = std::env::var_os("KUBECONFIG");
        let home = std::env::home_dir();
        found(self.kubeconfig.as_deref(), listed.as_deref(), home.as_deref())
    }

    async fn config(&self) -> Result<Config, CtlError> {
        let kubeconfig = match self.found() {
            Ok(Found::Read(kubeconfig)) => kubeconfig,
            Ok(Found::Nowhere(_)) if self.server.is_some() => Box::default(),
            Ok(Found::Nowhere(looked)) => return self.of_this_pod(&looked),
            Err(source) => return Err(refused(source)),
        };
        let chosen = overridden(*kubeconfig, self)?;
        Config::from_custom_kubeconfig(chosen, &KubeConfigOptions::default()).await.map_err(refused)
    }

    /// The cluster that this runs in.
    fn of_this_pod(&self, looked: &[PathBuf]) -> Result<Config, CtlError> {
        let mut config = Config::incluster().map_err(|_| kubeconfig::nowhere(looked))?;
        with_user(&mut config.auth_info, self);
        Ok(config)
    }
}

fn refused(source: impl Error + Send + Sync + 'static) -> CtlError {
    CtlError::Kubeconfig { source: Box::new(source) }
}

/// A token for the API server, which nothing shows.
#[derive(Clone)]
pub(crate) struct Bearer(Secret);

impl Bearer {
    /// The text, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Bearer(…)")
    }
}

impl FromStr for Bearer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Err("it is empty") } else { Ok(Self(Secret::new(text))) }
    }
}

/// Where Liqo is.
#[derive(Clone, Debug, Args)]
pub(crate) struct Installed {
    /// Namespace that Liqo is installed in
    #[arg(short, long, global = true, value_name = "NAMESPACE", default_value = "liqo")]
    pub(crate) namespace: String,
}
