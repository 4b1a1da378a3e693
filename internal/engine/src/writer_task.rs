//! The one task that appends: takes inputs in, cuts batches, and lets out what is durable.

mod intake;
mod release;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use liqo_domain::{BATCH_EVENTS, Input, Machine, Writer};
use liqo_events::{Envelope, Event, Seq, Started};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::clocks::Clocks;
use crate::handle::{Question, READS, Read};
use crate::inbox::Delivery;
use crate::journal::{Journal, Progress};
use crate::outbox::{Ended, Outbox};
use crate::{Actuator, EngineError, Metrics, Published};

/// How long the first event of a batch waits for others. A flush of a disk takes about as long, so it at most doubles
/// the latency of a single event, and shares one flush among all that come meanwhile.
const GATHER: Duration = Duration::from_millis(5);

/// How long commands that are under way may go on when the engine stops. A third of what Kubernetes gives a pod, so that
/// the log has time to close; what is broken off is tried again by the next process.
const GRACE: Duration = Duration::from_secs(10);

/// What comes in.
pub(crate) struct Receivers<S> {
    pub(crate) deliveries: mpsc::Receiver<Delivery>,
    pub(crate) reads: mpsc::Receiver<Read<S>>,
    pub(crate) questions: mpsc::Receiver<Question>,
    pub(crate) stopped: watch::Receiver<bool>,
}

/// What goes out.
pub(crate) struct Senders {
    pub(crate) publish: watch::Sender<Published>,
    pub(crate) tail: broadcast::Sender<Arc<Envelope>>,
}

/// What the task is made of.
pub(crate) struct Parts<M: Machine, A> {
    pub(crate) writer: Writer<M>,
    pub(crate) journal: Journal,
    pub(crate) outbox: Outbox<A>,
    pub(crate) clocks: Clocks,
    pub(crate) metrics: Metrics,
    pub(crate) receivers: Receivers<M::State>,
    pub(crate) senders: Senders,
}

/// Why the task woke up.
enum Wake<S> {
    Progress(Progress),
    Ended(Ended),
    Delivery(Delivery),
    Read(Read<S>),
    Question(Question),
    Timer,
    Stop,
}

/// The task with everything that it waits for.
pub(crate) struct WriterTask<M: Machine, A> {
    parts: Parts<M, A>,
    /// Senders that wait until a position is durable, in order. As many as come into one batch and the next.
    senders: VecDeque<(Seq, oneshot::Sender<Seq>)>,
    /// Reads that wait until everything in memory is durable.
    reads: Vec<Read<M::State>>,
    question: Option<Question>,
    /// Whether the log's last work was an answer: batches come next.
    answered: bool,
    /// When the first event of the next batch came.
    gathering: Option<Instant>,
    /// When commands are let out; at once after something has changed.
    dispatch_at: Option<Instant>,
    /// Whether nothing is taken in or let out any more.
    stopping: bool,
    /// When commands that are under way are broken off.
    grace: Option<Instant>,
    failure: Option<EngineError>,
}

impl<M: Machine, A: Actuator> WriterTask<M, A> {
    pub(crate) fn new(parts: Parts<M, A>) -> Self {
        Self {
            parts,
            senders: VecDeque::new(),
            reads: Vec::new(),
            question: None,
            answered: false,
            gathering: None,
            dispatch_at: None,
            stopping: false,
            grace: None,
            failure: None,
        }
    }

    /// Runs until it is stopped or cannot go on.
    pub(crate) async fn run(mut self, started: Started) -> Result<(), EngineError> {
        self.take_in(Input::Observe(vec![Event::Started(started)]));
        while self.failure.is_none() {
            self.advance();
            match self.wake().await? {
                Wake::Stop => break,
                wake => self.react(wake),
            }
        }
        self.shut_down().await?;
        self.parts.journal.close().await;
        self.failure.map_or(Ok(()), Err)
    }

    /// Does everything that waits for nothing.
    fn advance(&mut self) {
        self.report();
        self.acknowledge();
        self.serve_reads();
        self.feed_log();
        self.let_out();
    }

