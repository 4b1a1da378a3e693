//! Errors of the command line itself, in the one-line form of all others.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Prints help where it was asked for, else one line that names the argument and the fix.
pub(crate) fn report(error: &Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nobody reads the help when standard output is closed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    eprintln!("testbed: {}", line(error));
    ExitCode::FAILURE
}

fn line(error: &Error) -> String {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let first = paragraphs.next().unwrap_or_default().trim_start_matches("error: ");
    let problem = first.split_whitespace().collect::<Vec<_>>().join(" ");
    // Our own parsers name argument, value, problem and fix themselves.
    if let (ErrorKind::ValueValidation, Some(source)) = (error.kind(), std::error::Error::source(error)) {
        let own = source.to_string();
        return if own.contains("; ") && own.contains('"') { own } else { problem };
    }
    let suggestion =
        match error.get(ContextKind::SuggestedArg).or(error.get(ContextKind::SuggestedSubcommand)) {
            Some(ContextValue::String(one)) => Some(one.clone()),
            Some(ContextValue::Strings(several)) => several.first().cloned(),
            _ => None,
        };
    match suggestion {
        Some(suggestion) => format!("{problem}; did you mean {suggestion}?"),
        None => format!("{problem}; `testbed --help` and `testbed COMMAND --help` list what there is"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::arguments::Arguments;

    fn refused(words: &str) -> String {
        line(&Arguments::try_parse_from(words.split(' ')).unwrap_err())
    }

    #[test]
    fn every_mistake_is_one_line_that_names_it() {
        for (words, named) in [
            ("testbed up rome --no-such-flag", "--no-such-flag"),
            ("testbed up rome --node 2", "--nodes"),
            ("testbed upp rome", "up"),
            ("testbed up", "<NAMES>"),
            ("testbed up ROME", "\"ROME\""),
            ("testbed up rome --pod-cidr 10.0.0.0/99", "--pod-cidr"),
            ("testbed up rome --nodes 0", "--nodes"),
            ("testbed up rome --nodes 2 --control-plane-only", "--control-plane-only"),
            ("testbed up rome --kubernetes-flags docker=--v", "docker=--v"),
            ("testbed fault heal", "<LINK>"),
            ("testbed exec rome-worker", "<COMMAND>"),
        ] {
            let line = refused(words);
            assert!(line.contains(named) && !line.contains('\n'), "{words}: {line}");
            assert!(line.contains(';') || line.contains("cannot be used"), "no fix: {line}");
        }
    }
}
