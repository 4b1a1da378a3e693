//! Reports what an agent sees: connects, tells, connects again.

use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use liqo_proto::projection as wire;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::Status;

use super::dial::{ClientError, Connection, Credentials, Pauses, dial};
use crate::AgentReport;

/// Between reports that say nothing new of any status. They bring figures, and tell a leader that ignored an earlier one.
const FIGURES: Duration = Duration::from_secs(5);

/// Reports until nobody does any more. What changes in the status of a peer goes out at once, everything else with the
/// next report.
pub async fn report<C: Credentials>(
    connection: Connection,
    credentials: C,
    reports: watch::Receiver<AgentReport>,
) {
    let mut pauses = Pauses::new(connection.seed);
    loop {
        let began = Instant::now();
        let error = match connection_life(&connection, &credentials, reports.clone()).await {
            Ok(()) => return,
            Err(error) => error,
        };
        if began.elapsed() > FIGURES {
            pauses.reset();
        }
        sleep(pauses.after("reports", &error)).await;
    }
}

/// From connecting to the end of the call; all is said when it ends well.
async fn connection_life<C: Credentials>(
    connection: &Connection,
    credentials: &C,
    reports: watch::Receiver<AgentReport>,
) -> Result<(), ClientError> {
    let mut dialled = dial(connection, credentials).await?;
    let is_over = reports.clone();
    let request = dialled.request(messages(reports, connection.topic.clone()));
    dialled.client.report(request).await.map_err(ClientError::Ended)?;
    match is_over.has_changed() {
        Err(_) => Ok(()),
        Ok(_) => Err(ClientError::Ended(Status::unavailable("it ended the call"))),
    }
}

struct Said {
    reports: watch::Receiver<AgentReport>,
    topic: String,
    last: Option<(AgentReport, Instant)>,
}

/// Reports, each as it is due.
fn messages(
    reports: watch::Receiver<AgentReport>,
    topic: String,
) -> impl Stream<Item = wire::ReportRequest> + Send + 'static {
    unfold(Said { reports, topic, last: None }, |mut said| async move {
        loop {
            let report = said.reports.borrow_and_update().clone();
            let Some((last, at)) = &said.last else { return Some(said.say(report)) };
            let due = *at + FIGURES;
            if last.differs_in_status(&report) || due <= Instant::now() {
                return Some(said.say(report));
            }
            tokio::select! {
                changed = said.reports.changed() => changed.ok()?,
                () = sleep_until(due) => {}
            }
        }
    })
}

impl Said {
    fn say(mut self, report: AgentReport) -> (wire::ReportRequest, Self) {
        let message = report.to_wire(self.topic.clone());
        self.last = Some((report, Instant::now()));
        (message, self)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;
    use crate::{TunnelReport, TunnelStatus};

    fn seen(status: TunnelStatus, latency: u64) -> AgentReport {
        let tunnel = TunnelReport { status, message: String::new(), latency_micros: Some(latency) };
        AgentReport { address: "10.200.1.9".to_owned(), tunnels: [("milan-id".into(), tunnel)].into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_status_goes_out_at_once_and_a_figure_with_the_next_report() {
        let (sender, reports) = watch::channel(seen(TunnelStatus::Connecting, 0));
        let mut messages = Box::pin(messages(reports, "gateway".to_owned()));
        let began = Instant::now();
        assert!(messages.next().await.is_some());
        sender.send_replace(seen(TunnelStatus::Connected, 900));
        assert_eq!(messages.next().await.unwrap().peers[0].latency_micros, 900);
        assert_eq!(began.elapsed(), Duration::ZERO);
        sender.send_replace(seen(TunnelStatus::Connected, 901));
        assert_eq!(messages.next().await.unwrap().peers[0].latency_micros, 901);
        assert_eq!(began.elapsed(), FIGURES);
        drop(sender);
        assert!(messages.next().await.is_none(), "nobody reports any more");
    }
}
