//! The webhooks of a process: certificates, listener and verdicts together.

use std::future::pending;

use liqo_engine::{Clock, Published};
use liqo_listening::Socket;
use tokio::sync::watch;

use crate::certificates::{Keeper, Serving};
use crate::metrics::Metrics;
use crate::port::{CertificateStore, Verdicts};
use crate::server::{Service, serve};
use crate::webhook::{Judge, Settings};
use crate::{Error, service_names};

/// What the webhooks run with.
pub struct Options<V, S, C> {
    /// Where they listen once there is a certificate, flag `--webhook-address`. Tells from when on they are served: the
    /// process is not ready before.
    pub socket: Socket,
    /// Namespace that Liqo is installed in.
    pub namespace: String,
    /// How they behave.
    pub settings: Settings,
    /// What is known.
    pub verdicts: V,
    /// Where certificates are kept.
    pub store: S,
    /// Judges the age of certificates.
    pub clock: C,
    /// Tells when more is known, and whether this process leads.
    pub published: watch::Receiver<Published>,
    /// What is counted.
    pub metrics: Metrics,
}

/// Serves the webhooks until `stopping` is true; questions under way are answered. It begins when there is a certificate,
/// which the leader makes.
///
/// # Errors
///
/// [`Error::Listen`]. What is wrong with certificates is logged and tried again.
pub async fn run<V: Verdicts, S: CertificateStore, C: Clock>(
    options: Options<V, S, C>,
    stopping: watch::Receiver<bool>,
) -> Result<(), Error> {
    let (sender, mut serving) = watch::channel(Serving::default());
    let keeper = Keeper {
        store: options.store,
        clock: options.clock,
        names: service_names(&options.namespace),
        metrics: options.metrics.clone(),
        serving: sender,
    };
    let published = options.published.clone();
    let kept = async {
        keeper.run(published).await;
        // The engine has ended; what is under way is still answered.
        pending::<()>().await;
    };
    let judge =
        Judge { verdicts: options.verdicts, published: options.published, settings: options.settings };
    let service = Service::new(judge, options.metrics);
    let mut told = stopping.clone();
    let served = async {
        tokio::select! {
            _ = told.wait_for(|told| *told) => return Ok(()),
            certified = serving.wait_for(|serving| serving.config().is_some()) => {
                if certified.is_err() { return Ok(()) }
            }
        }
        let listening = options.socket.listen()?;
        tracing::info!(address = %listening.address(), "the webhooks are served");
        serve(listening, serving, service, stopping).await;
        Ok(())
    };
    tokio::select! {
        () = kept => Ok(()),
        served = served => served,
    }
}
