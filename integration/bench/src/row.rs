//! One figure with its goal: a line of JSON for programs, a line of a table for people.

use std::io::Write as _;

use serde::{Deserialize, Serialize};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    name: String,
    figure: f64,
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
    /// Figure ÷ goal; nothing without a goal, or with one of 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, figure: f64, unit: &str, goal: Option<Goal>) -> Self {
        let limit = goal.map(|(Goal::AtMost(limit) | Goal::AtLeast(limit))| limit);
        Self {
            name: name.into(),
            // The sum of no figures is -0.
            figure: figure + 0.0,
            unit: unit.to_owned(),
            goal,
            ratio: limit.filter(|limit| *limit != 0.0).map(|limit| figure / limit),
            ok: goal.map(|goal| match goal {
                Goal::AtMost(most) => figure <= most,
                Goal::AtLeast(least) => figure >= least,
            }),
        }
    }

    fn cells(&self) -> [String; 6] {
        let goal = match self.goal {
            None => String::new(),
            Some(Goal::AtMost(most)) => format!("≤ {}", number(most)),
            Some(Goal::AtLeast(least)) => format!("≥ {}", number(least)),
        };
        let verdict = match self.ok {
            None => "",
            Some(true) => "ok",
            Some(false) => "NOT",
        };
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        [self.name.clone(), number(self.figure), self.unit.clone(), goal, ratio, verdict.to_owned()]
    }
}

/// Prints a figure that has a goal or none.
pub(crate) fn emit(name: impl Into<String>, figure: f64, unit: &str, goal: impl Into<Option<Goal>>) {
    let row = Row::new(name, figure, unit, goal.into());
    // A figure that is no number has no JSON; there is none such, and a table without it says so.
    if let Ok(line) = serde_json::to_string(&row) {
        // Nobody measures into a closed pipe.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// The figures of these lines as a table.
pub(crate) fn table(lines: &str) -> Result<String, serde_json::Error> {
    let rows: Vec<Row> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let head = ["name", "figure", "unit", "goal", "ratio", ""].map(str::to_owned);
    let cells: Vec<[String; 6]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 6];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let [name, figure, unit, goal, ratio, _] = widths;
    let line = |row: &[String; 6]| {
        let [a, b, c, d, e, f] = row;
        let line = format!("{a:name$}  {b:>figure$}  {c:unit$}  {d:>goal$}  {e:>ratio$}  {f}", name = name);
        line.trim_end().to_owned() + "\n"
    };
    Ok(cells.iter().map(line).collect())
}

/// As many digits as mean something.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_goal() {
        let judged = |figure, goal| {
            let row = Row::new("a", figure, "s", Some(goal));
            (row.ratio, row.ok)
        };
        assert_eq!(judged(0.5, Goal::AtMost(1.0)), (Some(0.5), Some(true)));
        assert_eq!(judged(2.0, Goal::AtMost(1.0)), (Some(2.0), Some(false)));
        assert_eq!(judged(2.0, Goal::AtLeast(1.0)), (Some(2.0), Some(true)));
        assert_eq!(judged(0.0, Goal::AtMost(0.0)), (None, Some(true)));
        assert_eq!(Row::new("a", -0.0, "s", None).cells()[1], "0");
    }

    #[test]
    fn lines_become_a_table() {
        let rows =
            [Row::new("restart", 0.25, "s", Some(Goal::AtMost(1.0))), Row::new("b", 1234.5, "KiB", None)];
        let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        let expected = "\
name     figure  unit  goal  ratio
restart   0.250  s      ≤ 1   0.25  ok
b          1234  KiB
";
        assert_eq!(table(&lines.join("\n")).unwrap(), expected);
    }
}
