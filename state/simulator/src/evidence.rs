//! What is kept of a run that broke a promise: its trace, and the logs that a debugger can replay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use liqo_events::ExportWriter;

use crate::run::Report;

/// Where the evidence is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// A directory with `trace.txt` and a file of exported events for each process.
    pub directory: PathBuf,
    /// A command that runs the same history again.
    pub again: String,
}

/// Writes trace and logs of a run to `seed-N` in a directory.
///
/// # Errors
///
/// What the system says about the directory or the files.
pub fn keep(report: &Report, within: &Path, options: &str) -> io::Result<Evidence> {
    let directory = within.join(format!("seed-{}", report.seed));
    fs::create_dir_all(&directory)?;
    let again = format!("cargo run -p liqo-simulator --example simulate -- --seed {}{options}", report.seed);
    let mut text = format!("seed {}: run again with\n  {again}\n\n", report.seed);
    for line in &report.trace {
        text.push_str(line);
        text.push('\n');
    }
    fs::write(directory.join("trace.txt"), text)?;
    for (name, envelopes) in &report.logs {
        let file = fs::File::create(directory.join(format!("{name}.events")))?;
        let mut writer = ExportWriter::new(io::BufWriter::new(file)).map_err(io::Error::other)?;
        for envelope in envelopes {
            writer.write(envelope).map_err(io::Error::other)?;
        }
        writer.finish().map_err(io::Error::other)?;
    }
    Ok(Evidence { directory, again })
}
