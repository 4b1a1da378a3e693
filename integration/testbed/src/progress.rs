//! What the user sees while something takes long: moving lines on a terminal, plain lines elsewhere. Always on standard
//! error, so that standard output stays for results.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Reports the steps of a command.
#[derive(Debug)]
pub struct Progress {
    bars: Option<MultiProgress>,
    started: Instant,
}

/// One thing that takes a while, such as a cluster that comes up.
#[derive(Debug)]
pub struct Task<'a> {
    progress: &'a Progress,
    name: String,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Moving lines when standard error is a terminal, else plain ones.
    pub fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new), started: Instant::now() }
    }

    /// Starts a task that has a line of its own.
    pub fn task(&self, name: &str) -> Task<'_> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {prefix:.bold} {wide_msg} {elapsed:.dim}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Task { progress: self, name: name.to_owned(), bar }
    }

    /// A line that stays.
    pub fn say(&self, name: &str, text: &str) {
        let line = format!("{name}: {text}");
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(line);
            }
            None => self.plain(&line),
        }
    }

    fn plain(&self, line: &str) {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(std::io::stderr(), "[{:5.1} s] {line}", self.started.elapsed().as_secs_f32());
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Task<'_> {
    /// The step that begins now.
    pub fn step(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => self.progress.plain(&format!("{}: {text}", self.name)),
        }
    }

    /// The task is over; `text` stays on the screen.
    pub fn done(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.progress.say(&self.name, text);
    }
}
