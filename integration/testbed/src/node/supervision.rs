//! Which process to start or signal next: the decisions of a node's supervisor, without any process.

use std::time::Duration;

use super::plan::Component;
use super::protocol::{ComponentState, ComponentStatus, Request, Verb};

/// Between SIGTERM and SIGKILL: etcd and the API server end within two seconds, and a test that stops one waits for it.
const GRACE: Duration = Duration::from_secs(5);
/// The first pause before a component that ended by itself starts again; it doubles to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause: short against the minutes of a real kubelet, because a test waits for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A component that ran this long is healthy: its next end is a first failure again.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// A signal that the supervisor sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
    Pause,
    Resume,
}

/// What the shell around [`Supervision`] has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the component with this index.
    Spawn(usize),
    /// Signal the process.
    Signal(i32, Signal),
}

/// All components of a node. Times are since the supervisor's start.
#[derive(Debug)]
pub(crate) struct Supervision {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    wanted: bool,
    paused: bool,
    pid: Option<i32>,
    starts: u32,
    failures: u32,
    started_at: Duration,
    start_at: Option<Duration>,
    kill_at: Option<Duration>,
}

impl Supervision {
    pub(crate) fn new(components: &[Component]) -> Self {
        let entry = |component: &Component| Entry {
            name: component.name.clone(),
            wanted: false,
            paused: false,
            pid: None,
            starts: 0,
            failures: 0,
            started_at: Duration::ZERO,
            start_at: None,
            kill_at: None,
        };
        Self { entries: components.iter().map(entry).collect() }
    }

    /// Carries a request out.
    ///
    /// # Errors
    /// A sentence when a component is unknown or not in a state for the verb; then nothing changed.
    pub(crate) fn request(&mut self, request: &Request, now: Duration) -> Result<Vec<Action>, String> {
        let Request::Do(verb, names) = request else { return Ok(Vec::new()) };
        let mut indices = Vec::new();
        for name in names {
            let index = self.entries.iter().position(|e| e.name == *name).ok_or_else(|| {
                let known: Vec<&str> = self.entries.iter().map(|e| e.name.as_str()).collect();
                format!("runs no {name}; it runs {}", known.join(", "))
            })?;
            if matches!(verb, Verb::Kill | Verb::Pause) && self.entries[index].pid.is_none() {
                return Err(format!("has no running {name}"));
            }
            indices.push(index);
        }
        Ok(indices.into_iter().flat_map(|index| self.entries[index].apply(index, *verb, now)).collect())
    }

    /// The process of a component runs now.
    pub(crate) fn started(&mut self, index: usize, pid: i32, now: Duration) {
        let entry = &mut self.entries[index];
        (entry.pid, entry.started_at, entry.start_at) = (Some(pid), now, None);
        entry.starts += 1;
    }

    /// A process ended, or (without a pid) could not be started.
    pub(crate) fn ended(&mut self, index: usize, now: Duration) {
        let entry = &mut self.entries[index];
        (entry.pid, entry.paused, entry.kill_at) = (None, false, None);
        if entry.wanted && entry.start_at.is_none() {
            if now.saturating_sub(entry.started_at) >= HEALTHY_AFTER {
                entry.failures = 0;
            }
            let pause = FIRST_PAUSE.saturating_mul(1 << entry.failures.min(8)).min(LONGEST_PAUSE);
            entry.failures += 1;
            entry.start_at = Some(now + pause);
        }
    }

    /// The component whose process this was.
    pub(crate) fn index_of(&self, pid: i32) -> Option<usize> {
        self.entries.iter().position(|e| e.pid == Some(pid))
    }

    /// What is due now.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if entry.pid.is_none() && entry.wanted && entry.start_at.is_some_and(|at| at <= now) {
                entry.start_at = None;
                actions.push(Action::Spawn(index));
            }
            if let (Some(pid), Some(at)) = (entry.pid, entry.kill_at)
                && at <= now
            {
                entry.kill_at = None;
                actions.push(Action::Signal(pid, Signal::Kill));
            }
        }
        actions
    }

    /// When [`Self::due`] has something to say next.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.entries
            .iter()
            .flat_map(|e| [e.start_at.filter(|_| e.wanted && e.pid.is_none()), e.kill_at])
            .flatten()
            .min()
    }

    /// The state of all components.
    pub(crate) fn status(&self) -> Vec<ComponentStatus> {
        self.entries.iter().map(Entry::status).collect()
    }
}

