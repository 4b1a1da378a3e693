//! Titles, keys and values in boxes.

/// Columns within a box.
const WIDTH: usize = 82;
/// Columns by which each level is moved to the right.
const STEP: usize = 4;

/// Something in a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A key and its value.
    Pair(String, String),
    /// A key and what belongs to it.
    Group(String, Vec<Entry>),
    /// A line by itself.
    Line(String),
    /// A line that says what is wrong.
    Fault(String),
}

impl Entry {
    pub(crate) fn pair(key: &str, value: impl Into<String>) -> Self {
        Self::Pair(key.to_owned(), value.into())
    }

    pub(crate) fn group(key: &str, entries: Vec<Self>) -> Self {
        Self::Group(key.to_owned(), entries)
    }
}

/// A box with its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) entries: Vec<Entry>,
}

/// Draws boxes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boxes {
    colour: bool,
}

/// A line before it is in a box: the part that stands out, and the rest.
struct Row {
    indent: usize,
    head: String,
    rest: String,
    wrong: bool,
}

impl Boxes {
    pub(crate) fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// The boxes, with an empty line between two.
    pub(crate) fn drawn(self, sections: &[Section]) -> String {
        let boxes: Vec<String> = sections.iter().map(|section| self.one(section)).collect();
        boxes.join("\n")
    }

    fn one(self, section: &Section) -> String {
        let title = format!("─ {} ", section.title);
        let mut text = format!("┌{title:─<WIDTH$}┐\n");
        for row in rows(&section.entries, 0) {
            text.push_str(&self.row(&row));
        }
        text.push_str(&format!("└{}┘\n", "─".repeat(WIDTH)));
        text
    }

    /// A row, on as many lines as it needs.
    fn row(self, row: &Row) -> String {
        let room = WIDTH.saturating_sub(3 + row.indent).max(20);
        let mut text = String::new();
        for (at, line) in wrapped(&format!("{}{}", row.head, row.rest), room).iter().enumerate() {
            // What stands out is on the first line, unless it is longer than that.
            let head = if at == 0 { row.head.chars().count() } else { 0 };
            let (head, rest): (String, String) =
                (line.chars().take(head).collect(), line.chars().skip(head).collect());
            let gap = " ".repeat(room.saturating_sub(line.chars().count()));
            let indent = " ".repeat(2 + row.indent);
            let (head, rest) =
                (self.painted("1", head), if row.wrong { self.painted("31", rest) } else { rest });
            text.push_str(&format!("|{indent}{head}{rest}{gap} |\n"));
        }
        text
    }

    fn painted(self, code: &str, words: String) -> String {
        if self.colour && !words.is_empty() { format!("\u{1b}[{code}m{words}\u{1b}[0m") } else { words }
    }
}

/// Lines of at most that many letters, broken behind a space where there is one.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut rest: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    while rest.len() > room {
        // A break near the beginning would leave most of the line empty.
        let space = rest[room / 2..=room].iter().rposition(|letter| *letter == ' ').map(|at| at + room / 2);
        let behind = rest.split_off(space.unwrap_or(room));
        lines.push(rest.into_iter().collect());
        rest = behind.into_iter().skip(usize::from(space.is_some())).collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

fn rows(entries: &[Entry], indent: usize) -> Vec<Row> {
    let keys = entries.iter().filter_map(|entry| match entry {
        Entry::Pair(key, _) => Some(key.chars().count()),
        _ => None,
    });
    let longest = keys.max().unwrap_or_default();
    entries.iter().flat_map(|entry| rows_of(entry, indent, longest)).collect()
}

fn rows_of(entry: &Entry, indent: usize, longest: usize) -> Vec<Row> {
    let row = |head: String, rest: String, wrong: bool| Row { indent, head, rest, wrong };
    match entry {
        Entry::Pair(key, value) => {
            let gap = " ".repeat(longest - key.chars().count() + 1);
            vec![row(format!("{key}:"), format!("{gap}{value}"), false)]
        }
        Entry::Group(key, entries) => {
            let mut all = vec![row(key.clone(), String::new(), false)];
            all.extend(rows(entries, indent + STEP));
            all
        }
        Entry::Line(text) => vec![row(String::new(), text.clone(), false)],
        Entry::Fault(text) => vec![row(String::new(), format!("✖ {text}"), true)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_group_stand_in_columns() {
        let entries = vec![
            Entry::Line("✔ all".to_owned()),
            Entry::group("Network", vec![Entry::pair("Pod CIDR", "10.200.0.0/16"), Entry::pair("Type", "x")]),
            Entry::Fault("y".repeat(90)),
        ];
        let drawn = Boxes::new(false).drawn(&[Section { title: "Local", entries }]);
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() == WIDTH + 2), "{drawn}");
        assert!(lines[0].starts_with("┌─ Local ───"), "{drawn}");
        assert_eq!(lines[1].trim_end_matches([' ', '|']), "|  ✔ all");
        assert_eq!(lines[3].trim_end_matches([' ', '|']), "|      Pod CIDR: 10.200.0.0/16");
        assert_eq!(lines[4].trim_end_matches([' ', '|']), "|      Type:     x");
        assert_eq!(lines[5], format!("|  ✖ {} |", "y".repeat(77)));
        assert_eq!(lines[6].trim_end_matches([' ', '|']), format!("|  {}", "y".repeat(13)));
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two", 7), ["one two"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn colours_take_no_room() {
        let entries = vec![Entry::pair("Key", "value")];
        let drawn = Boxes::new(true).drawn(&[Section { title: "T", entries }]);
        assert!(drawn.contains("|  \u{1b}[1mKey:\u{1b}[0m value "), "{drawn}");
    }
}
