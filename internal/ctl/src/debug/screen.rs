//! What is shown, as text or as JSON: pure functions of what was read.

mod colour;
mod text;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::record::{Explanation, Exported, Record, Standing};
use colour::Paint;
pub(crate) use text::plain;

/// How things are shown, and what was shown already: the heading, the day.
#[derive(Clone, Debug)]
pub(crate) enum Screen {
    /// For people.
    Text(text::Sheet),
    /// One object a line.
    Json,
}

impl Screen {
    pub(crate) fn text(colour: bool) -> Self {
        Self::Text(text::Sheet::new(Paint::new(colour)))
    }

    pub(crate) fn json() -> Self {
        Self::Json
    }

    /// One event of many.
    pub(crate) fn line(&mut self, record: &Record) -> String {
        match self {
            Self::Text(sheet) => sheet.line(record),
            Self::Json => object(record),
        }
    }

    /// One event with everything in it.
    pub(crate) fn whole(&self, record: &Record) -> String {
        match self {
            Self::Text(sheet) => sheet.whole(record),
            Self::Json => object(record),
        }
    }

    /// An explanation; as JSON one line a step.
    pub(crate) fn why(&self, explanation: &Explanation) -> String {
        match self {
            Self::Text(sheet) => sheet.why(explanation),
            Self::Json => explanation.steps.iter().map(object).collect(),
        }
    }

    /// How a process is doing.
    pub(crate) fn state(&self, standing: &Standing) -> String {
        match self {
            Self::Text(sheet) => sheet.state(standing),
            Self::Json => object(standing),
        }
    }

    /// What was written to a file.
    pub(crate) fn exported(&self, path: &Path, told: Exported) -> String {
        let Exported { events, first, last } = told;
        match self {
            Self::Text(_) if events == 0 => {
                format!("{} has no events: there are none in that range\n", path.display())
            }
            Self::Text(_) => format!("{} has {events} events, {first} to {last}\n", path.display()),
            Self::Json => object(
                &json!({"file": path.display().to_string(), "events": events, "first": first, "last": last}),
            ),
        }
    }
}

/// One line of JSON. Plain structs always have one.
fn object(value: &impl Serialize) -> String {
    serde_json::to_string(value).map(|line| line + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests;
