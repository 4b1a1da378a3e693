//! What may stand in a place of the command line.

use clap::Arg;

use super::place::{Place, takes_value};

/// A word that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) text: String,
    help: String,
}

impl Candidate {
    pub(super) fn new(text: impl Into<String>, help: impl ToString) -> Self {
        // One line each, and a tab ends the word.
        let help = help.to_string().lines().next().unwrap_or_default().replace('\t', " ");
        Self { text: text.into(), help }
    }

    /// The line for a script, with what is settled in front.
    pub(super) fn line(&self, before: &str) -> String {
        format!("{before}{}\t{}\n", self.text, self.help)
    }
}

/// What only the cluster, the kubeconfig or the shell knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Names of `ForeignClusters`.
    Peers,
    Namespaces,
    /// Namespaces that extend to other clusters.
    OffloadedNamespaces,
    /// Entries of the kubeconfig.
    Contexts,
    Clusters,
    Users,
    Files,
}

/// What the command line itself knows.
pub(super) fn listed(place: &Place<'_>) -> Vec<Candidate> {
    if let Some(flag) = place.flag {
        return values(flag);
    }
    if place.typed.starts_with('-') && !place.no_flags {
        return flags(place);
    }
    let mut found = Vec::new();
    if place.given.is_empty() && !place.no_flags {
        let commands = place.command.get_subcommands().filter(|command| !command.is_hide_set());
        found.extend(commands.map(|command| {
            Candidate::new(command.get_name(), command.get_about().cloned().unwrap_or_default())
        }));
    }
    found.extend(positional(place).map(values).unwrap_or_default());
    found
}

fn values(argument: &Arg) -> Vec<Candidate> {
    let possible = argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    let candidate = |value: clap::builder::PossibleValue| {
        Candidate::new(value.get_name(), value.get_help().cloned().unwrap_or_default())
    };
    // For a switch they would be true and false, which nobody types.
    if takes_value(argument) { possible.map(candidate).collect() } else { Vec::new() }
}

fn flags(place: &Place<'_>) -> Vec<Candidate> {
    let shown = place.command.get_arguments().filter(|flag| !flag.is_hide_set());
    let candidate = |flag: &Arg| {
        let help = flag.get_help().cloned().unwrap_or_default();
        flag.get_long().map(|name| Candidate::new(format!("--{name}"), help))
    };
    shown.filter_map(candidate).collect()
}

/// The argument that the word is, if the command takes one more.
fn positional<'a>(place: &Place<'a>) -> Option<&'a Arg> {
    let mut all = place.command.get_positionals();
    let several = |argument: &&Arg| argument.get_num_args().is_some_and(|number| number.max_values() > 1);
    all.nth(place.given.len()).or_else(|| place.command.get_positionals().last().filter(several))
}

/// What has to be asked for.
pub(super) fn wanted(place: &Place<'_>) -> Option<Wanted> {
    let argument = match place.flag {
        Some(flag) => flag,
        None if place.typed.starts_with('-') && !place.no_flags => return None,
        None => positional(place)?,
    };
    match argument.get_id().as_str() {
        "context" => return Some(Wanted::Contexts),
        "cluster" => return Some(Wanted::Clusters),
        "user" => return Some(Wanted::Users),
        _ => {}
    }
    let unoffload = place.command.get_bin_name().is_some_and(|name| name.contains(" unoffload"));
    let name = argument.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
    match name? {
        "CLUSTER" | "PEER" => Some(Wanted::Peers),
        "NAMESPACE" if unoffload && place.flag.is_none() => Some(Wanted::OffloadedNamespaces),
        "NAMESPACE" => Some(Wanted::Namespaces),
        "FILE" | "PATH" | "DIRECTORY" => Some(Wanted::Files),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::place::place;
    use super::*;
    use crate::Arguments;

    fn seen(line: &str) -> (Vec<String>, Option<Wanted>) {
        let mut root = Arguments::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let place = place(&root, &words);
        let fitting = listed(&place).into_iter().filter(|candidate| candidate.text.starts_with(&place.typed));
        (fitting.map(|candidate| candidate.text).collect(), wanted(&place))
    }

    #[test]
    fn commands_flags_and_values_are_listed() {
        assert_eq!(seen("unp"), (vec!["unpeer".to_owned()], None));
        assert_eq!(seen("completion ba"), (vec!["bash".to_owned()], None));
        assert_eq!(seen("status -o "), (vec!["json".to_owned(), "yaml".to_owned()], None));
        assert_eq!(seen("unpeer --pl"), (vec!["--plan".to_owned()], None));
        assert!(!seen("__").0.contains(&"__complete".to_owned()));
        assert_eq!(seen("status --verbose ").0, ["peer".to_owned(), "help".to_owned()]);
    }

    #[test]
    fn what_is_asked_for_follows_from_the_argument() {
        let table = [
            ("unpeer ", Some(Wanted::Peers)),
            ("unpeer out-of-band mi", Some(Wanted::Peers)),
            ("unpeer milan ", None),
            ("peer ", Some(Wanted::Peers)),
            ("status peer milan ro", Some(Wanted::Peers)),
            ("offload namespace ", Some(Wanted::Namespaces)),
            ("unoffload namespace ", Some(Wanted::OffloadedNamespaces)),
            ("status -n ", Some(Wanted::Namespaces)),
            ("--context ", Some(Wanted::Contexts)),
            ("status --cluster=", Some(Wanted::Clusters)),
            ("unpeer --user a", Some(Wanted::Users)),
            ("status --kubeconfig ", Some(Wanted::Files)),
            ("unpeer --", None),
            ("status ", None),
        ];
        for (line, expected) in table {
            assert_eq!(seen(line).1, expected, "{line}");
        }
    }
}
