//! Text for people: aligned columns, one line an event.

use std::fmt::Write;

use super::Paint;
use crate::debug::record::{CUT, ECHO, Explanation, Record, Standing, Step};

/// Longest name of an event, `RemoteNamespaceChosen`.
const NAME: usize = 21;

/// Columns under one heading.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    paint: Paint,
    day: Option<String>,
}

impl Sheet {
    pub(super) fn new(paint: Paint) -> Self {
        Self { paint, day: None }
    }

    /// An event in one line; before the first one the heading, before each new day its date.
    pub(super) fn line(&mut self, record: &Record) -> String {
        let mut text = String::new();
        let (day, time) = moment(record);
        if self.day.is_none() {
            let heading =
                format!("{:>8}  {:<12}  {:>8}  {:<NAME$}  WHAT", "SEQ", "TIME (UTC)", "CAUSE", "EVENT");
            put(&mut text, self.paint.faint(heading));
        }
        if self.day.as_deref() != Some(day) {
            put(&mut text, self.paint.faint(format!("{:>8}  {day}", "")));
            self.day = Some(day.to_owned());
        }
        let cause = record.caused_by.map(|seq| seq.to_string()).unwrap_or_default();
        let name = self.paint.event(&record.name, record.family, format!("{:<NAME$}", name(record)));
        let (seq, what) = (record.seq, plain(&record.summary));
        put(
            &mut text,
            format!("{seq:>8}  {time:<12}  {}  {name}  {what}", self.paint.faint(format!("{cause:>8}"))),
        );
        text
    }

    /// An event with everything in it.
    pub(super) fn whole(&self, record: &Record) -> String {
        let object = record.object.as_ref().map(|object| {
            let namespace =
                if object.namespace.is_empty() { String::new() } else { format!("{}/", object.namespace) };
            format!("{}/{namespace}{} (cluster {})", object.kind, object.name, object.cluster)
        });
        let family = if record.family.is_empty() { "unknown" } else { record.family };
        let rows = [
            ("event", Some(format!("{} {} (kind {}, {family})", record.seq, name(record), record.kind))),
            ("recorded", Some(record.recorded_at.clone())),
            ("caused by", record.caused_by.map(|seq| format!("event {seq}"))),
            ("object", object),
            ("state after", Some(record.state_digest.clone())),
            ("trace", record.trace_id.clone()),
            ("summary", Some(record.summary.clone())),
        ];
        let mut text = String::new();
        for (label, value) in rows {
            if let Some(value) = value {
                put(
                    &mut text,
                    format!("{} {}", self.paint.faint(format!("{:<12}", format!("{label}:"))), plain(&value)),
                );
            }
        }
        let payload = serde_json::to_string_pretty(&record.payload).unwrap_or_default();
        payload.lines().for_each(|line| put(&mut text, plain(line)));
        text
    }

    /// An explanation as a tree.
    pub(super) fn why(&self, explanation: &Explanation) -> String {
        let mut text = String::new();
        let mut day = "";
        for step in &explanation.steps {
            let (of_step, _) = moment(&step.event);
            if of_step != day {
                put(&mut text, self.paint.faint(format!("{:>8}  {of_step}", "")));
                day = of_step;
            }
            put(&mut text, self.step(step));
        }
        if explanation.omitted > 0 {
            put(
                &mut text,
                self.paint.faint(format!("{:>8}  and {} more consequences", "", explanation.omitted)),
            );
        }
        if explanation.steps.first().is_some_and(|first| first.relation == CUT) {
            let from = explanation.searched_from;
            let words = format!(
                "{:>8}  the first cause is not among the events from {from} on, or deeper than --depth",
                ""
            );
            put(&mut text, self.paint.faint(words));
        }
        text
    }

    fn step(&self, step: &Step) -> String {
        let event = &step.event;
        let (_, time) = moment(event);
        let indent = "   ".repeat(usize::try_from(step.depth.saturating_sub(1)).unwrap_or(0));
        let branch = if step.depth == 0 { String::new() } else { format!("{indent}└─ ") };
        let echo = if step.relation == ECHO { "(as that left it) " } else { "" };
        let name = self.paint.event(&event.name, event.family, name(event));
        let what = format!("{name}: {echo}{}", plain(&event.summary));
        let marker = if step.asked { self.paint.strong(">") } else { " ".to_owned() };
        format!("{:>8}  {time:<12} {marker} {}{what}", event.seq, self.paint.faint(branch))
    }

    /// How a process is doing.
    pub(super) fn state(&self, standing: &Standing) -> String {
        let role = match (standing.leader, standing.live) {
            (true, true) => format!("leader of epoch {}, live", standing.epoch),
            (true, false) => {
                format!("leader of epoch {}, not live yet: it looks before it acts", standing.epoch)
            }
            (false, _) => "follower".to_owned(),
        };
        let log = match &standing.degraded_because {
            Some(why) => format!("in memory only since {}: {}", why.since, why.reason),
            None => "durable".to_owned(),
        };
        let put_aside = standing.put_aside.iter().map(|why| ("log put aside".to_owned(), why.clone()));
        let mut rows = vec![
            ("role".to_owned(), role),
            ("log".to_owned(), log),
            ("last event".to_owned(), standing.seq.to_string()),
            ("state".to_owned(), standing.digest.clone()),
        ];
        rows.extend(put_aside);
        rows.extend(standing.counts.iter().map(|(name, count)| (name.clone(), count.to_string())));
        rows.extend(
            standing.log.iter().map(|(name, figure)| (format!("log {}", words(name)), figure.to_string())),
        );
        let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0) + 1;
        let mut text = String::new();
        for (label, value) in rows {
            let label = format!("{:<width$}", format!("{label}:"));
            put(&mut text, format!("{} {}", self.paint.faint(label), plain(&value)));
        }
        text
    }
}

fn name(record: &Record) -> &str {
    if record.name.is_empty() { "?" } else { &record.name }
}

/// `appendedBytes` as `appended bytes`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// Date and time of day of an event.
fn moment(record: &Record) -> (&str, &str) {
    record.recorded_at.trim_end_matches('Z').split_once('T').unwrap_or((&record.recorded_at, ""))
}

/// Texts come from objects that anyone may have written: what would move a cursor or change colours is shown instead.
pub(crate) fn plain(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut plain, letter| {
        if letter.is_control() {
            plain.extend(letter.escape_default());
        } else {
            plain.push(letter);
        }
        plain
    })
}

fn put(text: &mut String, line: impl AsRef<str>) {
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{}", line.as_ref().trim_end());
}
