//! Which nodes pods of an offloaded namespace may run on, and how that goes with what they ask for themselves.
//!
//! Source: api-and-control-plane of Liqo 0.8.3, §7.4. What 0.8.3 loses, `matchFields`, is kept: pods of DaemonSets are
//! bound to their nodes by it. A term without requirements selects nothing, on either side.

use liqo_api::labels;
use liqo_domain::Placement;
use liqo_events::{Requirement, SelectorTerm};
use serde_json::{Map, Value, json};

use crate::answer::Refusal;

/// Terms that are made of two lists of terms at most. A pod with so many could not be kept by the API server.
const MOST_TERMS: usize = 1000;
const EXPRESSIONS: &str = "matchExpressions";
const FIELDS: &str = "matchFields";

/// The terms that a node has to meet one of; nothing when any node will do.
pub(super) fn required(placement: &Placement) -> Option<Vec<Value>> {
    match placement {
        Placement::NotOffloaded | Placement::Undecided(_) | Placement::Local => None,
        Placement::Remote { terms } if terms.is_empty() => Some(vec![with(None, Some("In"))]),
        Placement::Remote { terms } => {
            let virtual_ones: Vec<_> = selecting(terms).map(|term| with(Some(term), Some("In"))).collect();
            // No cluster is selected, so no node is.
            Some(if virtual_ones.is_empty() { vec![json!({})] } else { virtual_ones })
        }
        Placement::LocalAndRemote { terms } if terms.is_empty() => None,
        Placement::LocalAndRemote { terms } => {
            let selected = selecting(terms).map(|term| with(Some(term), None));
            Some(selected.chain([with(None, Some("NotIn"))]).collect())
        }
    }
}

/// Terms that select anything.
fn selecting(terms: &[SelectorTerm]) -> impl Iterator<Item = &SelectorTerm> {
    terms.iter().filter(|term| !(term.expressions.is_empty() && term.fields.is_empty()))
}

/// A term, with one more expression about the type of the node.
fn with(term: Option<&SelectorTerm>, operator: Option<&str>) -> Value {
    let of = |requirements: &[Requirement]| requirements.iter().map(requirement).collect::<Vec<_>>();
    let mut expressions = term.map(|term| of(&term.expressions)).unwrap_or_default();
    expressions.extend(operator.map(
        |operator| json!({"key": labels::TYPE, "operator": operator, "values": [labels::TYPE_VIRTUAL_NODE]}),
    ));
    let mut made = Map::new();
    for (key, requirements) in
        [(EXPRESSIONS, expressions), (FIELDS, term.map(|term| of(&term.fields)).unwrap_or_default())]
    {
        if !requirements.is_empty() {
            made.insert(key.to_owned(), Value::Array(requirements));
        }
    }
    Value::Object(made)
}

fn requirement(requirement: &Requirement) -> Value {
    let Requirement { key, operator, values } = requirement;
    if values.is_empty() {
        json!({"key": key, "operator": operator})
    } else {
        json!({"key": key, "operator": operator, "values": values})
    }
}

/// The terms of somebody who wants a node that meets one of `own` and one of `ours`.
///
/// # Errors
///
/// [`Refusal::Malformed`] when `own` cannot be read, [`Refusal::Forbidden`] when it is too long.
pub(super) fn both(own: &[Value], ours: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    if own.is_empty() {
        return Ok(ours);
    }
    if own.len().saturating_mul(ours.len()) > MOST_TERMS {
        return Err(Refusal::Forbidden(format!(
            "the required node affinity of the pod and the cluster selector of its namespace make more than {MOST_TERMS} \
             terms: use fewer"
        )));
    }
    let mut terms = Vec::new();
    for own in own {
        let own_parts = parts(own)?;
        for ours in &ours {
            let our_parts = parts(ours)?;
            if !own_parts.is_empty() && !our_parts.is_empty() {
                terms.push(joined(own, ours));
            }
        }
    }
    // One that selects nothing, since a list without terms is none.
    Ok(if terms.is_empty() { vec![json!({})] } else { terms })
}

/// All requirements of a term.
fn parts(term: &Value) -> Result<Vec<&Value>, Refusal> {
    let refused = || Refusal::malformed("a term of the pod's required node affinity", "a map of lists");
    let term = term.as_object().ok_or_else(refused)?;
    let mut parts = Vec::new();
    for key in [EXPRESSIONS, FIELDS] {
        match term.get(key) {
            None | Some(Value::Null) => {}
            Some(list) => parts.extend(list.as_array().ok_or_else(refused)?),
        }
    }
    Ok(parts)
}

/// One term that says what two say.
fn joined(own: &Value, ours: &Value) -> Value {
    let mut term = own.clone();
    for key in [EXPRESSIONS, FIELDS] {
        let lists = [own, ours].map(|term| term.get(key).and_then(Value::as_array));
        let list: Vec<Value> = lists.into_iter().flatten().flatten().cloned().collect();
        if !list.is_empty() {
            term[key] = Value::Array(list);
        }
    }
    term
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(key: &str) -> Value {
        json!({"key": key, "operator": "Exists"})
    }

    fn expressions(keys: &[&str]) -> Value {
        json!({EXPRESSIONS: keys.iter().map(|key| expression(key)).collect::<Vec<_>>()})
    }

    #[test]
    fn every_term_goes_with_every_other() {
        let own = [expressions(&["a"]), json!({FIELDS: [expression("f")]})];
        let ours = vec![
            expressions(&["x", "y"]),
            json!({EXPRESSIONS: [expression("z")], FIELDS: [expression("g")]}),
        ];
        let joined = |e: &[&str], f: &[&str]| {
            let mut term = expressions(e);
            if !f.is_empty() {
                term[FIELDS] = f.iter().map(|key| expression(key)).collect();
            }
            term
        };
        assert_eq!(
            both(&own, ours).unwrap(),
            [
                joined(&["a", "x", "y"], &[]),
                joined(&["a", "z"], &["g"]),
                joined(&["x", "y"], &["f"]),
                joined(&["z"], &["f", "g"]),
            ]
        );
    }

    #[test]
    fn a_term_that_selects_nothing_selects_nothing_with_another() {
        let ours = vec![expressions(&["x"])];
        for nothing in [json!({}), json!({EXPRESSIONS: null}), json!({EXPRESSIONS: [], FIELDS: []})] {
            assert_eq!(both(std::slice::from_ref(&nothing), ours.clone()).unwrap(), [json!({})], "{nothing}");
            let some = both(&[nothing, expressions(&["a"])], ours.clone()).unwrap();
            assert_eq!(some, [expressions(&["a", "x"])]);
        }
        assert_eq!(both(&[expressions(&["a"])], vec![json!({})]).unwrap(), [json!({})]);
        assert_eq!(both(&[], ours.clone()).unwrap(), ours);
    }

    #[test]
    fn what_cannot_be_read_or_is_too_long_is_refused() {
        let ours = vec![expressions(&["x"]); 2];
        for bad in [json!(1), json!([]), json!({EXPRESSIONS: "x"}), json!({FIELDS: {}})] {
            assert!(matches!(both(&[bad], ours.clone()), Err(Refusal::Malformed(_))));
        }
        let many = vec![expressions(&["a"]); MOST_TERMS];
        assert!(matches!(both(&many, ours), Err(Refusal::Forbidden(_))));
        assert_eq!(both(&many, vec![expressions(&["x"])]).unwrap().len(), MOST_TERMS);
    }
}
