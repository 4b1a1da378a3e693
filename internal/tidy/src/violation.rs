//! What a rule answers with: a place, the rule's name, and how to put it right.

use std::fmt;

use crate::Picture;

/// A rule: looks at the whole repository and returns every place that breaks it.
pub type Rule = fn(&Picture) -> Vec<Violation>;

/// One place that breaks one rule.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Violation {
    /// Path from the root of the repository.
    pub file: String,
    /// Line, counted from one; one as well where the whole file is meant.
    pub line: usize,
    /// Name of the rule, which is the name of its module.
    pub rule: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Violation {
    /// A violation of `rule` at a place.
    pub fn new(rule: &'static str, file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.message)
    }
}

/// All violations as one text, a line each, in the order of the tree.
pub fn report(mut violations: Vec<Violation>) -> String {
    violations.sort();
    violations.iter().map(|violation| format!("{violation}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_is_sorted_by_place() {
        let late = Violation::new("rule", "b.rs", 1, "mend b");
        let early = Violation::new("rule", "a.rs", 7, "mend a");
        assert_eq!(report(vec![late, early]), "a.rs:7: rule: mend a\nb.rs:1: rule: mend b\n");
    }
}
