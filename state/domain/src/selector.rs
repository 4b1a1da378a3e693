//! Node selectors as the scheduler reads them: any term may hold, and all requirements of a term must.
//!
//! Source: core/v1 NodeSelector. A term without requirements matches nothing; no terms at all match everything here,
//! which is how a NamespaceOffloading asks for every cluster.

use liqo_events::{Labels, Requirement, SelectorTerm};

/// Why a selector cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid(pub String);

/// Whether a node with these labels and this name is selected.
pub(crate) fn selects(terms: &[SelectorTerm], labels: &Labels, name: &str) -> Result<bool, Invalid> {
    if terms.is_empty() {
        return Ok(true);
    }
    let mut selected = false;
    // Every term is judged, so that an invalid one is told whatever the node.
    for term in terms {
        selected |= holds(term, labels, name)?;
    }
    Ok(selected)
}

fn holds(term: &SelectorTerm, labels: &Labels, name: &str) -> Result<bool, Invalid> {
    let mut all = !(term.expressions.is_empty() && term.fields.is_empty());
    for requirement in &term.expressions {
        all &= meets(requirement, labels.get(&requirement.key))?;
    }
    for requirement in &term.fields {
        if requirement.key != "metadata.name" {
            return Err(Invalid(format!("matchFields knows metadata.name and not {:?}", requirement.key)));
        }
        all &= meets(requirement, Some(name))?;
    }
    Ok(all)
}

fn meets(requirement: &Requirement, value: Option<&str>) -> Result<bool, Invalid> {
    let listed = || value.is_some_and(|value| requirement.values.iter().any(|wanted| wanted == value));
    match requirement.operator.as_str() {
        "In" | "NotIn" if requirement.values.is_empty() => {
            Err(Invalid(format!("operator {} of {:?} needs values", requirement.operator, requirement.key)))
        }
        "In" => Ok(listed()),
        "NotIn" => Ok(!listed()),
        "Exists" | "DoesNotExist" if !requirement.values.is_empty() => Err(Invalid(format!(
            "operator {} of {:?} takes no values",
            requirement.operator, requirement.key
        ))),
        "Exists" => Ok(value.is_some()),
        "DoesNotExist" => Ok(value.is_none()),
        "Gt" | "Lt" => compares(requirement, value),
        other => Err(Invalid(format!("operator {other:?} of {:?} is none of Kubernetes", requirement.key))),
    }
}

fn compares(requirement: &Requirement, value: Option<&str>) -> Result<bool, Invalid> {
    let [bound] = requirement.values.as_slice() else {
        return Err(Invalid(format!(
            "operator {} of {:?} needs one value",
            requirement.operator, requirement.key
        )));
    };
    let Ok(bound) = bound.parse::<i64>() else {
        return Err(Invalid(format!("{bound:?} of {:?} is no whole number", requirement.key)));
    };
    let Some(Ok(value)) = value.map(str::parse::<i64>) else { return Ok(false) };
    Ok(if requirement.operator == "Gt" { value > bound } else { value < bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(key: &str, operator: &str, values: &[&str]) -> Requirement {
        Requirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    fn judge(requirements: &[Requirement]) -> Result<bool, Invalid> {
        let labels = [("region".to_owned(), "eu".to_owned()), ("size".to_owned(), "12".to_owned())].into();
        selects(
            &[SelectorTerm { expressions: requirements.to_vec(), fields: Vec::new() }],
            &labels,
            "liqo-milan",
        )
    }

    #[test]
    fn operators() {
        for (key, operator, values, expected) in [
            ("region", "In", vec!["us", "eu"], true),
            ("region", "In", vec!["us"], false),
            ("region", "NotIn", vec!["us"], true),
            ("zone", "NotIn", vec!["a"], true),
            ("region", "Exists", vec![], true),
            ("zone", "Exists", vec![], false),
            ("zone", "DoesNotExist", vec![], true),
            ("size", "Gt", vec!["11"], true),
            ("size", "Lt", vec!["12"], false),
            ("region", "Gt", vec!["1"], false),
        ] {
            assert_eq!(
                judge(&[requirement(key, operator, &values)]),
                Ok(expected),
                "{key} {operator} {values:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_judged_is_said() {
        for (operator, values) in
            [("In", vec![]), ("Exists", vec!["x"]), ("Gt", vec!["x"]), ("Like", vec!["x"])]
        {
            assert!(judge(&[requirement("region", operator, &values)]).is_err(), "{operator} {values:?}");
        }
    }

    #[test]
    fn no_terms_select_everything_and_an_empty_term_nothing() {
        assert_eq!(selects(&[], &Labels::default(), "n"), Ok(true));
        assert_eq!(selects(&[SelectorTerm::default()], &Labels::default(), "n"), Ok(false));
    }

    #[test]
    fn terms_are_alternatives_and_requirements_are_not() {
        let eu = requirement("region", "In", &["eu"]);
        let us = requirement("region", "In", &["us"]);
        assert_eq!(judge(&[eu.clone(), us.clone()]), Ok(false));
        let labels = [("region".to_owned(), "eu".to_owned())].into();
        let terms = [us, eu].map(|one| SelectorTerm { expressions: vec![one], fields: Vec::new() });
        assert_eq!(selects(&terms, &labels, "n"), Ok(true));
    }

    #[test]
    fn a_node_is_selected_by_its_name() {
        let field = |value: &str| SelectorTerm {
            expressions: Vec::new(),
            fields: vec![requirement("metadata.name", "In", &[value])],
        };
        assert_eq!(selects(&[field("liqo-milan")], &Labels::default(), "liqo-milan"), Ok(true));
        assert_eq!(selects(&[field("other")], &Labels::default(), "liqo-milan"), Ok(false));
    }
}
