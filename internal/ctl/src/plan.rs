//! What a command would do, in which cluster, before it does it.

use std::fmt::Write as _;

use crate::debug::plain;

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Create,
    Change,
    Delete,
    Evict,
    Keep,
}

impl Deed {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Evict => "evict",
            Self::Keep => "keep",
        }
    }
}

/// What becomes of an object, or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    deed: Deed,
    what: String,
}

impl Change {
    pub(crate) fn new(deed: Deed, what: impl Into<String>) -> Self {
        Self { deed, what: what.into() }
    }
}

/// Changes in one cluster by one doer, under a heading that says both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) heading: String,
    pub(crate) changes: Vec<Change>,
}

/// Everything that a command would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    parts: Vec<Part>,
}

impl Plan {
    /// Adds changes; a part without any is not shown.
    pub(crate) fn add(&mut self, heading: String, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.parts.push(Part { heading, changes });
        }
    }

    /// The plan for people.
    pub(crate) fn shown(&self) -> String {
        if self.parts.is_empty() {
            return "There is nothing to do\n".to_owned();
        }
        let mut text = "Nothing has been changed. Without --plan this command would\n".to_owned();
        for part in &self.parts {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n{}:\n", plain(&part.heading));
            for Change { deed, what } in &part.changes {
                let _ = writeln!(text, "  {:<6}  {}", deed.word(), plain(what));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stand_below_their_cluster() {
        let mut plan = Plan::default();
        assert_eq!(plan.shown(), "There is nothing to do\n");
        plan.add("in this cluster".to_owned(), vec![Change::new(Deed::Create, "Secret liqo/x")]);
        plan.add("in cluster milan".to_owned(), Vec::new());
        plan.add("in cluster rome".to_owned(), vec![Change::new(Deed::Evict, "pod a/b")]);
        let expected = "Nothing has been changed. Without --plan this command would\n\nin this cluster:\n  create  Secret \
                        liqo/x\n\nin cluster rome:\n  evict   pod a/b\n";
        assert_eq!(plan.shown(), expected);
    }
}
