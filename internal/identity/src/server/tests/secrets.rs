//! Nothing that was sent in secret is ever seen again.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use liqo_events::UnixMillis;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::server::test_provider::NOW;
use crate::{ProviderError, one_time_secret_of};

const OTHER: &str = "66666666-2222-4333-8444-555555555555";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn append(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Requests of every kind, with secrets wherever there is place for one.
fn requests() -> Vec<String> {
    let good = request(ID, 7);
    vec![
        good.clone(),
        good.clone(),
        request(ID, 8),
        good.replace(TOKEN, "canary-wrong-token"),
        good.replace("fiction", "canary name"),
        good.replace(ID, "canary"),
        good.replace(&csr(ID, 7), "canary!"),
        good.replace(&csr(ID, 7), &to_base64(b"canary")),
        good.replace(&format!("\"{TOKEN}\""), "{\"canary\":1}"),
        "\"canary\"".to_owned(),
        "canary".to_owned(),
        "{\"canary\":".to_owned(),
        "{}".to_owned(),
    ]
}

#[tokio::test]
async fn no_secret_comes_back_or_is_logged() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter("liqo_identity=trace").with_writer(log.clone()).finish();
    // Of the whole process, since one of this thread alone misses what other threads met first: the log of all tests is
    // searched.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let running = start_plain().await;
    let (fresh, old) = (one_time_secret_of(&[0xca; 32]), one_time_secret_of(&[0xfe; 32]));
    running.provider.add_token(&fresh, NOW);
    running.provider.add_token(&old, UnixMillis(0));
    let mut seen = String::new();
    let one_time = [(ID, &fresh), (OTHER, &fresh), (OTHER, &old)];
    for body in requests().into_iter().chain(one_time.map(|(id, token)| request_with(id, 7, token))) {
        let answered = apply(&running, &body).await;
        seen.push_str(&answered.head);
        seen.push_str(&answered.body);
    }
    let failure = ProviderError::Failed { reason: "the API server is away".to_owned() };
    running.provider.fail(Some(("shared_token", failure)));
    seen.push_str(&apply(&running, &request(ID, 7)).await.body);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // It is no empty log that is searched.
    assert!(logged.contains("the cluster has an identity here"), "{logged}");
    assert!(logged.contains("the API server is away"), "{logged}");
    let of_tokens = [fresh.expose(), old.expose(), &fresh.expose()[..32], &old.expose()[..32]];
    for secret in ["canary", &csr(ID, 7), &csr(ID, 7)[40..80]].into_iter().chain(of_tokens) {
        assert!(!logged.contains(secret), "{secret} in {logged}");
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}
