//! Which cluster is meant, said as kubectl says it.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::CtlError;

/// Flags that choose a cluster. They may stand before and behind the verb.
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
}

impl Access {
    /// A client of the cluster: of the files in the environment variable `KUBECONFIG` when none is given, else of
    /// `~/.kube/config`, else of the cluster that this runs in.
    pub(crate) async fn client(&self) -> Result<Client, CtlError> {
        fn refused(source: impl Error + Send + Sync + 'static) -> CtlError {
            CtlError::Kubeconfig { source: Box::new(source) }
        }
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        let chosen = options.context.is_some() || options.cluster.is_some() || options.user.is_some();
        let config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path).map_err(refused)?;
                Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(refused)?
            }
            None if chosen => Config::from_kubeconfig(&options).await.map_err(refused)?,
            None => Config::infer().await.map_err(refused)?,
        };
        Client::try_from(config).map_err(refused)
    }
}

/// Where Liqo is.
#[derive(Clone, Debug, Args)]
pub(crate) struct Installed {
    /// Namespace that Liqo is installed in
    #[arg(short, long, global = true, value_name = "NAMESPACE", default_value = "liqo")]
    pub(crate) namespace: String,
}
