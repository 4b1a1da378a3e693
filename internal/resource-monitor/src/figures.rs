//! Figures of what is promised.

use std::convert::Infallible;
use std::time::Duration;

use liqo_domain::{LiqoMachine, sharing};
use liqo_engine::Handle;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Metrics;

/// Between two looks at the state: figures are scraped more seldom.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the figures of what is promised as the state has it, until told to stop, or the engine ends.
///
/// # Errors
///
/// None.
pub async fn show_promises(
    handle: Handle<LiqoMachine>,
    metrics: Metrics,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Infallible> {
    tokio::select! {
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = follow(&handle, &metrics) => {}
    }
    Ok(())
}

async fn follow(handle: &Handle<LiqoMachine>, metrics: &Metrics) {
    let mut published = handle.subscribe();
    while let Ok(sharing) = handle.read(sharing).await {
        metrics.promise(&sharing);
        if published.changed().await.is_err() {
            return;
        }
        sleep(PAUSE).await;
        published.borrow_and_update();
    }
}
