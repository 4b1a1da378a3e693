//! The definitions as files.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use liqo_model::Kind;
use serde_json::{Number, Value};

use super::crds;
use crate::{Error, KINDS, KindDescription};

const HEAD: &str = "# Made by `make generate` from the types in state/model/src/crd; change those.\n";

/// The files that hold the definitions: name, `<plural>.<group>.yaml`, and text. The same code gives the same texts.
///
/// # Errors
/// As [`crds`], and when a definition cannot be written as YAML. Both depend on the code alone.
pub fn files() -> Result<BTreeMap<String, String>, Error> {
    let of_kind = |(described, crd): (&KindDescription, CustomResourceDefinition)| {
        Ok((format!("{}.yaml", described.definition_name()), text(described.kind, &crd)?))
    };
    KINDS.iter().zip(crds()?).map(of_kind).collect()
}

fn text(kind: Kind, crd: &CustomResourceDefinition) -> Result<String, Error> {
    let mut value = serde_json::to_value(crd).map_err(|source| Error::Schema { kind, source })?;
    shorten_numbers(&mut value);
    // Whether maps keep their order depends on features that other crates ask for.
    value.sort_all_objects();
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let yaml = serde_saphyr::to_string_with_options(&value, options);
    Ok(format!("{HEAD}{}", yaml.map_err(|source| Error::Yaml { kind, source })?))
}

/// Writes 0 instead of 0.0: the types of a definition hold limits as floating point numbers.
fn shorten_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15);
            if let Some(whole) = whole.filter(|_| number.is_f64()) {
                // Exact: the value is whole and far below what 64 bits hold.
                *number = Number::from(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_numbers),
        Value::Object(fields) => fields.values_mut().for_each(shorten_numbers),
        _ => {}
    }
}
