//! Looks after the certificates: every replica serves with what the Secret holds, and the leader sees to it that it holds
//! something good, and that API servers trust it.

use std::time::Duration;

use liqo_engine::{Clock, Published};
use tokio::sync::watch;
use tokio::time::sleep;

use super::authority::{issue, make_authority};
use super::kept::{Kept, Renewal};
use super::serving::Serving;
use crate::metrics::Metrics;
use crate::{CertificateStore, Error};

/// How often the Secret is read, and how often the leader looks whether the configurations still say whom to trust: an
/// upgrade of the chart may take that away. A replica so serves with what is at most this old.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// While there is no certificate, and after the first failure. After others it is twice as long each time.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Looks after the certificates.
pub(crate) struct Keeper<S, C> {
    pub(crate) store: S,
    pub(crate) clock: C,
    /// Names that API servers use.
    pub(crate) names: Vec<String>,
    pub(crate) metrics: Metrics,
    /// The certificate in use.
    pub(crate) serving: watch::Sender<Serving>,
}

impl<S: CertificateStore, C: Clock> Keeper<S, C> {
    /// Looks again and again, and at once when this process begins or ceases to lead. Ends when the engine does.
    pub(crate) async fn run(self, mut published: watch::Receiver<Published>) {
        let mut pause = TRY_AGAIN;
        let mut complaint = String::new();
        loop {
            let leads = published.borrow_and_update().live;
            pause = match self.look(leads).await {
                Ok(()) => {
                    complaint.clear();
                    LOOK_EVERY
                }
                Err(Error::NoCertificate) => TRY_AGAIN,
                Err(error) => {
                    self.metrics.failed_renewals.inc();
                    let reason = error.to_string();
                    let is_new = reason != complaint;
                    // The same thing is said once, however often it is tried.
                    if is_new {
                        tracing::warn!(reason, "the certificates of the webhooks cannot be looked after");
                        complaint = reason;
                    }
                    if is_new { TRY_AGAIN } else { LOOK_EVERY.min(pause * 2) }
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                turned = published.wait_for(|now| now.live != leads) => if turned.is_err() { return },
            }
        }
    }

    /// Brings everything in order once.
    pub(crate) async fn look(&self, leads: bool) -> Result<(), Error> {
        let loaded = self.store.load().await;
        let mut kept = Kept::read(&loaded.map_err(store("Secret liqo-webhook-certs cannot be read"))?);
        if leads {
            kept = self.ensure(kept).await?;
        }
        self.serve(&kept)
    }

    /// Makes what is missing, and lets API servers trust it before anybody serves with it.
    async fn ensure(&self, kept: Kept) -> Result<Kept, Error> {
        let now = self.clock.wall();
        let renewal = kept.renewal(&self.names, now);
        let mut wanted = match renewal {
            Renewal::Nothing | Renewal::Certificate => kept,
            Renewal::Authority => kept.succeeded_by(make_authority(now)?),
        };
        let published = self.store.publish(&wanted.bundle(now)).await;
        published.map_err(store("the webhook configurations liqo-webhook cannot be given their caBundle"))?;
        if renewal != Renewal::Nothing {
            wanted.serving = issue(&wanted.authority, &self.names, now)?;
            let saved = self.store.save(wanted.data()).await;
            saved.map_err(store("Secret liqo-webhook-certs cannot be written"))?;
            tracing::info!(?renewal, "the webhooks have a new certificate");
        }
        Ok(wanted)
    }

    /// Uses the certificate for new connections. Open ones stay.
    fn serve(&self, kept: &Kept) -> Result<(), Error> {
        if self.serving.borrow().uses(&kept.serving) {
            return Ok(());
        }
        let serving = Serving::new(&kept.serving)?;
        if let Some(end) = serving.end() {
            self.metrics.certificate_ends(end);
        }
        self.serving.send_replace(serving);
        Ok(())
    }
}

fn store(what: &'static str) -> impl FnOnce(String) -> Error {
    move |reason| Error::Store { what, reason }
}