impl Entry {
    fn apply(&mut self, index: usize, verb: Verb, now: Duration) -> Vec<Action> {
        match (verb, self.pid) {
            (Verb::Start, None) => {
                (self.wanted, self.failures, self.start_at) = (true, 0, None);
                vec![Action::Spawn(index)]
            }
            (Verb::Start, Some(pid)) => {
                self.wanted = true;
                if self.kill_at.is_some() {
                    // It is on its way out: start it again as soon as it is gone.
                    self.start_at = Some(now);
                }
                self.resume(pid)
            }
            (Verb::Stop, pid) => {
                (self.wanted, self.start_at) = (false, None);
                let Some(pid) = pid else { return Vec::new() };
                self.kill_at = Some(now + GRACE);
                let mut actions = self.resume(pid);
                actions.push(Action::Signal(pid, Signal::Terminate));
                actions
            }
            (Verb::Kill, Some(pid)) => {
                self.start_at = self.wanted.then_some(now);
                vec![Action::Signal(pid, Signal::Kill)]
            }
            (Verb::Pause, Some(pid)) => {
                self.paused = true;
                vec![Action::Signal(pid, Signal::Pause)]
            }
            (Verb::Resume, Some(pid)) => self.resume(pid),
            (Verb::Kill | Verb::Pause | Verb::Resume, None) => Vec::new(),
        }
    }

    fn resume(&mut self, pid: i32) -> Vec<Action> {
        if std::mem::take(&mut self.paused) { vec![Action::Signal(pid, Signal::Resume)] } else { Vec::new() }
    }

    fn status(&self) -> ComponentStatus {
        let state = match (self.pid, self.paused, self.wanted) {
            (Some(_), true, _) => ComponentState::Paused,
            (Some(_), false, _) => ComponentState::Running,
            (None, _, true) => ComponentState::Restarting,
            (None, _, false) => ComponentState::Stopped,
        };
        ComponentStatus {
            name: self.name.clone(),
            state,
            restarts: self.starts.saturating_sub(1),
            pid: self.pid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn ask(supervision: &mut Supervision, verb: Verb, now: Duration) -> Result<Vec<Action>, String> {
        supervision.request(&Request::Do(verb, vec!["etcd".into()]), now)
    }

    fn running() -> Supervision {
        let mut supervision = Supervision::new(&[Component::new("etcd", [])]);
        assert_eq!(ask(&mut supervision, Verb::Start, at(0)), Ok(vec![Action::Spawn(0)]));
        supervision.started(0, 7, at(0));
        supervision
    }

    fn state(supervision: &Supervision) -> ComponentState {
        supervision.status()[0].state
    }

    #[test]
    fn a_component_that_ends_by_itself_starts_again_ever_later() {
        let mut supervision = running();
        let mut pauses = Vec::new();
        let mut now = at(0);
        for _ in 0..7 {
            supervision.ended(0, now);
            assert_eq!(state(&supervision), ComponentState::Restarting);
            let next = supervision.deadline().unwrap();
            assert_eq!(supervision.due(next - at(1)), []);
            assert_eq!(supervision.due(next), [Action::Spawn(0)]);
            supervision.started(0, 8, next);
            pauses.push((next - now).as_millis());
            now = next;
        }
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        supervision.ended(0, now + HEALTHY_AFTER);
        assert_eq!(supervision.deadline(), Some(now + HEALTHY_AFTER + FIRST_PAUSE));
    }

    #[test]
    fn a_kill_starts_again_at_once_and_a_stop_never() {
        let mut supervision = running();
        assert_eq!(ask(&mut supervision, Verb::Kill, at(5)), Ok(vec![Action::Signal(7, Signal::Kill)]));
        supervision.ended(0, at(6));
        assert_eq!(supervision.due(at(6)), [Action::Spawn(0)]);
        supervision.started(0, 8, at(6));

        ask(&mut supervision, Verb::Stop, at(10)).unwrap();
        assert_eq!(supervision.due(at(10) + GRACE), [Action::Signal(8, Signal::Kill)]);
        supervision.ended(0, at(6000));
        assert_eq!((state(&supervision), supervision.deadline()), (ComponentState::Stopped, None));
    }

    #[test]
    fn a_paused_component_is_resumed_before_it_is_stopped() {
        let mut supervision = running();
        ask(&mut supervision, Verb::Pause, at(1)).unwrap();
        assert_eq!(state(&supervision), ComponentState::Paused);
        let actions = ask(&mut supervision, Verb::Stop, at(2)).unwrap();
        assert_eq!(actions, [Action::Signal(7, Signal::Resume), Action::Signal(7, Signal::Terminate)]);
    }

    #[test]
    fn a_start_during_a_stop_starts_again() {
        let mut supervision = running();
        ask(&mut supervision, Verb::Stop, at(1)).unwrap();
        ask(&mut supervision, Verb::Start, at(2)).unwrap();
        supervision.ended(0, at(3));
        assert_eq!(supervision.due(at(3)), [Action::Spawn(0)]);
    }

    #[test]
    fn what_cannot_be_done_is_refused_and_changes_nothing() {
        let mut supervision = Supervision::new(&[Component::new("etcd", [])]);
        assert!(ask(&mut supervision, Verb::Kill, at(0)).unwrap_err().contains("no running etcd"));
        let unknown = Request::Do(Verb::Start, vec!["etcd".into(), "docker".into()]);
        assert!(supervision.request(&unknown, at(0)).unwrap_err().contains("it runs etcd"));
        assert_eq!(state(&supervision), ComponentState::Stopped);
    }
}
