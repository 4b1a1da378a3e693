//! Waiting for what the control plane does, with a deadline and a word about what is missing.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use crate::{Console, CtlError, duration};

/// How often is looked. One or two small requests each time; a user does not notice a shorter time.
const PACE: Duration = Duration::from_millis(250);

/// What was seen of a thing that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is there.
    Done,
    /// It is not there yet; the text says what was seen instead.
    NotYet(String),
}

/// A thing that is waited for, in words.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    /// The thing, to stand behind "waiting for".
    pub(crate) what: String,
    /// A sentence for when it is there; empty when that is said otherwise.
    pub(crate) done: String,
    /// What to do when it does not come.
    pub(crate) remedy: String,
}

/// One deadline for all that a command waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    deadline: Instant,
    timeout: Duration,
}

impl Patience {
    /// Begins now.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { deadline: Instant::now() + timeout, timeout }
    }

    /// Looks until the thing is there; says on the console what is seen whenever that changes.
    pub(crate) async fn wait(
        &self,
        awaited: Awaited,
        console: &mut Console,
        mut look: impl AsyncFnMut() -> Result<Seen, CtlError>,
    ) -> Result<(), CtlError> {
        let mut line = Line::begin(&awaited.what, console)?;
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = "the API server has not answered".to_owned();
        loop {
            let turn = async {
                ticks.tick().await;
                look().await
            };
            match timeout_at(self.deadline, turn).await {
                Ok(Ok(Seen::Done)) => return line.end(&awaited.done, console),
                Ok(Ok(Seen::NotYet(said)) | Err(CtlError::Api { said, passing: true, .. })) => last = said,
                Ok(Err(error)) => return line.abandon(console).and(Err(error)),
                Err(_) => {
                    line.abandon(console)?;
                    let Awaited { what, remedy, .. } = awaited;
                    let timeout = duration::shown(self.timeout);
                    return Err(CtlError::TimedOut { what, timeout, said: last, remedy });
                }
            }
            line.show(&last, console)?;
        }
    }
}

/// What is shown of one wait: a line that is written over where somebody watches, else a line a change.
struct Line {
    what: String,
    shown: String,
    since: Instant,
}

/// Begins the line anew.
const REWIND: &str = "\r\u{1b}[2K";
/// A line that is wider than the terminal is cut off, since only one can be begun anew.
const CUT: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";

impl Line {
    fn begin(what: &str, console: &mut Console) -> Result<Self, CtlError> {
        let line = Self { what: what.to_owned(), shown: String::new(), since: Instant::now() };
        console.write(&if console.live() {
            format!("{REWIND}{CUT}  ...  Waiting for {what}{WRAP}")
        } else {
            format!("Waiting for {what}\n")
        })?;
        Ok(line)
    }

    fn show(&mut self, said: &str, console: &mut Console) -> Result<(), CtlError> {
        let news = self.shown != said;
        if news {
            said.clone_into(&mut self.shown);
        }
        match (console.live(), news) {
            (true, news) => {
                let said = if news { format!("       {said}\n") } else { String::new() };
                let seconds = self.since.elapsed().as_secs();
                let line = format!("  ...  ({seconds}s) Waiting for {}", self.what);
                console.write(&format!("{REWIND}{said}{CUT}{line}{WRAP}"))
            }
            (false, true) => console.write(&format!("  {said}\n")),
            (false, false) => Ok(()),
        }
    }

    fn end(self, done: &str, console: &mut Console) -> Result<(), CtlError> {
        self.abandon(console)?;
        if done.is_empty() { Ok(()) } else { console.success(done) }
    }

    fn abandon(&self, console: &mut Console) -> Result<(), CtlError> {
        if console.live() { console.write(REWIND) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().map_err(|_| io::Error::other("poisoned"))?.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn network() -> Awaited {
        let (what, done, remedy) = ("the network", "Network established", "look at the gateway");
        Awaited { what: what.to_owned(), done: done.to_owned(), remedy: remedy.to_owned() }
    }

    async fn waited(answers: Vec<Result<Seen, CtlError>>) -> (Result<(), CtlError>, String) {
        let written = Written::default();
        waited_on(Console::plain(written.clone()), written, answers).await
    }

    async fn waited_on(
        mut console: Console,
        written: Written,
        answers: Vec<Result<Seen, CtlError>>,
    ) -> (Result<(), CtlError>, String) {
        let mut answers = answers.into_iter();
        let patience = Patience::new(Duration::from_secs(3));
        let done = patience
            .wait(network(), &mut console, async || match answers.next() {
                Some(answer) => answer,
                None => std::future::pending().await,
            })
            .await;
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        (done, text)
    }

    fn not_yet(said: &str) -> Result<Seen, CtlError> {
        Ok(Seen::NotYet(said.to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_is_said_once() {
        let busy = CtlError::Api { doing: "read x".into(), said: "busy (503)".into(), passing: true };
        let answers = vec![not_yet("a"), not_yet("a"), Err(busy), not_yet("b"), Ok(Seen::Done)];
        let (done, text) = waited(answers).await;
        assert!(done.is_ok());
        assert_eq!(text, "Waiting for the network\n  a\n  busy (503)\n  b\nINFO: Network established\n");
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_terminal_one_line_is_written_over() {
        let written = Written::default();
        let console = Console::plain(written.clone()).as_terminal();
        let answers = vec![not_yet("a"), not_yet("a"), Ok(Seen::Done)];
        let (done, text) = waited_on(console, written, answers).await;
        assert!(done.is_ok());
        let text = text.replace(REWIND, "<").replace(CUT, "").replace(WRAP, ">");
        let expected = "<  ...  Waiting for the network><       a\n  ...  (0s) Waiting for the network><  ...  (0s) \
                        Waiting for the network>< INFO  Network established\n";
        assert_eq!(text, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_seen_last_is_in_the_error() {
        let (done, _) = waited(vec![not_yet("a"), not_yet("no handshake")]).await;
        let expected = "waited 3s for the network, in vain: no handshake; look at the gateway";
        assert_eq!(crate::report(&done.unwrap_err()), expected);
        let (done, _) = waited(Vec::new()).await;
        assert!(crate::report(&done.unwrap_err()).contains("the API server has not answered"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_ends_the_wait() {
        let gone = CtlError::NotFound("gone".to_owned());
        let (done, _) = waited(vec![not_yet("a"), Err(gone)]).await;
        assert_eq!(crate::report(&done.unwrap_err()), "gone");
    }
}
