//! No Rust file has more than 600 lines, and half of those with production code have at most 150 lines of it.

use syn::Item;

use crate::picture::{File, Picture};
use crate::violation::Violation;
use crate::{module_tree, syntax};

const RULE: &str = "file_budget";
const MOST_LINES: usize = 600;
const MEDIAN_LINES: usize = 150;

/// Checks the length of each file, and the median of the production lines.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found: Vec<_> = picture.rust().filter_map(|(file, text)| too_long(file, text)).collect();
    let mut sizes = production_sizes(picture);
    sizes.sort_unstable();
    let median = sizes.len().checked_sub(1).map(|last| sizes[last / 2].0);
    if let (Some(median), Some((_, longest))) = (median.filter(|median| *median > MEDIAN_LINES), sizes.last())
    {
        let message = format!(
            "half of all files have {median} production lines or more, and {MEDIAN_LINES} is the budget: split files by \
             concept, the longest first, which is this one"
        );
        found.push(Violation::new(RULE, longest, 1, message));
    }
    found
}

fn too_long(file: &File, text: &str) -> Option<Violation> {
    let lines = text.lines().count();
    let message = format!("{lines} lines, and {MOST_LINES} is the limit: split the file by concept");
    (lines > MOST_LINES).then(|| Violation::new(RULE, &file.path, MOST_LINES, message))
}

/// Lines of each file that holds production code, with its path.
fn production_sizes(picture: &Picture) -> Vec<(usize, &str)> {
    let reached = module_tree::reached(picture);
    let production = picture.rust().filter(|(file, _)| !reached.is_test(file));
    production.map(|(file, text)| (production_lines(text), file.path.as_str())).collect()
}

/// Lines of a file without those of items that only tests see.
fn production_lines(text: &str) -> usize {
    let tests = syntax::parse(text).map_or(0, |file| test_lines(&file.items));
    text.lines().count().saturating_sub(tests)
}

fn test_lines(items: &[Item]) -> usize {
    let of_item = |item: &Item| match item {
        _ if syntax::is_test(syntax::attributes(item)) => syntax::lines(item),
        Item::Mod(module) => module.content.as_ref().map_or(0, |(_, items)| test_lines(items)),
        _ => 0,
    };
    items.iter().map(of_item).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> String {
        "//! Line.\n".repeat(count)
    }

    #[test]
    fn files_within_the_budget_are_good() {
        let (long, short) = (lines(600), lines(150));
        assert_eq!(check(&Picture::of(&[("a.rs", &long), ("b.rs", &short), ("c.rs", &short)])), []);
        assert_eq!(check(&Picture::default()), []);
    }

    #[test]
    fn one_line_too_many_is_reported() {
        let (long, short) = (lines(601), lines(1));
        let found = check(&Picture::of(&[("a.rs", &long), ("b.rs", &short)]));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].file.as_str(), found[0].line), ("a.rs", 600));
    }

    #[test]
    fn a_median_above_the_budget_names_the_longest_file() {
        let (long, middle, short) = (lines(300), lines(151), lines(10));
        let found = check(&Picture::of(&[("a.rs", &long), ("b.rs", &middle), ("c.rs", &short)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].file, "a.rs");
    }

    #[test]
    fn tests_do_not_count_as_production() {
        let text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        assert_eq!(production_lines(text), 2);
        let long = lines(300);
        assert_eq!(check(&Picture::of(&[("a/tests/b.rs", &long), ("c.rs", "")])), []);
    }
}
