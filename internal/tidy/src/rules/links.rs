//! Links in Markdown to files of the repository lead to a file or directory that exists.

use crate::module_tree::join;
use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "links";

/// Checks every Markdown file.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in picture.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, link) in links(text) {
            let target = resolve(path, &link);
            if target.is_some_and(|target| !picture.has_file(&target) && !picture.has_directory(&target)) {
                let message = format!(
                    "{link} leads nowhere: correct the link, which counts from this file's directory"
                );
                found.push(Violation::new(RULE, path, line, message));
            }
        }
    }
    found
}

/// The path that a link means, from the root of the repository; nothing when it leads out into the web or to a heading.
fn resolve(file: &str, link: &str) -> Option<String> {
    let path = link.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return None;
    }
    let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    Some(path.strip_prefix('/').map_or_else(|| join(directory, path), |path| join("", path)))
}

/// Targets of `[text](target)` and `[name]: target` with their lines, outside of code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if !fenced {
            found.extend(in_line(&without_code(line)).into_iter().map(|target| (index + 1, target)));
        }
    }
    found
}

fn in_line(line: &str) -> Vec<String> {
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let named = line.strip_prefix('[').and_then(|rest| rest.split_once("]:")).map(|(_, target)| target);
    let targets = inline.chain(named).filter_map(|target| target.split_whitespace().next());
    targets.map(|target| target.trim_matches(['<', '>']).to_owned()).collect()
}

/// The line without what stands between single back ticks; a back tick without a partner is text.
fn without_code(line: &str) -> String {
    let parts: Vec<_> = line.split('`').collect();
    let last = parts.len() - 1;
    let is_text = |index: usize| index.is_multiple_of(2) || (index == last && !last.is_multiple_of(2));
    parts.iter().enumerate().filter(|(index, _)| is_text(*index)).map(|(_, part)| *part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let files = [("docs/a.md", text), ("docs/b.md", ""), ("LICENSE", ""), ("state/model/src/lib.rs", "")];
        check(&Picture::of(&files)).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_good() {
        for text in [
            "[b](b.md) and [licence](../LICENSE \"title\")",
            "[b](b.md#heading), [here](#heading), [root](/state/model), [angle](<b.md>)",
            "[web](https://example.org/x), [mail](mailto:a@example.org)",
            "[name]: ../state/",
            "`[code](nowhere)` and\n```\n[code](nowhere)\n```\n",
        ] {
            assert_eq!(lines(text), [0; 0], "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_reported() {
        for text in
            ["[`a`](gone.md)", "[a](b.md), [b](LICENSE)", "[name]: gone", "[out](../../x)", "![i](/gone.png)"]
        {
            assert_eq!(lines(text), [1], "{text}");
        }
        assert_eq!(lines("```\n```\n\n[a](gone.md)\n"), [4]);
    }
}
