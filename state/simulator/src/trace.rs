//! What happened, for people.

/// Lines kept. A run that needs more than these to be understood is better run again with fewer steps.
const LINES: usize = 50_000;

/// Lines of a run; none unless they are wanted, since most runs are read by nobody.
#[derive(Debug)]
pub(crate) struct Trace {
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(wanted: bool) -> Self {
        Self { lines: wanted.then(Vec::new) }
    }

    pub(crate) fn note(&mut self, step: u64, now: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines
            && lines.len() < LINES
        {
            lines.push(format!("{step:>6} {:>8}.{:03} s  {}", now / 1000, now % 1000, line()));
        }
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}

impl crate::world::World {
    /// Writes down what happens, when somebody wants to read it.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.note(self.steps, self.now, line);
    }
}