    /// Whether more is taken in now. Not while a whole batch waits for the log: then senders wait. And not while reads
    /// wait: they see only what is durable, so what is in memory has to get there first.
    fn is_collecting(&self) -> bool {
        self.parts.writer.pending() < BATCH_EVENTS && self.reads.is_empty()
    }

    async fn wake(&mut self) -> Result<Wake<M::State>, EngineError> {
        let timer = self.timer();
        let collecting = self.is_collecting();
        let open = !self.stopping;
        let (reading, asking) = (open && self.reads.len() < READS, open && self.question.is_none());
        let Parts { journal, outbox, receivers, .. } = &mut self.parts;
        let Receivers { deliveries, reads, questions, stopped } = receivers;
        tokio::select! {
            progress = journal.progress() => progress.map(Wake::Progress),
            ended = outbox.next(), if collecting => Ok(Wake::Ended(ended)),
            delivery = deliveries.recv(), if collecting && open => Ok(delivery.map_or(Wake::Stop, Wake::Delivery)),
            Some(read) = reads.recv(), if reading => Ok(Wake::Read(read)),
            Some(question) = questions.recv(), if asking => Ok(Wake::Question(question)),
            () = until(timer) => Ok(Wake::Timer),
            () = stop(stopped), if open => Ok(Wake::Stop),
        }
    }

    /// When there is something to do without anything happening.
    fn timer(&mut self) -> Option<Instant> {
        let collecting = self.is_collecting();
        let Parts { writer, journal, clocks, .. } = &mut self.parts;
        let idle = journal.is_idle();
        let batch = self.gathering.map(|began| began + GATHER).filter(|_| idle);
        let quiet = idle && writer.pending() == 0;
        let checkpoint = writer.next_checkpoint().filter(|_| quiet).map(|at| clocks.instant(at));
        let tick = collecting.then(|| writer.next_tick(clocks.now())).flatten().map(|at| clocks.instant(at));
        [batch, checkpoint, tick, journal.begin_at(), self.dispatch_at, self.grace]
            .into_iter()
            .flatten()
            .min()
    }

    fn react(&mut self, wake: Wake<M::State>) {
        match wake {
            Wake::Progress(Progress::Durable(batch)) => self.durable(&batch),
            Wake::Progress(Progress::Other) | Wake::Stop => {}
            Wake::Ended(ended) => self.finish(ended),
            Wake::Delivery(delivery) => self.receive(delivery),
            Wake::Read(read) => self.reads.push(read),
            Wake::Question(question) => self.question = Some(question),
            Wake::Timer => self.tick(),
        }
    }

    /// Takes in what was sent, waits for what is under way, and makes everything durable.
    async fn shut_down(&mut self) -> Result<(), EngineError> {
        self.parts.receivers.deliveries.close();
        while let Ok(delivery) = self.parts.receivers.deliveries.try_recv() {
            self.receive(delivery);
        }
        self.stopping = true;
        self.grace = Some(Instant::now() + GRACE);
        while !self.parts.outbox.is_empty() {
            self.advance();
            let wake = self.wake().await?;
            self.react(wake);
        }
        self.write_down().await?;
        self.acknowledge();
        self.report();
        Ok(())
    }

    /// Makes everything durable, with a snapshot at the end.
    async fn write_down(&mut self) -> Result<(), EngineError> {
        loop {
            while !self.parts.journal.is_idle() {
                let progress = self.parts.journal.progress().await?;
                self.react(Wake::Progress(progress));
            }
            let now = self.parts.clocks.now();
            if self.parts.journal.follow_up() {
                continue;
            }
            match self.parts.writer.close(now) {
                Some(batch) => self.append(batch, now),
                None => return Ok(()),
            }
        }
    }
}

async fn until(timer: Option<Instant>) {
    match timer {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn stop(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        // Nobody is left who could stop it; it ends when nobody is left who could send to it.
        std::future::pending::<()>().await;
    }
}
