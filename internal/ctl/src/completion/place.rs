//! Where in a command line somebody is typing.

use clap::{Arg, Command};

/// The place of the last word.
pub(super) struct Place<'a> {
    /// The command that it belongs to.
    pub(super) command: &'a Command,
    /// The flag whose value it is.
    pub(super) flag: Option<&'a Arg>,
    /// What was given to the command without a flag.
    pub(super) given: Vec<String>,
    /// Whether there are no flags any more, behind `--`.
    pub(super) no_flags: bool,
    /// What of the word is settled: `--output=` in `--output=j`.
    pub(super) before: String,
    /// What of it may be gone on with.
    pub(super) typed: String,
}

/// Reads the words as far as they are known to the commands; what makes no sense is passed over.
pub(super) fn place<'a>(root: &'a Command, words: &[String]) -> Place<'a> {
    let (typed, words) =
        words.split_last().map_or((String::new(), words), |(last, words)| (last.clone(), words));
    let mut place =
        Place { command: root, flag: None, given: Vec::new(), no_flags: false, before: String::new(), typed };
    for word in words {
        place.pass(word);
    }
    place.enter();
    place
}

impl<'a> Place<'a> {
    /// Passes a word that is complete.
    fn pass(&mut self, word: &str) {
        if self.flag.take().is_some() {
            return;
        }
        if self.no_flags {
            self.given.push(word.to_owned());
        } else if word == "--" {
            self.no_flags = true;
        } else if let Some(long) = word.strip_prefix("--") {
            if !long.contains('=') {
                self.flag = self.long(long).filter(|flag| takes_value(flag));
            }
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            self.flag = self.short(letters);
        } else if let Some(command) = self.command.find_subcommand(word) {
            self.command = command;
            self.given.clear();
        } else {
            self.given.push(word.to_owned());
        }
    }

    /// Looks at the word that is typed at.
    fn enter(&mut self) {
        if self.flag.is_some() || self.no_flags {
            return;
        }
        let Some((long, _)) = self.typed.strip_prefix("--").and_then(|long| long.split_once('=')) else {
            return;
        };
        self.flag = self.long(long).filter(|flag| takes_value(flag));
        let typed = self.typed.split_off("--=".len() + long.len());
        self.before = std::mem::replace(&mut self.typed, typed);
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command
            .get_arguments()
            .find(|flag| flag.get_long_and_visible_aliases().is_some_and(|names| names.contains(&name)))
    }

    /// Of several letters the first that takes a value takes the rest, unless it is the last.
    fn short(&self, letters: &str) -> Option<&'a Arg> {
        let of = |letter: char| self.command.get_arguments().find(|flag| flag.get_short() == Some(letter));
        let first = letters.char_indices().find_map(|(at, letter)| {
            Some((at, letter, of(letter)?)).filter(|(_, _, flag)| takes_value(flag))
        });
        first.and_then(|(at, letter, flag)| (at + letter.len_utf8() == letters.len()).then_some(flag))
    }
}

/// Whether a value follows.
pub(super) fn takes_value(flag: &Arg) -> bool {
    flag.get_action().takes_values()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Arguments;

    /// The command, the flag, what was given, what is settled and what is typed.
    fn at(line: &str) -> (String, Option<String>, Vec<String>, String, String) {
        let mut root = Arguments::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let place = place(&root, &words);
        let flag = place.flag.map(|flag| flag.get_id().to_string());
        (place.command.get_name().to_owned(), flag, place.given, place.before, place.typed)
    }

    fn expected(
        command: &str,
        flag: Option<&str>,
        given: &[&str],
        (before, typed): (&str, &str),
    ) -> (String, Option<String>, Vec<String>, String, String) {
        let given = given.iter().map(|word| (*word).to_owned()).collect();
        (command.to_owned(), flag.map(str::to_owned), given, before.to_owned(), typed.to_owned())
    }

    #[test]
    fn the_place_is_found_behind_flags_and_commands() {
        assert_eq!(at("pe"), expected("liqoctl", None, &[], ("", "pe")));
        assert_eq!(at("unpeer "), expected("unpeer", None, &[], ("", "")));
        assert_eq!(at("unpeer oob mi"), expected("out-of-band", None, &[], ("", "mi")));
        assert_eq!(at("--context a unpeer mi"), expected("unpeer", None, &[], ("", "mi")));
        assert_eq!(at("status peer a b "), expected("peer", None, &["a", "b"], ("", "")));
        assert_eq!(at("status -o "), expected("status", Some("output"), &[], ("", "")));
        assert_eq!(at("status -vo j"), expected("status", Some("output"), &[], ("", "j")));
        assert_eq!(at("status -ojson "), expected("status", None, &[], ("", "")));
        assert_eq!(at("status --output=j"), expected("status", Some("output"), &[], ("--output=", "j")));
        assert_eq!(at("status --output=json "), expected("status", None, &[], ("", "")));
        assert_eq!(at("peer --namespace li"), expected("peer", Some("namespace"), &[], ("", "li")));
        assert_eq!(at("unpeer -- --x"), expected("unpeer", None, &[], ("", "--x")));
        assert_eq!(at("unpeer --plan mi"), expected("unpeer", None, &[], ("", "mi")));
    }
}
