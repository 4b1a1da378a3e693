//! Label selectors as they are typed, as terms of a node selector.
//!
//! Source: the grammar of label selectors in the documentation of Kubernetes: requirements, all of which have to be met,
//! are separated by commas; each is `key`, `!key`, `key = value`, `key == value`, `key != value`, `key in (a, b)` or
//! `key notin (a, b)`.

use liqo_model::crd::{NodeSelectorOperator as Operator, NodeSelectorRequirement, NodeSelectorTerm};

/// Reads a selector; the error says what is wrong.
pub(crate) fn parse(text: &str) -> Result<NodeSelectorTerm, String> {
    let mut requirements = Vec::new();
    let mut rest = text;
    loop {
        let (requirement, behind) = split(rest)?;
        requirements.push(read(requirement.trim())?);
        match behind {
            Some(behind) => rest = behind,
            None => {
                return Ok(NodeSelectorTerm { match_expressions: requirements, match_fields: Vec::new() });
            }
        }
    }
}

/// The first requirement and what is behind the comma, which is not one within parentheses.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    let mut within = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' if within => return Err("there is a parenthesis within parentheses".to_owned()),
            '(' => within = true,
            ')' if !within => return Err("a parenthesis is closed that was not opened".to_owned()),
            ')' => within = false,
            ',' if !within => return Ok((&text[..at], Some(&text[at + 1..]))),
            _ => {}
        }
    }
    if within { Err("a parenthesis is not closed".to_owned()) } else { Ok((text, None)) }
}

fn read(text: &str) -> Result<NodeSelectorRequirement, String> {
    if let Some((head, values)) = text.strip_suffix(')').and_then(|head| head.split_once('(')) {
        return in_list(head, values);
    }
    if let Some(key) = text.strip_prefix('!') {
        return requirement(key, Operator::DoesNotExist, &[]);
    }
    for (sign, operator) in [("!=", Operator::NotIn), ("==", Operator::In), ("=", Operator::In)] {
        if let Some((key, value)) = text.split_once(sign) {
            return requirement(key, operator, &[value]);
        }
    }
    requirement(text, Operator::Exists, &[])
}

fn in_list(head: &str, values: &str) -> Result<NodeSelectorRequirement, String> {
    let values: Vec<&str> = values.split(',').collect();
    match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        [key, "in"] => requirement(key, Operator::In, &values),
        [key, "notin"] => requirement(key, Operator::NotIn, &values),
        _ => Err("before a list in parentheses stands a key and `in` or `notin`".to_owned()),
    }
}

fn requirement(key: &str, operator: Operator, values: &[&str]) -> Result<NodeSelectorRequirement, String> {
    let key = key.trim();
    let values: Vec<String> = values.iter().map(|value| value.trim().to_owned()).collect();
    if key.is_empty() {
        return Err("a key is missing".to_owned());
    }
    let (prefix, name) = key.rsplit_once('/').unwrap_or(("a", key));
    let fits =
        |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    if name.is_empty() || prefix.is_empty() || !fits(name) || !fits(prefix) {
        return Err(format!("{key:?} is no key of a label"));
    }
    match values.iter().find(|value| !fits(value) || value.len() > 63) {
        Some(value) => Err(format!("{value:?} is no value of a label")),
        None => Ok(NodeSelectorRequirement { key: key.to_owned(), operator, values }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_as(text: &str) -> Result<Value, String> {
        parse(text).map(|term| serde_json::to_value(term).unwrap()["matchExpressions"].clone())
    }

    #[test]
    fn every_form_of_a_requirement_is_read() {
        let table = [
            ("region", json!([{"key": "region", "operator": "Exists"}])),
            ("!staging", json!([{"key": "staging", "operator": "DoesNotExist"}])),
            ("a=b", json!([{"key": "a", "operator": "In", "values": ["b"]}])),
            ("a == b", json!([{"key": "a", "operator": "In", "values": ["b"]}])),
            ("a != b", json!([{"key": "a", "operator": "NotIn", "values": ["b"]}])),
            ("a notin (b)", json!([{"key": "a", "operator": "NotIn", "values": ["b"]}])),
            ("a=", json!([{"key": "a", "operator": "In", "values": [""]}])),
            (
                "topology.liqo.io/region=south",
                json!([{"key": "topology.liqo.io/region", "operator": "In", "values": ["south"]}]),
            ),
            (
                "region in (europe,us-west), !staging",
                json!([
                    {"key": "region", "operator": "In", "values": ["europe", "us-west"]},
                    {"key": "staging", "operator": "DoesNotExist"},
                ]),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(read_as(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in [
            "",
            ",",
            "a,",
            "=b",
            "!",
            "a in b",
            "a in (b",
            "a b)",
            "a in ((b))",
            "a within (b)",
            "(b)",
            "a b",
            "a=b=c",
            "a/b/c=d",
            "/a",
            "a/",
            "a=b c",
        ] {
            assert!(read_as(text).is_err(), "{text}");
        }
    }
}
