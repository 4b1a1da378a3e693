//! Whether the API server of a peer answers.

use std::sync::Arc;
use std::time::Duration;

use liqo_engine::Input;
use liqo_events::{Event, ServerProbed};
use tokio::time::sleep;

use crate::client::one_line;
use crate::{ApiServer, Gone, Sink};

/// How often it is asked, and how long it may take, as in Liqo 0.8.3.
const EVERY: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks again and again, at once for the first time, and tells what is different.
///
/// # Errors
///
/// [`Gone`] when nobody takes observations any more.
pub(super) async fn run<S: Sink>(server: Arc<ApiServer>, sink: S) -> Result<(), Gone> {
    let mut told: Option<bool> = None;
    loop {
        let trouble = match server.probe(PATIENCE).await {
            Ok(()) => String::new(),
            Err(refusal) => one_line(&refusal.to_string()),
        };
        let reachable = trouble.is_empty();
        // Words of a trouble differ from time to time, and nobody decides by them.
        if told != Some(reachable) {
            told = Some(reachable);
            let cluster = server.cluster().clone();
            let probed = Event::ServerProbed(ServerProbed { cluster, reachable, trouble });
            sink.send(Input::Observe(vec![probed])).await?;
        }
        sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::Limits;
    use crate::fake_server::{FakeServer, Reply};

    #[tokio::test]
    async fn a_server_is_asked_at_once() {
        for (reply, reachable) in [(200, true), (500, false)] {
            let fake = FakeServer::start(Limits::default(), move |_| Reply::Json(reply, json!({}))).await;
            let (sink, mut inputs) = mpsc::channel(4);
            let probing = tokio::spawn(run(Arc::clone(&fake.server), sink));
            let Some(Input::Observe(events)) = inputs.recv().await else { panic!("nothing was told") };
            let [Event::ServerProbed(probed)] = events.as_slice() else { panic!("{events:?}") };
            assert_eq!((probed.reachable, probed.trouble.is_empty()), (reachable, reachable));
            assert_eq!(fake.lines(), ["GET /livez"]);
            probing.abort();
        }
    }
}
