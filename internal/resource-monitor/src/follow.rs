//! Asks the monitor beside the engine, and hands over what it says.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use futures::stream::{Stream, StreamExt as _, iter, pending};
use liqo_domain::LiqoMachine;
use liqo_engine::{EngineStopped, Handle, Input};
use liqo_events::{Event, ShareReported};
use liqo_model::ClusterId;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, interval_at, sleep, sleep_until};
use tonic::Code;

use crate::connection::{Address, Connection};
use crate::wanted::{Agenda, wanted};
use crate::{Error, Metrics};

/// Calls at a time: a monitor is one small program.
const AT_ONCE: usize = 8;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Until everybody is asked about again, though the monitor told of no change: as in Liqo 0.8.3.
    pub(crate) refresh: Duration,
    /// Until a single call that failed is tried again.
    pub(crate) retry: Duration,
    /// Between two looks at the state, which changes with each pod.
    pub(crate) settle: Duration,
    /// First and longest pause before the next connection.
    pub(crate) pause: (Duration, Duration),
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(300),
            retry: Duration::from_secs(10),
            settle: Duration::from_millis(250),
            pause: (Duration::from_millis(100), Duration::from_secs(5)),
        }
    }
}

/// An external resource monitor, and the engine that its word is for.
#[derive(Debug)]
pub struct ExternalMonitor {
    address: Address,
    handle: Handle<LiqoMachine>,
    metrics: Metrics,
    pace: Pace,
}

/// Why a connection is not used any more.
enum Stop {
    Engine,
    Monitor(Error),
}

impl From<EngineStopped> for Stop {
    fn from(_: EngineStopped) -> Self {
        Self::Engine
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Monitor(error)
    }
}

impl ExternalMonitor {
    /// The monitor at `HOST:PORT`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Address`].
    pub fn new(address: &str, handle: Handle<LiqoMachine>, metrics: Metrics) -> Result<Self, Error> {
        Ok(Self { address: Address::parse(address)?, handle, metrics, pace: Pace::default() })
    }

