//! Keeps the certificates of the projection stream: the leader makes, publishes and replaces them.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use liqo_engine::{Clock, Published};
use tokio::sync::watch;
use tokio::time::sleep;

use super::TlsPem;
use super::authority::Authority;

/// How often a server's certificate is made anew.
const RENEW_EVERY: Duration = Duration::from_secs(24 * 3600);
/// After a failure. The stream is not open meanwhile, and agents go on with what they have.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Key of the published certificates.
pub const CA_BUNDLE: &str = "ca.crt";
const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
const MADE_AT: &str = "made-at";
const PREVIOUS: &str = "previous.crt";

/// Where the authority is kept, and where its certificate is published.
pub trait AuthorityStore: Send + Sync + 'static {
    /// What is kept; empty when nothing is.
    fn load(&self) -> impl Future<Output = Result<BTreeMap<String, Vec<u8>>, String>> + Send;

    /// Keeps this in place of what was kept. Secret.
    fn save(&self, data: BTreeMap<String, Vec<u8>>) -> impl Future<Output = Result<(), String>> + Send;

    /// Publishes this, for everybody who is to trust the stream.
    fn publish(&self, data: BTreeMap<String, String>) -> impl Future<Output = Result<(), String>> + Send;
}

/// Sends a fresh certificate for `names` to `tls` whenever this process leads and the last one is a day old. Ends when
/// the engine does.
pub async fn keep_certificates<S: AuthorityStore, C: Clock>(
    store: S,
    clock: C,
    names: Vec<String>,
    mut published: watch::Receiver<Published>,
    tls: watch::Sender<TlsPem>,
) {
    loop {
        if published.wait_for(|now| now.live).await.is_err() {
            return;
        }
        let pause = match renew(&store, &clock, &names).await {
            Ok(issued) => {
                tls.send_replace(issued);
                RENEW_EVERY
            }
            Err(reason) => {
                tracing::warn!(reason, "the projection stream has no certificate; it is tried again");
                TRY_AGAIN
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            // Another leader may have replaced the authority before this one leads again.
            lost = published.wait_for(|now| !now.live) => if lost.is_err() { return },
        }
    }
}

async fn renew<S: AuthorityStore, C: Clock>(
    store: &S,
    clock: &C,
    names: &[String],
) -> Result<TlsPem, String> {
    let now = clock.wall();
    let kept = store.load().await?;
    let known = authority(&kept);
    let current = match known.clone().filter(|authority| !authority.is_old(now)) {
        Some(authority) => authority,
        None => {
            let made = Authority::new(now).map_err(|error| error.to_string())?;
            store.save(data_of(&made, known.as_ref())).await?;
            made
        }
    };
    let previous =
        known.filter(|known| known.certificate != current.certificate).map(|known| known.certificate);
    let previous = previous.or_else(|| text(&kept, PREVIOUS)).unwrap_or_default();
    // Agents read it from a volume, which follows within minutes: until then the one before is trusted too.
    let bundle = format!("{}{previous}", current.certificate);
    store.publish([(CA_BUNDLE.to_owned(), bundle)].into()).await?;
    current.issue(names, now).map_err(|error| error.to_string())
}

fn authority(kept: &BTreeMap<String, Vec<u8>>) -> Option<Authority> {
    Some(Authority {
        certificate: text(kept, CERTIFICATE)?,
        key: text(kept, KEY)?,
        made_at: liqo_events::parse_rfc3339(&text(kept, MADE_AT)?)?,
    })
}

fn data_of(made: &Authority, before: Option<&Authority>) -> BTreeMap<String, Vec<u8>> {
    let mut data: BTreeMap<String, Vec<u8>> = [
        (CERTIFICATE.to_owned(), made.certificate.clone().into_bytes()),
        (KEY.to_owned(), made.key.clone().into_bytes()),
        (MADE_AT.to_owned(), made.made_at.to_string().into_bytes()),
    ]
    .into();
    if let Some(before) = before {
        data.insert(PREVIOUS.to_owned(), before.certificate.clone().into_bytes());
    }
    data
}

fn text(kept: &BTreeMap<String, Vec<u8>>, key: &str) -> Option<String> {
    kept.get(key).and_then(|bytes| String::from_utf8(bytes.clone()).ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use liqo_events::UnixMillis;

    use super::*;

    #[derive(Default)]
    struct Store {
        kept: Mutex<BTreeMap<String, Vec<u8>>>,
        published: Mutex<Vec<String>>,
    }

    impl AuthorityStore for &'static Store {
        async fn load(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
            Ok(self.kept.lock().unwrap().clone())
        }

        async fn save(&self, data: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
            *self.kept.lock().unwrap() = data;
            Ok(())
        }

        async fn publish(&self, data: BTreeMap<String, String>) -> Result<(), String> {
            self.published.lock().unwrap().push(data[CA_BUNDLE].clone());
            Ok(())
        }
    }

    struct At(i64);

    impl Clock for At {
        fn wall(&self) -> UnixMillis {
            UnixMillis(self.0)
        }
    }

    const NOW: i64 = 1_795_000_000_000;

    fn count(bundle: &str) -> usize {
        bundle.matches("BEGIN CERTIFICATE").count()
    }

    #[tokio::test]
    async fn one_authority_is_made_and_used_until_it_is_old() {
        let store: &'static Store = Box::leak(Box::default());
        let names = ["liqo-fabric".to_owned()];
        renew(&store, &At(NOW), &names).await.unwrap();
        let first = store.kept.lock().unwrap().clone();
        renew(&store, &At(NOW + 1000), &names).await.unwrap();
        assert_eq!(*store.kept.lock().unwrap(), first);

        let year = 365 * 24 * 3600 * 1000;
        renew(&store, &At(NOW + year), &names).await.unwrap();
        assert_ne!(store.kept.lock().unwrap()[CERTIFICATE], first[CERTIFICATE]);
        // The one before is trusted as long as the new one is young, also by the leader after this one.
        renew(&store, &At(NOW + year + 1000), &names).await.unwrap();
        let bundles: Vec<usize> =
            store.published.lock().unwrap().iter().map(|bundle| count(bundle)).collect();
        assert_eq!(bundles, [1, 1, 2, 2]);
    }

    #[tokio::test]
    async fn only_a_live_leader_makes_certificates() {
        let store: &'static Store = Box::leak(Box::default());
        let (publish, published) = watch::channel(Published::default());
        let (tls, mut issued) = watch::channel(TlsPem::default());
        let keeper = tokio::spawn(keep_certificates(store, At(NOW), Vec::new(), published, tls));
        publish.send_replace(Published { live: false, epoch: Some(3), ..Published::default() });
        tokio::task::yield_now().await;
        assert!(store.kept.lock().unwrap().is_empty());
        publish.send_replace(Published { live: true, epoch: Some(3), ..Published::default() });
        issued.changed().await.unwrap();
        drop(publish);
        keeper.await.unwrap();
    }
}
