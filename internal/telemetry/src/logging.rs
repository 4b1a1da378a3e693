//! Logs on standard error, one line an event.

use std::io::{self, IsTerminal};
use std::str::FromStr;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::TelemetryError;

/// What is logged unless somebody says otherwise: what a user would see happen.
///
/// Two libraries are left out because they log errors that they return as well: the client of API servers each refused
/// connection, the store each write that a full disk refuses. Their callers know what that means and say so once; ERROR
/// is left for what ends the process.
pub const DEFAULT_FILTER: &str = "info,kube_client::client::builder=off,sled=off";

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(TelemetryError::Format { format: other.to_owned() }),
        }
    }
}

/// Sends logs of the whole process to standard error. `filter` is a level, or levels by module: `info,liqo_engine=debug`.
///
/// # Errors
///
/// [`TelemetryError::Filter`]; [`TelemetryError::Twice`] when it was called before.
pub fn init_logging(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = lines(format, colour, io::stderr);
    let subscriber = Registry::default().with(lines).with(parsed(filter)?);
    subscriber.try_init().map_err(|source| TelemetryError::Twice { source })
}

fn parsed(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

fn lines<S, W>(format: LogFormat, colour: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    match format {
        LogFormat::Text => fmt::layer().with_ansi(colour).with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a process logs with these settings.
    fn logged(format: LogFormat, filter: &str) -> String {
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Writer(written.clone());
        let subscriber = Registry::default().with(lines(format, false, move || writer.clone()));
        tracing::subscriber::with_default(subscriber.with(parsed(filter).unwrap()), || {
            let _peering = tracing::info_span!("peering", cluster = "milan").entered();
            tracing::info!(phase = "ready", "the peering is established");
            tracing::debug!("detail");
            tracing::error!(target: "kube_client::client::builder", "failed with error connection refused");
            tracing::error!(target: "sled::tree", "failed to flush data to disk");
        });
        let bytes = written.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[derive(Clone)]
    struct Writer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().map_err(|_| io::Error::other("a test panicked"))?;
            written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_program_reads_each_line_as_an_object() {
        let text = logged(LogFormat::Json, DEFAULT_FILTER);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "the peering is established");
        assert_eq!(lines[0]["phase"], "ready");
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["span"]["cluster"], "milan");
    }

    #[test]
    fn a_person_reads_text_without_colour_codes() {
        let text = logged(LogFormat::Text, DEFAULT_FILTER);
        let told = "INFO peering{cluster=\"milan\"}: liqo_telemetry::logging::tests: the peering is established phase=\"ready\"\n";
        assert!(text.ends_with(told), "{text:?}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn errors_of_libraries_are_none_of_ours_unless_somebody_wants_them() {
        assert_eq!(logged(LogFormat::Text, DEFAULT_FILTER).matches("ERROR").count(), 0);
        assert_eq!(logged(LogFormat::Text, "info").matches("ERROR").count(), 2);
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        assert_eq!(logged(LogFormat::Text, "debug").lines().count(), 4);
        assert_eq!(logged(LogFormat::Text, "warn").lines().count(), 2);
        assert_eq!(logged(LogFormat::Text, "off,liqo_telemetry=info").lines().count(), 1);
        let refused = parsed("liqo=loud").unwrap_err();
        assert!(refused.to_string().starts_with("\"liqo=loud\" is no log filter"), "{refused}");
        assert!("xml".parse::<LogFormat>().is_err());
    }
}