    /// Asks about each consumer that is to be offered something, again when the monitor says that its answer changed, and
    /// tells the monitor who wants nothing any more; until told to stop, or the engine ends. A monitor that is away is
    /// called again, and what it said last stands.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) -> Result<(), Infallible> {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => Ok(()),
            // Whoever waits for the engine says so.
            EngineStopped = self.follow() => Ok(()),
        }
    }

    async fn follow(&self) -> EngineStopped {
        let mut outage = Outage { pace: self.pace, failures: 0 };
        let mut published = self.handle.subscribe();
        loop {
            // Offers are made by who leads.
            if published.wait_for(|published| published.live).await.is_err() {
                return EngineStopped;
            }
            let ended = self.session(&mut outage).await;
            self.metrics.connection(false);
            match ended {
                Ok(()) => {}
                Err(Stop::Engine) => return EngineStopped,
                Err(Stop::Monitor(error)) => {
                    let Ok(wanted) = wanted(&self.handle).await else { return EngineStopped };
                    self.metrics.stale(wanted.map_or(0, |wanted| wanted.consumers.len()));
                    sleep(outage.pause(&error)).await;
                }
            }
        }
    }

    /// One connection, until it breaks or another process leads.
    async fn session(&self, outage: &mut Outage) -> Result<(), Stop> {
        let connection = self.address.connect().await?;
        self.metrics.connection(true);
        let mut notifications = pin!(subscribed(&connection));
        let mut published = self.handle.subscribe();
        let mut refresh = self.refreshes();
        let mut agenda = Agenda::default();
        loop {
            published.borrow_and_update();
            let Some(wanted) = wanted(&self.handle).await? else { return Ok(()) };
            agenda.follow(wanted);
            self.ask(&connection, &mut agenda, outage).await?;
            self.forget(&connection, &mut agenda).await?;
            self.metrics.stale(agenda.stale());
            let retry = agenda.retry;
            tokio::select! {
                told = notifications.next() => agenda.told(&told.unwrap_or(Err(Error::Ended))?),
                changed = published.changed() => {
                    changed.map_err(|_| Stop::Engine)?;
                    sleep(self.pace.settle).await;
                }
                _ = refresh.tick() => agenda.all(),
                () = sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => agenda.try_again(),
            }
        }
    }

    fn refreshes(&self) -> Interval {
        interval_at(Instant::now() + self.pace.refresh, self.pace.refresh)
    }

    /// Asks about everybody who is due.
    async fn ask(
        &self,
        connection: &Connection,
        agenda: &mut Agenda,
        outage: &mut Outage,
    ) -> Result<(), Stop> {
        let due = iter(std::mem::take(&mut agenda.due));
        let answers = due.map(|consumer| async move {
            let answer = connection.read(&consumer).await;
            (consumer, answer)
        });
        let answers: Vec<_> = answers.buffer_unordered(AT_ONCE).collect().await;
        let mut words = Vec::new();
        let mut broken = None;
        for (consumer, answer) in answers {
            self.metrics.call("ReadResources", answer.is_ok());
            match answer {
                Ok(amounts) => {
                    agenda.worked(&consumer);
                    words.push(ShareReported { peer: consumer, amounts: Some(amounts) });
                }
                Err(error) => broken = self.failed(agenda, &consumer, error).or(broken),
            }
        }
        if !words.is_empty() {
            outage.ended();
        }
        self.tell(words).await?;
        broken.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Tells the monitor who wants nothing any more.
    async fn forget(&self, connection: &Connection, agenda: &mut Agenda) -> Result<(), Stop> {
        for consumer in std::mem::take(&mut agenda.gone) {
            let answer = connection.remove(&consumer).await;
            self.metrics.call("RemoveCluster", answer.is_ok());
            match answer {
                Ok(()) => {
                    agenda.worked(&consumer);
                    self.tell(vec![ShareReported { peer: consumer, amounts: None }]).await?;
                }
                Err(error) => {
                    let broken = self.failed(agenda, &consumer, error);
                    broken.map_or(Ok(()), |error| Err(Stop::Monitor(error)))?;
                }
            }
        }
        Ok(())
    }

    /// A call that failed is said once. Gives the error when it is of the connection.
    fn failed(&self, agenda: &mut Agenda, consumer: &ClusterId, error: Error) -> Option<Error> {
        let first = agenda.failed(consumer, Instant::now() + self.pace.retry);
        if error.breaks_connection() {
            return Some(error);
        }
        if first {
            tracing::warn!(%consumer, %error, "what the resource monitor said last of the consumer stands");
        } else {
            tracing::debug!(%consumer, %error, "the resource monitor still fails");
        }
        None
    }

    async fn tell(&self, words: Vec<ShareReported>) -> Result<(), EngineStopped> {
        if words.is_empty() {
            return Ok(());
        }
        let events = words.into_iter().map(Event::ShareReported).collect();
        // Once it is there, so that nobody is asked about twice.
        self.handle.inbox().send_durably(Input::Observe(events)).await.map(drop)
    }
}

/// Notifications; none, when the monitor has none to offer.
fn subscribed(connection: &Connection) -> impl Stream<Item = Result<ClusterId, Error>> + Send + use<> {
    connection.notifications().flat_map(|told| match told {
        Err(Error::Refused { status, .. }) if status.code() == Code::Unimplemented => {
            tracing::warn!("the resource monitor has no notifications; it is asked every few minutes");
            pending().boxed()
        }
        told => iter([told]).boxed(),
    })
}

/// How long the monitor has been away.
struct Outage {
    pace: Pace,
    failures: u32,
}

impl Outage {
    /// How long to wait before the next connection. Says why, the first time.
    fn pause(&mut self, error: &Error) -> Duration {
        if self.failures == 0 {
            tracing::warn!(%error, "the resource monitor is away; what it said last stands");
        } else {
            tracing::debug!(%error, "the resource monitor is still away");
        }
        let (first, longest) = self.pace.pause;
        let pause = first.saturating_mul(2_u32.saturating_pow(self.failures.min(16)));
        self.failures = self.failures.saturating_add(1);
        pause.min(longest)
    }

    fn ended(&mut self) {
        if self.failures > 0 {
            tracing::info!("the resource monitor answers again");
        }
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests;
