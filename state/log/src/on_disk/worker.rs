//! A thread that owns the store, and is asked with a deadline.
//!
//! The store panics on damaged files, and waits for ever when one of its own threads panicked. Neither may take the
//! process along: a panic is caught and becomes a [`Failure`], a call that takes too long is given up. A thread that
//! hangs cannot be ended; it is leaked on purpose with all that it holds, and a new one works on another directory.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use crate::Failure;

/// What the thread is to do; whether it may be asked again afterwards.
type Job<S> = Box<dyn FnOnce(&mut S) -> bool + Send>;

/// A thread with something that only it touches.
#[derive(Debug)]
pub(super) struct Worker<S> {
    jobs: Sender<Job<S>>,
    /// Disconnected when the thread has dropped what it owned.
    ended: Receiver<()>,
}

impl<S: 'static> Worker<S> {
    /// Starts a thread that makes what it will own, and gives back what it says about it.
    pub(super) fn start<R: Send + 'static>(
        deadline: Duration,
        make: impl FnOnce() -> Result<(S, R), Failure> + Send + 'static,
    ) -> Result<(Self, R), Failure> {
        let (jobs, inbox) = mpsc::channel::<Job<S>>();
        let (end, ended) = mpsc::sync_channel::<()>(0);
        let (reply, made) = mpsc::sync_channel(1);
        let body = move || {
            // Held until everything is dropped.
            let _end: SyncSender<()> = end;
            match caught(make) {
                Ok((state, said)) => {
                    // Nobody waits any more when the deadline has passed: nobody may use the store then.
                    if reply.send(Ok(said)).is_ok() {
                        serve(state, &inbox);
                    }
                }
                Err(failure) => drop(reply.send(Err(failure))),
            }
        };
        thread::Builder::new().name("liqo-log".to_owned()).spawn(body)?;
        let said = await_reply(&made, deadline)?;
        Ok((Self { jobs, ended }, said))
    }

    /// Asks, and waits at most so long. After [`Failure::TimedOut`] and [`Failure::Panicked`] every further call fails.
    pub(super) fn call<R: Send + 'static>(
        &self,
        deadline: Duration,
        ask: impl FnOnce(&mut S) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, Failure> {
        let (reply, answered) = mpsc::sync_channel(1);
        let job: Job<S> = Box::new(move |state| {
            let answer = caught(|| ask(state));
            let usable = !matches!(answer, Err(Failure::Panicked(_)));
            drop(reply.send(answer));
            usable
        });
        self.jobs.send(job).map_err(|_| Failure::Ended)?;
        await_reply(&answered, deadline)
    }

    /// Lets the thread drop what it owns, and waits at most so long. Whether it did.
    pub(super) fn end(self, deadline: Duration) -> bool {
        drop(self.jobs);
        matches!(self.ended.recv_timeout(deadline), Err(RecvTimeoutError::Disconnected))
    }

    /// Lets the thread drop what it owns when it can, and does not wait. One that hangs is leaked.
    pub(super) fn abandon(self) {
        drop(self);
    }
}

fn serve<S>(mut state: S, inbox: &Receiver<Job<S>>) {
    for job in inbox {
        if !job(&mut state) {
            // After a panic the store may wait for ever when it is dropped.
            std::mem::forget(state);
            return;
        }
    }
    let dropped = caught(|| {
        drop(state);
        Ok(())
    });
    // What a store says when it is closed changes nothing: everything acknowledged is durable already.
    drop(dropped);
}

fn await_reply<R>(reply: &Receiver<Result<R, Failure>>, deadline: Duration) -> Result<R, Failure> {
    match reply.recv_timeout(deadline) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Timeout) => Err(Failure::TimedOut(deadline)),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::Ended),
    }
}

fn caught<R>(ask: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(ask))
        .unwrap_or_else(|payload| Err(Failure::Panicked(words(payload.as_ref()))))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let literal = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const AT_ONCE: Duration = Duration::from_millis(1);

    fn counter() -> Worker<u32> {
        Worker::start(SOON, || Ok((7, ()))).unwrap().0
    }

    #[test]
    fn it_answers_in_order_and_ends() {
        let worker = counter();
        let added = worker.call(SOON, |count| {
            *count += 1;
            Ok(*count)
        });
        assert_eq!(added.unwrap(), 8);
        assert_eq!(worker.call(SOON, |count| Ok(*count)).unwrap(), 8);
        assert!(worker.end(SOON));
    }

    #[test]
    fn a_panic_becomes_a_failure_and_ends_it() {
        let worker = counter();
        let panicked = worker.call(SOON, |_| -> Result<(), Failure> { panic!("in the store") });
        assert!(matches!(panicked, Err(Failure::Panicked(words)) if words == "in the store"));
        assert!(matches!(worker.call(SOON, |_| Ok(())), Err(Failure::Ended)));
    }

    #[test]
    fn a_panic_at_the_start_becomes_a_failure() {
        let started = Worker::<u32>::start(SOON, || -> Result<(u32, ()), Failure> { panic!("on open") });
        assert!(matches!(started, Err(Failure::Panicked(words)) if words == "on open"));
    }

    #[test]
    fn what_hangs_is_given_up() {
        let (release, hang) = mpsc::channel::<()>();
        let worker = counter();
        let hung = worker.call(AT_ONCE, move |_| {
            let _ = hang.recv();
            Ok(())
        });
        assert!(matches!(hung, Err(Failure::TimedOut(AT_ONCE))));
        let (held, forever) = mpsc::channel::<()>();
        let opening = Worker::start(AT_ONCE, move || {
            let _ = forever.recv();
            Ok((0_u32, ()))
        });
        assert!(matches!(opening, Err(Failure::TimedOut(_))));
        drop((release, held));
    }
}
