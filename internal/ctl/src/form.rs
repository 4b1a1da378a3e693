//! Values for other tools, as JSON or YAML.

use clap::ValueEnum;
use serde_json::Value;

use crate::CtlError;

/// How a value is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// As JSON
    Json,
    /// As YAML
    Yaml,
}

/// The value in that form, its keys in order.
pub(crate) fn printed(mut value: Value, form: Form) -> Result<String, CtlError> {
    // Whether maps keep their order depends on features that other crates ask for.
    value.sort_all_objects();
    match form {
        Form::Json => Ok(format!("{value:#}\n")),
        Form::Yaml => {
            let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
            serde_saphyr::to_string_with_options(&value, options)
                .map_err(|source| CtlError::Yaml { source: Box::new(source) })
        }
    }
}
